"""What a desk asks before money leaves it: plain functions over plain values. Amounts are USD at the index.

A tier applies to amounts strictly greater than its threshold; the highest tier that applies replaces the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

ZERO = Decimal(0)
REVIEWING = frozenset({"reviewer", "admin", "owner"})
BREAKING = frozenset({"admin", "owner"})
GLASS_NEEDS = 2  # admins who break the glass together


class BadPolicy(Exception):
    """A policy that cannot be meant. `reason` is a sentence, `field` the part of the form it speaks of."""

    def __init__(self, reason: str, field: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.field = field


@dataclass(frozen=True, slots=True)
class Tier:
    above: Decimal  # USD, not included
    approvals: int
    cool_off: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Policy:
    """One version of a desk's rules. `None` limits mean no limit; `hours` are UTC, from and until (not included)."""

    tiers: tuple[Tier, ...]
    first_time_cool_off: timedelta = timedelta(0)
    review_roles: frozenset[str] = REVIEWING
    desk_day: Decimal | None = None
    desk_week: Decimal | None = None
    member_day: Decimal | None = None
    member_week: Decimal | None = None
    currency_day: Mapping[str, Decimal] = field(default_factory=dict)  # in units of the currency
    currency_week: Mapping[str, Decimal] = field(default_factory=dict)
    expires_after: timedelta = timedelta(days=3)
    hours: tuple[int, int] | None = None
    paused: bool = False
    policy_approvals: int = 1
    break_glass: bool = False  # two admins may send it now; others review that afterwards


DEFAULT = Policy(
    tiers=(
        Tier(ZERO, 1),
        Tier(Decimal(10_000), 2, timedelta(hours=1)),
        Tier(Decimal(100_000), 2, timedelta(hours=24)),
    ),
    first_time_cool_off=timedelta(hours=1),
    desk_day=Decimal(250_000),
    desk_week=Decimal(1_000_000),
)


@dataclass(frozen=True, slots=True)
class Demand:
    """What is asked of one request."""

    approvals: int
    cool_off: timedelta
    review_roles: frozenset[str]
    expires_after: timedelta
    break_glass: bool = False


def tier_for(policy: Policy, usd: Decimal | None) -> Tier:
    """The highest tier the amount exceeds. An amount nobody can value is asked for the most."""
    if usd is None:
        return policy.tiers[-1]
    return next((tier for tier in reversed(policy.tiers) if usd > tier.above), policy.tiers[0])


def demand(policy: Policy, usd: Decimal | None, *, first_time: bool) -> Demand:
    tier = tier_for(policy, usd)
    wait = max(tier.cool_off, policy.first_time_cool_off) if first_time else tier.cool_off
    return Demand(tier.approvals, wait, policy.review_roles, policy.expires_after, policy.break_glass)


def strictest(demands: Iterable[Demand]) -> Demand:
    """Part by part the hardest: a request keeps its policy's demands, and takes on what later ones ask beyond them."""
    found = list(demands)
    return Demand(
        approvals=max(one.approvals for one in found),
        cool_off=max(one.cool_off for one in found),
        review_roles=frozenset.intersection(*(one.review_roles for one in found)),
        expires_after=min(one.expires_after for one in found),
        break_glass=all(one.break_glass for one in found),
    )


def is_open(policy: Policy, now: datetime) -> bool:
    """`now` is aware UTC."""
    return policy.hours is None or is_open_at(policy.hours, now.hour)


def is_open_at(hours: tuple[int, int], hour: int) -> bool:
    start, end = hours
    return start <= hour < end if start < end else hour >= start or hour < end


def words(span: timedelta) -> str:
    """`90 minutes`, `24 hours`, `3 days`, `none`."""
    seconds = int(span.total_seconds())
    for size, name in ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second")):
        if seconds >= size and seconds % size == 0 and (size != 86400 or seconds > 86400):
            count = seconds // size
            return f"{count} {name}{'' if count == 1 else 's'}"
    return "none"
