"""How much money a desk, a person and a currency may move in a day and a week, and how much of that is gone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from accounts.policy_rules import Policy
from krakenfutures.numbers import plain

ZERO = Decimal(0)
DAY, WEEK = timedelta(days=1), timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Moved:
    """Money that left, or is about to (`at` None: reserved by a request that is under way)."""

    at: datetime | None
    person: str
    currency: str
    amount: Decimal
    usd: Decimal


@dataclass(frozen=True, slots=True)
class Velocity:
    """One limit and how much of it is gone. `unit` is USD or the currency."""

    name: str
    limit: Decimal
    used: Decimal
    reserved: Decimal
    asked: Decimal
    unit: str

    @property
    def total(self) -> Decimal:
        return self.used + self.reserved + self.asked

    @property
    def is_exceeded(self) -> bool:
        return self.total > self.limit

    @property
    def sentence(self) -> str:
        return (
            f"{self.name}: {plain(self.used + self.reserved)} {self.unit} used or reserved of {plain(self.limit)}, "
            f"{plain(self.asked)} more would exceed it."
        )


def velocities(policy: Policy, moved: Iterable[Moved], asked: Moved, now: datetime) -> list[Velocity]:
    """Every limit that the request touches, with what was used in the window before `now` and what is reserved."""
    history = list(moved)
    found = []
    for name, window, limit, own, of_currency in _limits(policy, asked.currency):
        rows = [
            one
            for one in history
            if (one.at is None or one.at > now - window)
            and (not own or one.person == asked.person)
            and (not of_currency or one.currency == asked.currency)
        ]
        found.append(
            Velocity(
                name=name,
                limit=limit,
                used=_sum((one for one in rows if one.at is not None), of_currency),
                reserved=_sum((one for one in rows if one.at is None), of_currency),
                asked=asked.amount if of_currency else asked.usd,
                unit=asked.currency if of_currency else "USD",
            )
        )
    return found


def _limits(policy: Policy, currency: str) -> Iterator[tuple[str, timedelta, Decimal, bool, bool]]:
    rows: tuple[tuple[str, timedelta, Decimal | None, bool, bool], ...] = (
        ("Desk, 24 hours", DAY, policy.desk_day, False, False),
        ("Desk, 7 days", WEEK, policy.desk_week, False, False),
        ("Requester, 24 hours", DAY, policy.member_day, True, False),
        ("Requester, 7 days", WEEK, policy.member_week, True, False),
        (f"{currency}, 24 hours", DAY, policy.currency_day.get(currency), False, True),
        (f"{currency}, 7 days", WEEK, policy.currency_week.get(currency), False, True),
    )
    for name, window, limit, own, of_currency in rows:
        if limit is not None:
            yield name, window, limit, own, of_currency


def _sum(rows: Iterable[Moved], of_currency: bool) -> Decimal:
    return sum((one.amount if of_currency else one.usd for one in rows), ZERO)
