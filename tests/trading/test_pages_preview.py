"""The preview beside the ticket: figures of the server for what is typed, and words for what cannot be."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from accounts.models import Account, Desk, User
from tests.trading.furnished import demo_account, furnish, list_instruments
from trading.models import Order

pytestmark = pytest.mark.usefixtures("collected")
WISH = {"side": "buy", "type": "limit", "size": "0.1", "limit_price": "60000"}


@pytest.fixture
def shown(desk: Desk, owner: User) -> Account:
    list_instruments()
    account = demo_account(desk, owner)
    furnish(account, owner)
    return account


def ask(client: Client, account: Account, symbol: str = "PF_XBTUSD", **changes: str) -> Any:
    return client.get(f"/trade/{symbol}/preview/", {**WISH, "of": str(account.pk), **changes})


def text(answer: Any) -> str:
    return answer.content.decode().replace("\N{NARROW NO-BREAK SPACE}", " ")


def test_the_preview_shows_margin_position_and_liquidation(client: Client, owner: User, shown: Account) -> None:
    client.force_login(owner)
    html = text(ask(client, shown))
    assert "data-known" in html
    assert "+0.2500" in html
    assert "+0.3500" in html
    assert "22 489.12" in html
    assert re.search(r"\d+ <span class=\"unit\">points", html)


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "market"},
        {"type": "fok"},
        {"type": "stop", "stop_price": "90000", "trigger_signal": "index"},
        {"type": "take_profit", "stop_price": "50000", "limit_price": ""},
        {"type": "trailing_stop", "trailing_deviation": "1.5", "trailing_unit": "percent", "side": "sell"},
        {"stop_loss": "55000", "take_profit": "70000"},
    ],
)
def test_every_type_has_a_preview(client: Client, owner: User, shown: Account, changes: dict[str, str]) -> None:
    client.force_login(owner)
    assert "data-known" in text(ask(client, shown, **changes))


def test_what_is_incomplete_waits_and_what_is_off_the_tick_is_told(
    client: Client, owner: User, shown: Account
) -> None:
    client.force_login(owner)
    assert "appears here as you type" in text(ask(client, shown, limit_price=""))
    assert "multiple of 1" in text(ask(client, shown, limit_price="60000.4"))


def test_a_share_of_what_is_available_becomes_a_size(client: Client, owner: User, shown: Account) -> None:
    client.force_login(owner)
    half, whole = (float(ask(client, shown, size="", share=share)["X-Size"]) for share in ("50", "100"))
    assert 0 < half < whole
    html = text(ask(client, shown, size="", share="100"))
    needed = re.search(r"<dd>([\d .]+) <span class=\"unit\">of 22 489.12", html)
    assert needed
    assert 22000 < float(needed[1].replace(" ", "")) <= 22489.12


def test_all_of_a_position_is_reduced_by_its_whole_size(client: Client, owner: User, shown: Account) -> None:
    client.force_login(owner)
    assert ask(client, shown, size="", share="100", side="sell", reduce_only="on")["X-Size"] == "0.25"


def test_who_may_not_trade_is_shown_no_preview(client: Client, viewer: User, stranger: User, shown: Account) -> None:
    for person, status in ((viewer, 403), (stranger, 200)):
        client.force_login(person)
        answer = ask(client, shown)
        assert answer.status_code == status
        assert "22 489.12" not in text(answer)


def test_a_preview_stores_nothing(client: Client, owner: User, shown: Account) -> None:
    client.force_login(owner)
    before = Order.objects.count()
    ask(client, shown)
    assert Order.objects.count() == before
