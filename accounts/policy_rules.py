"""What a desk asks before money leaves it: plain functions over plain values. Amounts are USD at the index.

A tier applies to amounts strictly greater than its threshold; the highest tier that applies replaces the others.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from krakenfutures.numbers import plain

ZERO = Decimal(0)
DAY, WEEK = timedelta(days=1), timedelta(days=7)
REVIEWING = frozenset({"reviewer", "admin", "owner"})
MOST_APPROVALS = 10
LONGEST = timedelta(days=30)


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


def tier_for(policy: Policy, usd: Decimal | None) -> Tier:
    """The highest tier the amount exceeds. An amount nobody can value is asked for the most."""
    if usd is None:
        return policy.tiers[-1]
    return next((tier for tier in reversed(policy.tiers) if usd > tier.above), policy.tiers[0])


def demand(policy: Policy, usd: Decimal | None, *, first_time: bool) -> Demand:
    tier = tier_for(policy, usd)
    wait = max(tier.cool_off, policy.first_time_cool_off) if first_time else tier.cool_off
    return Demand(tier.approvals, wait, policy.review_roles, policy.expires_after)


def strictest(demands: Iterable[Demand]) -> Demand:
    """Part by part the hardest: a request keeps its policy's demands, and takes on what later ones ask beyond them."""
    found = list(demands)
    return Demand(
        approvals=max(one.approvals for one in found),
        cool_off=max(one.cool_off for one in found),
        review_roles=frozenset.intersection(*(one.review_roles for one in found)),
        expires_after=min(one.expires_after for one in found),
    )


# --- comparing two versions ----------------------------------------------------------------------------------------


def stricter_parts(new: Policy, old: Policy) -> list[str]:
    """In words, where `new` asks more than `old`; empty when it asks no more anywhere."""
    return list(_harder(new, old))


def looser_parts(new: Policy, old: Policy) -> list[str]:
    return list(_harder(old, new))


def _harder(new: Policy, old: Policy) -> Iterator[str]:
    edges = sorted({tier.above for tier in (*new.tiers, *old.tiers)})
    for edge in edges:
        mine, theirs = tier_for(new, edge + Decimal("0.01")), tier_for(old, edge + Decimal("0.01"))
        if mine.approvals > theirs.approvals:
            yield f"{mine.approvals} instead of {theirs.approvals} approvals above {plain(edge)} USD"
        if mine.cool_off > theirs.cool_off:
            yield f"cool-off of {words(mine.cool_off)} instead of {words(theirs.cool_off)} above {plain(edge)} USD"
    if new.first_time_cool_off > old.first_time_cool_off:
        yield f"cool-off of {words(new.first_time_cool_off)} for a first-time destination"
    if new.review_roles < old.review_roles:
        yield "fewer roles may review"
    for name in ("desk_day", "desk_week", "member_day", "member_week"):
        if _tighter(getattr(new, name), getattr(old, name)):
            yield f"a tighter limit: {name.replace('_', ' ')}"
    for name in ("currency_day", "currency_week"):
        mine_by, theirs_by = getattr(new, name), getattr(old, name)
        for currency in sorted({*mine_by, *theirs_by}):
            if _tighter(mine_by.get(currency), theirs_by.get(currency)):
                yield f"a tighter limit of {currency}: {name.replace('_', ' ')}"
    if new.expires_after < old.expires_after:
        yield f"requests expire after {words(new.expires_after)}"
    if new.hours is not None and not hours_cover(new.hours, old.hours):
        yield "fewer hours of the day"
    if new.paused and not old.paused:
        yield "withdrawals are paused"
    if new.policy_approvals > old.policy_approvals:
        yield f"{new.policy_approvals} approvals to change the policy"


def _tighter(new: Decimal | None, old: Decimal | None) -> bool:
    return new is not None and (old is None or new < old)


def hours_cover(wide: tuple[int, int], narrow: tuple[int, int] | None) -> bool:
    inside = range(24) if narrow is None else [hour for hour in range(24) if _open(narrow, hour)]
    return all(_open(wide, hour) for hour in inside)


# --- time and people -----------------------------------------------------------------------------------------------


def is_open(policy: Policy, now: datetime) -> bool:
    """`now` is aware UTC."""
    return policy.hours is None or _open(policy.hours, now.hour)


def _open(hours: tuple[int, int], hour: int) -> bool:
    start, end = hours
    return start <= hour < end if start < end else hour >= start or hour < end


@dataclass(frozen=True, slots=True)
class Member:
    """One person of the desk; `person` is the same for two sign-ins of one person."""

    person: str
    role: str
    may_request: bool


def reviewers(policy: Policy, members: Iterable[Member], *, requester: str) -> set[str]:
    """The people whose vote counts on a request of `requester`, who is never among them."""
    return {one.person for one in members if one.role in policy.review_roles} - {requester}


def unsatisfiable(policy: Policy, members: Sequence[Member]) -> list[str]:
    """In words, for each person who may ask: which amounts could never be approved. Empty when all is well."""
    troubles = []
    for one in sorted(members, key=lambda member: member.person):
        if not one.may_request:
            continue
        available = len(reviewers(policy, members, requester=one.person))
        tier = next((tier for tier in policy.tiers if tier.approvals > available), None)
        if tier:
            troubles.append(
                f"{one.person} could never get {tier.approvals} approvals for more than {plain(tier.above)} USD: "
                f"{available} other {'person' if available == 1 else 'people'} may review."
            )
    return troubles


