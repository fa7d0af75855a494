"""The sums that reports are made of follow the ledger, however it comes; and files and drawers say the same."""

from __future__ import annotations

import csv
import io
import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal as D
from itertools import product
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Account, Desk, User
from krakenfutures.funds import LedgerRow
from krakenfutures.numbers import WIDE, plain
from tests.accounts.conftest import plain_static_files  # noqa: F401 - pages without collected files
from tests.trading.booked import book, row
from tests.trading.furnished import demo_account
from trading.actions import ledgers, reports
from trading.actions.equity import equity_curve
from trading.actions.exports import ask_export, make_export
from trading.actions.ledgers import extend_ledger, rebuild_ledger
from trading.actions.report_entries import newest_entries
from trading.actions.reports import NOBODY, Span, TooMany, account_report, steps_of
from trading.models import EquityPoint, Fill, IndexPrice, LedgerEntry, LedgerSum, Order, PositionEvent
from trading.report_sums import BY, Line, hourly, report
from trading.trip_sums import trips

pytestmark = pytest.mark.django_db
SUMMER_ENDS = datetime(2026, 10, 24, 20, 7, 3, tzinfo=UTC)
ZONES = ["UTC", "Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe"]
SYMBOLS = [("PF_XBTUSD", "USD"), ("PI_XBTUSD", "BTC"), ("PF_ETHUSD", "USD"), ("", "ETH")]


@pytest.fixture
def account(desk: Desk, owner: User) -> Account:
    return demo_account(desk, owner)


@pytest.fixture
def past(account: Account, owner: User, monkeypatch: pytest.MonkeyPatch) -> Account:
    """Two days around the end of summer time, booked in stretches that cut quarters of an hour in two."""
    monkeypatch.setattr(ledgers, "AT_ONCE", 70)
    chance = random.Random(7)
    rows: list[LedgerRow] = []
    at = SUMMER_ENDS
    for number in range(1, 501):
        at += timedelta(seconds=chance.choice([0, 0, 1, 61, 900, 1800]))
        symbol, currency = chance.choice(SYMBOLS)
        figures = {
            name: plain(D(chance.randrange(-(10**9), 10**9)).scaleb(-chance.choice([2, 8, 14])))
            for name in ("realised", "fee", "funding")
        }
        rows.append(row(number, at, symbol=symbol, currency=currency, **figures))
    for start in range(0, 500, 111):
        book(account, rows[start : start + 111])
    hour = SUMMER_ENDS.replace(minute=0, second=0)
    for number in range(60):  # of some hours there is no price
        IndexPrice.objects.create(
            environment=account.environment, currency="BTC", hour=hour + number * timedelta(hours=1),
            price=D("60000.123456") + number,
        )  # fmt: skip
    Order.objects.create(
        account=account, by=owner, symbol="PF_XBTUSD", side="buy", type="mkt", size=D(1), client_order_id="ours",
        venue_order_id="venue-1", status="filled",
    )  # fmt: skip
    for number in (3, 300):
        Fill.objects.create(
            account=account, venue_fill_id=f"f{number}", venue_order_id="venue-1", symbol="PF_XBTUSD",
            side="buy", size=D(1), price=D(1), at=at, kind="taker",
        )  # fmt: skip
    return account


def one_by_one(account: Account, span: Span, zone: ZoneInfo) -> list[Line]:
    sender = Order.objects.get(client_order_id="ours").by
    assert sender
    senders = {"f3": sender.email, "f300": sender.email}
    return [
        Line(
            one.at, f"{one.at.astimezone(zone):%Y-%m-%d}", one.symbol,
            senders.get(one.venue_fill_id, NOBODY) if one.venue_fill_id else "", one.currency, one.realised_pnl,
            one.fee, one.funding, one.other,
        )
        for one in span.of(account)
    ]  # fmt: skip


def test_a_report_is_what_its_entries_add_up_to_one_by_one(past: Account) -> None:
    prices = {("BTC", one.hour): one.price for one in IndexPrice.objects.all()}
    for zone, by in product(map(ZoneInfo, ZONES), BY):
        since = datetime(2026, 10, 25, tzinfo=zone)
        for span in (Span(), Span(since, since + timedelta(days=1))):
            expected = report(one_by_one(past, span, zone), by, hourly(prices))
            assert account_report(past, span, by, zone) == expected
            assert expected.rows


def sums_of(account: Account) -> set[tuple[Any, ...]]:
    names = ("quarter", "symbol", "currency", "realised_pnl", "fee", "funding", "other", "entries")
    return set(LedgerSum.objects.filter(account=account).values_list(*names))


def test_made_anew_or_begun_twice_the_sums_are_the_same(past: Account) -> None:
    before = sums_of(past)
    assert len(before) < LedgerEntry.objects.count() == sum(one[-1] for one in before)
    assert rebuild_ledger(past.pk) == 500
    assert sums_of(past) == before
    assert extend_ledger(past.pk) == 0
    assert sums_of(past) == before


def test_who_makes_the_ledger_anew_meanwhile_is_not_undone_by_who_came_second(past: Account) -> None:
    """The second is told while it derives, and leaves the whole to the first."""
    before = sums_of(past)
    told: list[int] = []

    def meanwhile(done: int) -> None:
        if not told:
            told.append(rebuild_ledger(past.pk))

    rebuild_ledger(past.pk, tell=meanwhile)
    assert told == [500]
    assert sums_of(past) == before
    assert LedgerEntry.objects.count() == 500


