"""Reading the ledger for reports and exports: entry by entry, with who sent the order behind it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import Decimal

from django.db.models import QuerySet

from accounts.models import Account
from krakenfutures.numbers import normal_currency
from krakenfutures.values import ContractKind
from krakenfutures.words import kind_of
from trading.actions.index_prices import index_prices
from trading.models import Fill, LedgerEntry, Order, PositionEvent
from trading.report_sums import Line, Price, Report, hourly, report
from trading.trip_sums import Step

CHUNK = 5000
ZERO = Decimal(0)
NOBODY = "not from this desk"


@dataclass(frozen=True, slots=True)
class Span:
    """From `since` (counts in) to `until` (does not); None: from the beginning, to the end."""

    since: datetime | None = None
    until: datetime | None = None

    def of(self, account: Account) -> QuerySet[LedgerEntry]:
        rows = LedgerEntry.objects.filter(account=account)
        rows = rows.filter(at__gte=self.since) if self.since else rows
        return rows.filter(at__lt=self.until) if self.until else rows

    def holds(self, moment: datetime) -> bool:
        return (self.since is None or moment >= self.since) and (self.until is None or moment < self.until)


def account_report(account: Account, span: Span, by: str, zone: tzinfo) -> Report:
    """Every figure of the page; days are those of `zone`."""
    return report(lines(account, span, zone, with_members=by == "member"), by, price_of(account, span))


def price_of(account: Account, span: Span) -> Price:
    currencies = span.of(account).exclude(currency="USD").order_by().values_list("currency", flat=True).distinct()
    return hourly(index_prices(account.environment, currencies))


def lines(account: Account, span: Span, zone: tzinfo, *, with_members: bool) -> Iterator[Line]:
    members = members_of(account) if with_members else {}
    names = ("at", "symbol", "currency", "realised_pnl", "fee", "funding", "other", "venue_fill_id")
    for at, symbol, currency, realised, fee, funding, other, fill in (
        span.of(account).order_by("number").values_list(*names).iterator(chunk_size=CHUNK)
    ):
        member = members.get(fill, NOBODY) if fill else ""
        day = f"{at.astimezone(zone):%Y-%m-%d}"
        yield Line(at, day, symbol, member, currency, realised, fee, funding, other)


def members_of(account: Account) -> dict[str, str]:
    """Who sent the order behind each fill, by the fill's id."""
    orders = Order.objects.filter(account=account, venue_order_id__isnull=False, by__isnull=False)
    by_order = dict(orders.values_list("venue_order_id", "by__email"))
    fills = Fill.objects.filter(
        account=account, venue_order_id__in=Order.objects.filter(account=account).values("venue_order_id")
    )
    found = fills.values_list("venue_fill_id", "venue_order_id")
    return {fill: by_order[order] for fill, order in found.iterator(chunk_size=CHUNK) if order in by_order}


def steps_of(account: Account, until: datetime | None = None) -> Iterator[Step]:
    """How positions changed by trades and settlements, oldest first."""
    rows = PositionEvent.objects.filter(account=account).exclude(reason="fundingRealisation")
    rows = rows.filter(at__lt=until) if until else rows
    for row in rows.order_by("at", "pk").iterator(chunk_size=CHUNK):
        price = row.price if row.price is not None else row.settlement_price
        if price is None or row.old_size == row.new_size:
            continue  # nothing was traded
        yield Step(
            row.at,
            row.symbol,
            _settles_in(row),
            row.old_size,
            row.new_size,
            price,
            row.realised_pnl or ZERO,
            row.fee or ZERO,
        )


def _settles_in(row: PositionEvent) -> str:
    """Inverse contracts settle in the coin, all others in dollars."""
    if kind_of(row.symbol) is not ContractKind.INVERSE:
        return "USD"
    return normal_currency(row.symbol.split("_")[1].removesuffix("USD"))