def nobody_can_satisfy(policy: Policy, members: Sequence[Member]) -> bool:
    """True when some tier is out of reach for everybody who may ask."""
    asking = [one for one in members if one.may_request]
    best = max((len(reviewers(policy, members, requester=one.person)) for one in asking), default=0)
    return max(tier.approvals for tier in policy.tiers) > best


# --- how much, how often -------------------------------------------------------------------------------------------


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


# --- in and out of storage -----------------------------------------------------------------------------------------


def to_document(policy: Policy) -> dict[str, Any]:
    """Plain JSON: decimals as text, spans in seconds."""
    return {
        "tiers": [
            {"above": plain(tier.above), "approvals": tier.approvals, "cool_off": _seconds(tier.cool_off)}
            for tier in policy.tiers
        ],
        "first_time_cool_off": _seconds(policy.first_time_cool_off),
        "review_roles": sorted(policy.review_roles),
        **{name: _plain(getattr(policy, name)) for name in ("desk_day", "desk_week", "member_day", "member_week")},
        "currency_day": {name: plain(value) for name, value in sorted(policy.currency_day.items())},
        "currency_week": {name: plain(value) for name, value in sorted(policy.currency_week.items())},
        "expires_after": _seconds(policy.expires_after),
        "hours": list(policy.hours) if policy.hours else None,
        "paused": policy.paused,
        "policy_approvals": policy.policy_approvals,
    }


def from_document(document: Mapping[str, Any]) -> Policy:
    """Raises `BadPolicy`: whatever cannot be read must not become a permission."""
    try:
        policy = Policy(
            tiers=tuple(
                Tier(Decimal(one["above"]), int(one["approvals"]), timedelta(seconds=int(one["cool_off"])))
                for one in document["tiers"]
            ),
            first_time_cool_off=timedelta(seconds=int(document["first_time_cool_off"])),
            review_roles=frozenset(document["review_roles"]),
            desk_day=_decimal(document["desk_day"]),
            desk_week=_decimal(document["desk_week"]),
            member_day=_decimal(document["member_day"]),
            member_week=_decimal(document["member_week"]),
            currency_day={name: Decimal(value) for name, value in document["currency_day"].items()},
            currency_week={name: Decimal(value) for name, value in document["currency_week"].items()},
            expires_after=timedelta(seconds=int(document["expires_after"])),
            hours=_hours(document["hours"]),
            paused=document["paused"] is True,
            policy_approvals=int(document["policy_approvals"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError, InvalidOperation, OverflowError) as error:
        raise BadPolicy(f"This is not a policy: {type(error).__name__} {error}.") from None
    require_sense(policy)
    return policy


def require_sense(policy: Policy) -> None:
    """Raises `BadPolicy` for what nobody can mean."""
    edges = [tier.above for tier in policy.tiers]
    if not edges or edges[0] != 0 or edges != sorted(set(edges)):
        raise BadPolicy("The tiers begin above 0 USD and rise, each with another threshold.", "tiers")
    if any(not edge.is_finite() for edge in edges):
        raise BadPolicy("A threshold is an amount in USD.", "tiers")
    if any(not 1 <= tier.approvals <= MOST_APPROVALS for tier in policy.tiers):
        raise BadPolicy(f"Every tier asks for 1 to {MOST_APPROVALS} approvals.", "tiers")
    spans = [policy.first_time_cool_off, *(tier.cool_off for tier in policy.tiers)]
    if any(not timedelta(0) <= span <= LONGEST for span in spans):
        raise BadPolicy("A cool-off lasts from nothing to 30 days.", "tiers")
    if not timedelta(minutes=5) <= policy.expires_after <= LONGEST:
        raise BadPolicy("A request expires after five minutes to 30 days.", "expires_after")
    if not policy.review_roles or not policy.review_roles <= REVIEWING:
        raise BadPolicy("Reviewers are reviewers, admins or owners, and at least one of these.", "review_roles")
    if not 1 <= policy.policy_approvals <= MOST_APPROVALS:
        raise BadPolicy("A change of the policy needs at least one other person.", "policy_approvals")
    if policy.hours and not (all(0 <= hour <= 24 for hour in policy.hours) and policy.hours[0] != policy.hours[1]):
        raise BadPolicy("Hours run from 0 to 24 and differ.", "hours")
    limits = [policy.desk_day, policy.desk_week, policy.member_day, policy.member_week]
    limits += [*policy.currency_day.values(), *policy.currency_week.values()]
    if any(limit is not None and not (limit.is_finite() and limit >= 0) for limit in limits):
        raise BadPolicy("A limit is an amount, or empty for none.", "limits")


def digest_of(document: Mapping[str, Any]) -> str:
    return hashlib.sha256(canonical(document)).hexdigest()


def canonical(document: Any) -> bytes:
    """The same bytes for the same content, whatever the order of its keys."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def words(span: timedelta) -> str:
    """`90 minutes`, `24 hours`, `3 days`, `none`."""
    seconds = _seconds(span)
    for size, name in ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second")):
        if seconds >= size and seconds % size == 0 and (size != 86400 or seconds > 86400):
            count = seconds // size
            return f"{count} {name}{'' if count == 1 else 's'}"
    return "none"


def _seconds(span: timedelta) -> int:
    return int(span.total_seconds())


def _plain(value: Decimal | None) -> str | None:
    return None if value is None else plain(value)


def _decimal(value: Any) -> Decimal | None:
    return None if value is None else Decimal(value)


def _hours(value: Any) -> tuple[int, int] | None:
    if value is None:
        return None
    start, end = value
    return int(start), int(end)
