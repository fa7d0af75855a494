"""What the ledger adds up to: profit, fees and funding by day, contract, person or currency. Pure; nothing is rounded.

net = realised − fees + funding, of trades, liquidations, settlements and funding. What only moved (transfers,
conversions, interest, tax, credits) stands apart in `other`. USD is the coin's amount times its index at the
beginning of the hour in which it was booked; dollars are worth one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, localcontext
from operator import attrgetter
from typing import NamedTuple

from krakenfutures.numbers import WIDE

ZERO = Decimal(0)
BY = ("day", "symbol", "member", "currency")
TOTAL = "Total"


class Line(NamedTuple):
    """An entry of the ledger, or the sum of several of one hour, with what the report groups by.

    `member` is empty where no fill did it.
    """

    at: datetime
    day: str  # in the reader's zone
    symbol: str
    member: str
    currency: str
    realised: Decimal
    fee: Decimal
    funding: Decimal
    other: Decimal
    entries: int = 1


Price = Callable[[str, datetime], Decimal | None]


@dataclass(slots=True)
class Sums:
    """Of one group in one currency. `usd` is the net in dollars; `unpriced` counts entries nobody has a price for."""

    realised: Decimal = ZERO
    fees: Decimal = ZERO
    funding: Decimal = ZERO
    other: Decimal = ZERO
    usd: Decimal = ZERO
    entries: int = 0
    unpriced: int = 0

    @property
    def net(self) -> Decimal:
        with localcontext(WIDE):
            return self.realised - self.fees + self.funding

    def add(self, line: Line, price: Decimal | None) -> None:
        self.realised += line.realised
        self.fees += line.fee
        self.funding += line.funding
        self.other += line.other
        self.entries += line.entries
        if price is None:
            self.unpriced += line.entries
        else:
            self.usd += (line.realised - line.fee + line.funding) * price

    def include(self, more: Sums) -> None:
        for name in ("realised", "fees", "funding", "other", "usd", "entries", "unpriced"):
            setattr(self, name, getattr(self, name) + getattr(more, name))


@dataclass(frozen=True, slots=True)
class Row:
    group: str
    currency: str
    sums: Sums


@dataclass(slots=True)
class Report:
    """`rows` in the order of their groups, `totals` a row a currency, `usd` the net of everything that has a price."""

    by: str
    rows: list[Row] = field(default_factory=list)
    totals: list[Row] = field(default_factory=list)

    @property
    def usd(self) -> Decimal:
        with localcontext(WIDE):
            return sum((row.sums.usd for row in self.totals), ZERO)

    @property
    def unpriced(self) -> int:
        return sum(row.sums.unpriced for row in self.totals)


def report(lines: Iterable[Line], by: str, price: Price) -> Report:
    """Every entry counts in exactly one row and in one total."""
    groups: dict[tuple[str, str], Sums] = {}
    totals: dict[str, Sums] = {}
    group_of, one = attrgetter(by), Decimal(1)
    with localcontext(WIDE):
        for line in lines:
            sums = groups.setdefault((group_of(line), line.currency), Sums())
            sums.add(line, one if line.currency == "USD" else price(line.currency, line.at))
        for (_, currency), sums in groups.items():
            totals.setdefault(currency, Sums()).include(sums)
    rows = [Row(group, currency, sums) for (group, currency), sums in sorted(groups.items(), reverse=by == "day")]
    return Report(by, rows, [Row(TOTAL, currency, sums) for currency, sums in sorted(totals.items())])


def hourly(prices: Mapping[tuple[str, datetime], Decimal]) -> Price:
    """Prices by the beginning of their hour."""
    return lambda currency, at: prices.get((currency, at.replace(minute=0, second=0, microsecond=0)))
