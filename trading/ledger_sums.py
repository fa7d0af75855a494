"""The ledger's arithmetic: what a row of the account log did to a balance, and what its figures leave unexplained."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from krakenfutures.numbers import plain

ZERO = Decimal(0)
QUARTER = timedelta(minutes=15)


def quarter_of(moment: datetime) -> datetime:
    """The beginning of the quarter of an hour it lies in."""
    return moment.replace(minute=moment.minute // 15 * 15, second=0, microsecond=0)


class Money(NamedTuple):
    """A money row of the account log. None: the row does not name the figure."""

    number: int
    old: Decimal
    new: Decimal
    realised_pnl: Decimal | None
    fee: Decimal | None
    funding: Decimal | None


class Parts(NamedTuple):
    """amount = realised_pnl − fee + funding + other; residual = the venue's balance − ours."""

    amount: Decimal
    realised_pnl: Decimal
    fee: Decimal
    funding: Decimal
    other: Decimal
    balance: Decimal
    residual: Decimal


@dataclass
class Running:
    """One currency of one wallet, entry by entry in the order of their numbers."""

    opening: Decimal
    balance: Decimal
    venue_balance: Decimal
    first_number: int
    last_number: int
    last_at: datetime | str  # as the database gave it
    entries: int = 0
    first_difference: int | None = None
    why: str = ""

    @classmethod
    def before(cls, row: Money, at: datetime | str) -> Running:
        """It begins with what the venue says was there before the first row."""
        return cls(row.old, row.old, row.old, row.number, row.number, at)

    @property
    def residual(self) -> Decimal:
        return self.venue_balance - self.balance

    def take(self, row: Money, at: datetime | str) -> Parts:
        """A row that names profit, fee or funding moves by them alone, any other by what its balances say."""
        pnl, fee, funding = row.realised_pnl, row.fee, row.funding
        other = row.new - row.old if pnl is None and fee is None and funding is None else ZERO
        pnl, fee, funding = pnl or ZERO, fee or ZERO, funding or ZERO
        amount = pnl - fee + funding + other
        balance = self.balance + amount
        residual = row.new - balance
        if self.first_difference is None and residual != self.residual:
            self.first_difference, self.why = row.number, self._why(row, amount)
        self.balance, self.venue_balance, self.last_number = balance, row.new, row.number
        self.last_at = at
        self.entries += 1
        return Parts(amount, pnl, fee, funding, other, balance, residual)

    def _why(self, row: Money, amount: Decimal) -> str:
        if row.old != self.venue_balance:
            return (
                f"Something is missing before #{row.number}: after #{self.last_number} the venue's balance was "
                f"{plain(self.venue_balance)}, and #{row.number} begins with {plain(row.old)}."
            )
        change = plain(row.new - row.old)
        return f"The figures of #{row.number} make {plain(amount)}, but its balances changed by {change}."
