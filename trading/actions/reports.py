"""Reading the ledger for reports: its sums of quarters of an hour, or entry by entry where a person is asked for."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import Decimal
from itertools import islice
from typing import Any

from django.db.models import QuerySet

from accounts.models import Account
from krakenfutures.numbers import normal_currency
from krakenfutures.values import ContractKind
from krakenfutures.words import kind_of
from trading.actions.index_prices import index_prices
from trading.actions.keeping import SOURCE
from trading.models import Fill, LedgerEntry, LedgerSum, Order, PositionEvent, WalletLedger
from trading.report_sums import Line, Price, Report, hourly, report
from trading.trip_sums import Step

CHUNK = 5000
MOST_STEPS = 50_000  # what is worked out while somebody waits for the page
ZERO = Decimal(0)
NOBODY = "not from this desk"


class TooMany(Exception):
    """More than anybody would wait for: fewer days are to be chosen."""


@dataclass(frozen=True, slots=True)
class Span:
    """From `since` (counts in) to `until` (does not); None: from the beginning, to the end."""

    since: datetime | None = None
    until: datetime | None = None

    def of(self, account: Account) -> QuerySet[LedgerEntry]:
        return self._within(LedgerEntry.objects.filter(account=account), "at")

    def sums_of(self, account: Account) -> QuerySet[LedgerSum]:
        """Whole quarters of an hour: a span of days in any zone begins and ends with one."""
        return self._within(LedgerSum.objects.filter(account=account), "quarter")

    def steps_of(self, account: Account) -> QuerySet[PositionEvent]:
        return self._within(_moves(account), "at")

    def _within(self, rows: QuerySet[Any], name: str) -> QuerySet[Any]:
        rows = rows.filter(**{f"{name}__gte": self.since}) if self.since else rows
        return rows.filter(**{f"{name}__lt": self.until}) if self.until else rows

    def holds(self, moment: datetime) -> bool:
        return (self.since is None or moment >= self.since) and (self.until is None or moment < self.until)


def account_report(account: Account, span: Span, by: str, zone: tzinfo) -> Report:
    """Every figure of the page; days are those of `zone`."""
    lines = _entries(account, span) if by == "member" else _sums(account, span, zone)
    return report(lines, by, price_of(account, span))


def price_of(account: Account, span: Span) -> Price:
    held = WalletLedger.objects.filter(account=account).exclude(currency="USD").order_by()
    currencies = held.values_list("currency", flat=True).distinct()
    return hourly(index_prices(account.environment, currencies, span.since, span.until))


def _sums(account: Account, span: Span, zone: tzinfo) -> Iterator[Line]:
    days: dict[datetime, str] = {}
    names = ("quarter", "symbol", "currency", "realised_pnl", "fee", "funding", "other", "entries")
    rows = span.sums_of(account).order_by().values_list(*names)
    for quarter, symbol, currency, realised, fee, funding, other, entries in rows.iterator(chunk_size=CHUNK):
        if (day := days.get(quarter)) is None:
            day = days[quarter] = f"{quarter.astimezone(zone):%Y-%m-%d}"
        yield Line(quarter, day, symbol, "", currency, realised, fee, funding, other, entries)


def _entries(account: Account, span: Span) -> Iterator[Line]:
    names = ("at", "symbol", "currency", "realised_pnl", "fee", "funding", "other", "venue_fill_id")
    rows = span.of(account).order_by("at").values_list(*names).iterator(chunk_size=CHUNK)
    while chunk := list(islice(rows, CHUNK)):
        senders = senders_of(account, {row[-1] for row in chunk})
        for at, symbol, currency, realised, fee, funding, other, fill in chunk:
            yield Line(at, "", symbol, senders.get(fill, NOBODY), currency, realised, fee, funding, other)


def senders_of(account: Account, fills: Collection[str]) -> dict[str, str]:
    """Who of this desk sent the order behind each of these fills, by the fill's id; where none did it, nobody did."""
    known = Fill.objects.filter(account=account, source=SOURCE, venue_fill_id__in=fills)
    orders = dict(known.values_list("venue_fill_id", "venue_order_id"))
    ours = Order.objects.filter(account=account, venue_order_id__in=set(orders.values()), by__isnull=False)
    people = dict(ours.values_list("venue_order_id", "by__email"))
    return {"": "", **{fill: people[order] for fill, order in orders.items() if order in people}}


def steps_of(account: Account, span: Span = Span()) -> Iterator[Step]:
    """How positions changed by trades and settlements in the span, contract by contract, each oldest first.

    From the last time before the span at which a contract was flat, as what a trade closed may be older. Raises
    `TooMany`.
    """
    inside = span.steps_of(account).order_by()
    left = MOST_STEPS - inside[: MOST_STEPS + 1].count()
    if left < 0:
        raise TooMany
    for symbol in sorted(set(inside.values_list("symbol", flat=True))):
        earlier, left = _since_flat(account, symbol, span.since, left) if span.since else ([], left)
        for row in (*earlier, *inside.filter(symbol=symbol).order_by("at", "pk")):
            if step := _step(row):
                yield step


def steps_from(account: Account, symbol: str, began: datetime) -> Iterator[Step]:
    """How the position in one contract changed from that moment on."""
    rows = Span(since=began).steps_of(account).filter(symbol=symbol).order_by("at", "pk")
    return filter(None, map(_step, rows.iterator(chunk_size=500)))


def _since_flat(account: Account, symbol: str, before: datetime, most: int) -> tuple[list[PositionEvent], int]:
    """What changed the position since it was last flat before that moment, and how many more may be read."""
    found = []
    rows = _moves(account).filter(symbol=symbol, at__lt=before).order_by("-at", "-pk")
    for row in rows[: most + 1].iterator(chunk_size=500):
        if not row.new_size:
            break
        found.append(row)
        if not row.old_size:
            break
    if len(found) > most:
        raise TooMany
    return found[::-1], most - len(found)


def _moves(account: Account) -> QuerySet[PositionEvent]:
    return PositionEvent.objects.filter(account=account).exclude(reason="fundingRealisation")


def _step(row: PositionEvent) -> Step | None:
    price = row.price if row.price is not None else row.settlement_price
    if price is None or row.old_size == row.new_size:
        return None  # nothing was traded
    realised, fee = row.realised_pnl or ZERO, row.fee or ZERO
    return Step(row.at, row.symbol, _settles_in(row), row.old_size, row.new_size, price, realised, fee)


def _settles_in(row: PositionEvent) -> str:
    """Inverse contracts settle in the coin, all others in dollars."""
    if kind_of(row.symbol) is not ContractKind.INVERSE:
        return "USD"
    return normal_currency(row.symbol.split("_")[1].removesuffix("USD"))
