"""Reports over a real past: against what the exchange itself says, and as pages and files."""

from __future__ import annotations

import csv
import io
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal as D
from decimal import localcontext
from zoneinfo import ZoneInfo

import pyarrow.parquet as pq
import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Account, ApiKey, AuditRow, Desk, User
from krakenfutures.numbers import WIDE
from tests.accounts.conftest import plain_static_files  # noqa: F401 - pages without collected files
from tests.trading.booked import book, row
from tests.trading.furnished import demo_account, furnish, list_instruments
from tests.trading.test_history_sync import Lived, key, lived, read_all  # noqa: F401 - fixtures
from trading.actions.equity import note_equity
from trading.actions.exports import KEPT, ask_export, make_export, sweep_exports
from trading.actions.index_prices import index_prices, keep_index_prices
from trading.actions.reports import Span, account_report, steps_of
from trading.actions.syncing import refresh_old_listings
from trading.export_writers import harmless
from trading.live.latest import latest_tickers
from trading.models import EquityPoint, Export, ExportPart, ExportState, LedgerEntry

pytestmark = [pytest.mark.django_db, pytest.mark.venue]
UTC_ZONE = ZoneInfo("UTC")


def test_every_total_is_the_exchanges_own(lived: Lived, key: ApiKey) -> None:  # noqa: F811
    """Fees to the last digit; profits too, where the exchange does not round them for its log."""
    read_all(key)
    account = key.account
    ledger = lived.venue.ledger(lived.person)
    fees, profits = defaultdict(D), defaultdict(D)
    exact, paid = defaultdict(D), defaultdict(D)
    with localcontext(WIDE):
        for fill in ledger["fills"]:
            profits[fill["symbol"]] += D(fill["realized_pnl"] or "0")
            fees[fill["symbol"]] += D(fill["fee"] or "0")
        for step in steps_of(account):
            exact[step.symbol] += step.realised
            paid[step.symbol] += step.fee
    traded = {symbol for symbol in profits if profits[symbol]}
    assert traded
    settled = {entry.symbol for entry in LedgerEntry.objects.filter(account=account, category="settlement")}
    for symbol in traded - settled:
        assert exact[symbol] == profits[symbol], symbol
        assert paid[symbol] == fees[symbol], symbol

    made = account_report(account, Span(), "symbol", UTC_ZONE)
    booked = Counter()
    for total in made.totals:
        booked[total.currency] = total.sums.entries
        assert total.sums.net + total.sums.other == sum(
            entry.amount for entry in LedgerEntry.objects.filter(account=account, currency=total.currency)
        )
    assert sum(booked.values()) == LedgerEntry.objects.filter(account=account).count()


def test_coins_get_a_price_for_every_hour_of_the_ledger(lived: Lived, key: ApiKey) -> None:  # noqa: F811
    read_all(key)
    refresh_old_listings(["demo"])
    added = keep_index_prices()
    assert added
    assert keep_index_prices() == 0
    made = account_report(key.account, Span(), "currency", UTC_ZONE)
    bitcoin = next(row.sums for row in made.totals if row.currency == "BTC")
    assert bitcoin.unpriced == 0
    known = index_prices("demo", ["BTC"])
    assert all(hour.minute == 0 and price > 1000 for (_, hour), price in known.items())


@pytest.fixture
def account(desk: Desk, owner: User) -> Account:
    made = demo_account(desk, owner)
    now = timezone.now()
    book(made, [row(number, now - timedelta(hours=8 - number), symbol="=PF_XBTUSD") for number in range(1, 8)])
    return made


def test_the_page_shows_the_sums_and_opens_what_a_figure_is_made_of(
    client: Client, viewer: User, account: Account
) -> None:
    client.force_login(viewer)
    page = client.get("/reports/?by=symbol").content.decode()
    assert "=PF_XBTUSD" in page
    assert "+10.50" in page
    drawer = client.get("/reports/details/?by=symbol&group=%3DPF_XBTUSD&currency=USD").content.decode()
    assert drawer.count("<tr>") == 8
    assert "realised − fee + funding" in drawer
    assert client.get("/reports/first-in-first-out/").status_code == 200


def test_a_day_that_is_none_is_told_and_kept(client: Client, viewer: User, account: Account) -> None:
    client.force_login(viewer)
    answer = client.get("/reports/?since=2026-13-40")
    assert answer.status_code == 422
    assert "“2026-13-40” is not a day" in answer.content.decode()


