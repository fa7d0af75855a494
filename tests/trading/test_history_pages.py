"""Searching the history: what is found, by whom, page after page, and what a bad question answers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Account, Desk, User
from krakenfutures.funds import LedgerRow
from tests.trading.furnished import demo_account
from trading.actions.keeping import keep_log
from trading.actions.ledgers import rebuild_ledger
from trading.models import Fill, SavedView, Sync

pytestmark = pytest.mark.usefixtures("collected")
START = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def account(desk: Desk, owner: User) -> Account:
    return demo_account(desk, owner)


@pytest.fixture
def web(client: Client, owner: User, account: Account) -> Client:
    client.force_login(owner)
    return client


def fills(account: Account, count: int, **changes: Any) -> None:
    """One a second; every seventh at the same moment as the one before."""
    given = {"symbol": "PF_XBTUSD", "side": "buy", "size": D("0.1"), "price": D(60000), "kind": "taker", **changes}
    Fill.objects.bulk_create(
        Fill(
            account=account, venue_fill_id=f"{given['symbol']}-{number}", venue_order_id=f"order-{number}",
            at=START + timedelta(seconds=number - (number % 7 == 0)), **given,
        )
        for number in range(count)
    )  # fmt: skip


def row(number: int, old: str, new: str, **more: Any) -> LedgerRow:
    known: dict[str, Any] = {"wallet": "cash", "asset": "USD", "kind": "cross-exchange transfer"}
    at = START + timedelta(minutes=number)
    return LedgerRow(id=number, at=at, old=D(old), new=D(new), **{**known, **more})


def store_log(account: Account, rows: list[LedgerRow]) -> None:
    keep_log(account.pk, rows, proven=True)
    cursor = f'{{"high": {max(one.id for one in rows)}, "gaps": []}}'
    now = timezone.now()
    Sync.objects.create(account=account, stream="log", cursor=cursor, share=1, ok_at=now, rows=len(rows))
    rebuild_ledger(account.pk)


def text(answer: Any) -> str:
    return str(answer.content.decode())


def pages(web: Client, query: str) -> Iterator[str]:
    """Every page, by the links that people follow."""
    address = f"/history/?{query}"
    while address:
        answer = web.get(address)
        assert answer.status_code == 200
        yield text(answer)
        link = re.search(r'rel="next" href="([^"]+)"', text(answer))
        address = f"/history/{link[1].replace('&amp;', '&')}" if link else ""


def test_every_fill_is_on_exactly_one_page(web: Client, account: Account) -> None:
    fills(account, 250)
    seen = [name for page in pages(web, "tab=fills") for name in re.findall(r'title="(order-\d+)"', page)]
    assert sorted(seen) == sorted(f"order-{number}" for number in range(250))
    assert len(list(pages(web, "tab=fills"))) == 3


def test_fills_are_narrowed_down_by_contract_side_kind_time_and_id(web: Client, account: Account) -> None:
    fills(account, 20)
    fills(account, 3, symbol="PI_XBTUSD", side="sell", kind="liquidation")
    for query, found in (
        ("symbol=pi_xbtusd", 3),
        ("side=sell", 3),
        ("kind=liquidation", 3),
        ("id=order-7", 1),
        ("id=PI_XBTUSD-2", 1),
        ("since=2026-11-01 12:00:10", 10),
        ("until=2026-10-31", 0),
        ("since=2026-11-01&until=2026-11-01", 23),
        ("flagged=1", 0),
    ):
        (page,) = pages(web, f"tab=fills&{query}")
        assert len(re.findall(r'title="order-\d+"', page)) == found, query


def test_a_bad_filter_is_named_beside_its_field_and_loses_nothing(web: Client, account: Account) -> None:
    fills(account, 2)
    answer = web.get("/history/?tab=fills&since=yesterday&symbol=PF_XBTUSD")
    assert answer.status_code == 422
    assert "write it like 2026-11-22" in text(answer)
    assert 'value="yesterday"' in text(answer)
    assert 'value="PF_XBTUSD"' in text(answer)
    assert "order-1" not in text(answer)
    for query in ("kind=hunches", "side=both", "since=2026-11-03&until=2026-11-02", "since=2026-13-40"):
        assert web.get(f"/history/?tab=fills&{query}").status_code == 422


@pytest.mark.parametrize("before", ["x", "1-", "-5", "99999999999999999999-1", "1" * 60, "1-2-3"])
def test_a_cursor_that_was_cut_is_not_found(web: Client, before: str) -> None:
    assert web.get(f"/history/?tab=fills&before={before}").status_code == 404
    assert web.get(f"/history/?tab=log&before={before}").status_code == 404


def test_the_log_says_that_every_balance_is_explained(web: Client, account: Account) -> None:
    trade = {"kind": "futures trade", "contract": "PF_XBTUSD", "reference": "fill-1"}
    store_log(account, [
        row(1, "0", "100.5"),
        row(2, "100.5", "99.25", realised_pnl=D("-1"), fee=D("0.2"), realised_funding=D("-0.05"), **trade),
    ])  # fmt: skip
    (page,) = pages(web, "tab=log")
    assert "Every balance is explained to the last digit" in page
    (page,) = pages(web, "tab=transfers")
    assert page.count('data-label="Amount"') == 1
    (page,) = pages(web, "tab=log&id=%232")
    assert page.count('data-label="Kind"') == 1
    (page,) = pages(web, "tab=log&id=fill-1")
    assert page.count('data-label="Kind"') == 1
    (page,) = pages(web, "tab=log&since=2026-11-01 12:02")
    assert page.count('data-label="Kind"') == 1


def test_a_balance_that_is_not_explained_names_the_first_entry(web: Client, account: Account) -> None:
    store_log(account, [row(1, "0", "100"), row(3, "90", "80"), row(4, "80", "85")])
    (page,) = pages(web, "tab=log")
    assert "A balance is not explained" in page
    assert "Something is missing before #3" in page


def test_while_it_is_read_the_page_says_how_far(web: Client, account: Account) -> None:
    Sync.objects.create(account=account, stream="order_events", share=0.4, rows=1200, ok_at=timezone.now())
    (page,) = pages(web, "tab=orders")
    assert "40 %, 1,200 rows" in page.replace("\N{NARROW NO-BREAK SPACE}", ",").replace("\xa0", ",")
    assert 'hx-get="/history/progress/?tab=orders"' in page
    assert "40 %" in text(web.get("/history/progress/?tab=orders"))
    assert web.get("/history/progress/?tab=nothing").status_code == 404


def test_a_view_is_kept_found_again_replaced_and_forgotten(web: Client, account: Account, owner: User) -> None:
    fills(account, 3)
    kept = {"tab": "fills", "symbol": "PF_XBTUSD", "name": " My  bitcoin "}
    assert web.post("/history/views/", kept).status_code == 302
    view = SavedView.objects.get(user=owner)
    assert (view.name, view.query) == ("My bitcoin", "tab=fills&symbol=PF_XBTUSD")
    assert "My bitcoin" in text(web.get("/history/"))
    web.post("/history/views/", {**kept, "side": "buy"})
    assert SavedView.objects.get(user=owner).query == "tab=fills&side=buy&symbol=PF_XBTUSD"
    web.post("/history/views/", {**kept, "name": "  "})
    assert "Give the view a name" in text(web.get("/history/"))
    assert web.post(f"/history/views/{view.pk}/forget/").status_code == 302
    assert not SavedView.objects.exists()


def test_nobody_sees_another_desks_history_or_anothers_views(
    client: Client, web: Client, account: Account, stranger: User, viewer: User
) -> None:
    fills(account, 3)
    web.post("/history/views/", {"tab": "fills", "symbol": "PF_XBTUSD", "name": "Mine"})
    view = SavedView.objects.get()
    client.force_login(stranger)
    assert "order-1" not in text(client.get(f"/history/?account={account.pk}"))
    assert client.post(f"/history/views/{view.pk}/forget/").status_code == 404
    client.force_login(viewer)
    page = text(client.get(f"/history/?account={account.pk}"))
    assert "order-1" in page
    assert "Mine" not in page
    assert client.post(f"/history/views/{view.pk}/forget/").status_code == 404
    assert SavedView.objects.exists()