@pytest.mark.parametrize(
    ("by", "group"),
    [("symbol", "PI_XBTUSD"), ("currency", "BTC"), ("day", "2026-10-26"), ("member", NOBODY), ("member", "")],
)
def test_a_drawer_holds_the_newest_entries_of_its_group(past: Account, by: str, group: str) -> None:
    zone = ZoneInfo("Asia/Kathmandu")
    for span in (Span(), Span(since=datetime(2026, 10, 25, tzinfo=zone))):
        lines = zip(span.of(past), one_by_one(past, span, zone), strict=True)
        expected = [entry.number for entry, line in lines if (getattr(line, by), line.currency) == (group, "BTC")]
        found = newest_entries(past, span, by, group, "BTC", zone)
        assert [one.number for one in found.entries] == expected[:200]
        assert found.count == len(expected)


def test_a_day_that_cannot_be_has_no_drawer(client: Client, viewer: User, past: Account) -> None:
    client.force_login(viewer)
    assert client.get("/reports/details/?by=day&group=2026-02-30&currency=USD").status_code == 404
    assert client.get("/reports/details/?by=day&group=x&currency=USD").status_code == 404


def test_a_file_is_the_ledger_line_by_line(past: Account, owner: User) -> None:
    LedgerEntry.objects.filter(number=5).update(symbol='=cmd|"x",1')
    LedgerEntry.objects.filter(number=6).update(venue_fill_id="-5.25", symbol="-x")
    made = ask_export(past, by=owner, format="csv", span=Span(since=SUMMER_ENDS + timedelta(hours=1)))
    make_export(made.pk)
    made.refresh_from_db()
    prices = {one.hour: one.price for one in IndexPrice.objects.all()}
    expected = []
    for one in LedgerEntry.objects.filter(at__gte=made.since).order_by("number"):
        hour = one.at.replace(minute=0, second=0, microsecond=0)
        worth = D(1) if one.currency == "USD" else prices.get(hour) if one.currency == "BTC" else None
        net = one.realised_pnl - one.fee + one.funding
        expected.append([
            str(one.number), one.at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{one.at.microsecond // 1000:03d}Z", one.wallet,
            one.currency, one.category, f"'{one.symbol}" if one.symbol[:1] in {"=", "-"} else one.symbol,
            one.venue_fill_id, owner.email if one.number in (3, 300) else "", plain(one.realised_pnl), plain(one.fee),
            plain(one.funding), plain(one.other), plain(one.amount), plain(one.balance), plain(one.residual),
            "" if worth is None else plain(worth), "" if worth is None else plain(WIDE.multiply(net, worth)),
        ])  # fmt: skip
    text = b"".join(bytes(part.data) for part in made.parts.all()).decode()
    assert made.rows == made.total == len(expected)
    written = list(csv.reader(io.StringIO(text)))[1:]
    for given, wished in zip(written, expected, strict=True):
        assert given == wished
    assert text.endswith("\n")
    assert "\r" not in text


def moved(account: Account, number: int, at: datetime, old: str, new: str, realised: str = "0") -> None:
    PositionEvent.objects.create(
        account=account, source="derivatives", venue_id=f"m{number}", at=at, symbol="PF_XBTUSD", reason="trade",
        old_size=D(old), new_size=D(new), price=D(100), realised_pnl=D(realised), fee=D(1),
    )  # fmt: skip


def test_trips_of_some_days_begin_where_the_position_was_flat(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    days = [SUMMER_ENDS + timedelta(days=number) for number in range(6)]
    for number, (old, new) in enumerate([("0", "1"), ("1", "0"), ("0", "2"), ("2", "1"), ("1", "0"), ("0", "1")]):
        moved(account, number, days[number], old, new, "5" if number == 4 else "0")
    span = Span(since=days[4])
    assert [step.at for step in steps_of(account, span)] == days[2:]  # not from the beginning
    (trip,) = trips(steps_of(account, span))
    assert (trip.began, trip.ended, trip.result) == (days[2], days[4], D(2))
    monkeypatch.setattr(reports, "MOST_STEPS", 3)
    with pytest.raises(TooMany):
        list(steps_of(account, span))


def test_too_many_trades_are_said_and_the_sums_are_there_all_the_same(
    client: Client, viewer: User, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = timezone.now()
    for number in range(3):
        moved(account, number, now, "0", "1")
    book(account, [row(1, now)])
    monkeypatch.setattr(reports, "MOST_STEPS", 2)
    client.force_login(viewer)
    for address in ("/reports/", "/reports/first-in-first-out/", "/reports/journal/"):
        page = client.get(address).content.decode()
        assert "Choose fewer days" in page
    assert "+1.50" in client.get("/reports/").content.decode()


def test_a_thinned_curve_keeps_its_newest_point_and_the_deepest_fall_of_all(account: Account) -> None:
    start = SUMMER_ENDS.replace(minute=0, second=0)
    levels = [100, 101, 50, 102, 103, 104, 105]
    for number, level in enumerate(levels):
        zero = dict.fromkeys(("available", "used", "maintenance", "unrealised", "exposure"), D(0))
        at = start + number * timedelta(minutes=5)
        EquityPoint.objects.create(account=account, at=at, equity=D(level), **zero)
    told = equity_curve(account, start, 3)
    assert [point[1] for point in told["points"]] == ["100", "102", "105"]
    assert (told["drawdown"], told["share"]) == ("51", plain(D(51) / 101))