def test_a_stranger_sees_nothing_of_it(client: Client, stranger: User, owner: User, account: Account) -> None:
    made = ask_export(account, by=owner, format="csv", span=Span())
    make_export(made.pk)
    client.force_login(stranger)
    assert "=PF_XBTUSD" not in client.get(f"/reports/?account={account.pk}").content.decode()
    assert client.get(f"/reports/exports/{made.pk}/").status_code == 404


def test_a_file_holds_every_entry_is_safe_in_a_spreadsheet_and_is_in_the_book(owner: User, account: Account) -> None:
    made = ask_export(account, by=owner, format="csv", span=Span())
    make_export(made.pk)
    made.refresh_from_db()
    assert (made.state, made.rows, made.total, made.percent) == (ExportState.READY, 7, 7, 100)
    text = b"".join(bytes(part.data) for part in made.parts.all()).decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == 7
    assert {row["symbol"] for row in rows} == {"'=PF_XBTUSD"}
    assert rows[0]["at"].endswith("Z")
    assert sum(D(row["net_usd"]) for row in rows) == D("10.5")
    assert AuditRow.objects.filter(action="history.exported", actor=owner).count() == 1


def test_the_same_as_parquet(owner: User, account: Account) -> None:
    made = ask_export(account, by=owner, format="parquet", span=Span())
    make_export(made.pk)
    data = b"".join(bytes(part.data) for part in made.parts.all())
    table = pq.read_table(io.BytesIO(data))
    assert table.num_rows == 7
    assert table.column("realised_pnl").to_pylist() == ["2"] * 7


def test_a_download_that_broke_goes_on_where_it_was(client: Client, owner: User, account: Account) -> None:
    made = ask_export(account, by=owner, format="csv", span=Span())
    make_export(made.pk)
    client.force_login(owner)
    whole = b"".join(client.get(f"/reports/exports/{made.pk}/"))  # type: ignore[call-overload]
    rest = client.get(f"/reports/exports/{made.pk}/", headers={"Range": "bytes=100-"})
    assert rest.status_code == 206
    assert rest["Content-Range"] == f"bytes 100-{len(whole) - 1}/{len(whole)}"
    assert b"".join(rest) == whole[100:]  # type: ignore[call-overload]
    assert client.get(f"/reports/exports/{made.pk}/", headers={"Range": "bytes=999999-"}).status_code == 416


def test_a_worker_that_died_leaves_a_file_that_is_begun_again(owner: User, account: Account) -> None:
    made = ask_export(account, by=owner, format="csv", span=Span())
    Export.objects.update(state=ExportState.MAKING, lease_until=timezone.now() + timedelta(seconds=60))
    ExportPart.objects.create(export=made, start=0, data=b"half a")
    sweep_exports()
    assert made.parts.get().data == b"half a"  # somebody is at it
    Export.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    sweep_exports()
    made.refresh_from_db()
    assert made.state == ExportState.READY
    assert bytes(made.parts.get().data).startswith(b"number,")


def test_files_are_let_go_after_a_day(owner: User, account: Account) -> None:
    ask_export(account, by=owner, format="csv", span=Span())
    Export.objects.update(asked_at=timezone.now() - KEPT - timedelta(minutes=1))
    sweep_exports()
    assert not Export.objects.exists()


@pytest.mark.parametrize(
    ("cell", "written"),
    [("=1+1", "'=1+1"), ("@x", "'@x"), ("-0.5", "-0.5"), ("-x", "'-x"), ("+49", "'+49"), ("a", "a")],
)
def test_numbers_stay_numbers_and_formulas_become_text(cell: str, written: str) -> None:
    assert harmless(cell) == written


def test_a_viewer_takes_nothing_away(client: Client, viewer: User, account: Account) -> None:
    client.force_login(viewer)
    assert client.post("/reports/exports/ask/", {"format": "csv"}).status_code == 403
    assert not Export.objects.exists()


def test_equity_is_noted_once_in_five_minutes_and_drawn(client: Client, owner: User, desk: Desk) -> None:
    list_instruments()
    account = demo_account(desk, owner)
    furnish(account, owner)
    assert note_equity(latest_tickers) == 1
    assert note_equity(latest_tickers) in {0, 1}  # the database counts what it was given, not what it kept
    point = EquityPoint.objects.get()
    client.force_login(owner)
    told = client.get("/reports/equity.json").json()
    assert told["points"] == [
        [
            int(point.at.timestamp()),
            *(f"{value.normalize():f}" for value in (point.equity, point.used, point.exposure)),
        ]
    ]
    assert point.at == datetime.fromtimestamp(point.at.timestamp() // 300 * 300, UTC)
    assert point.exposure > 0
    assert 'data-equity="/reports/equity.json?days=7"' in client.get("/").content.decode()
