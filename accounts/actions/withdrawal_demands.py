"""What the policies ask of one request as things stand now, which votes count, and what else is under way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from accounts.actions.policy import members_of, policy_in_force, versions_since
from accounts.actions.withdrawal_moves import is_genuine
from accounts.models import Account, Approval, Desk, Membership, Withdrawal
from accounts.policy_people import Member, reviewers
from accounts.policy_rules import Demand, Policy, demand, is_open, strictest, words
from accounts.velocity_rules import DAY, WEEK, Moved, Velocity, velocities
from accounts.withdrawal_rules import WAITING, S, person_of
from krakenfutures.values import Wallets

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Asked:
    """The policies that apply to a request (its own first, then later ones) and what they ask together."""

    policies: tuple[Policy, ...]
    numbers: tuple[int, ...]
    demand: Demand
    usd: Decimal | None


def usd_of(currency: str, amount: Decimal, prices: Mapping[str, Decimal]) -> Decimal | None:
    """To the cent, halves to even. None when nobody prices the currency."""
    price = prices.get(currency)
    return None if price is None else (price * amount).quantize(Decimal("0.01"))


def asked_of(desk: Desk, policy_number: int, usd: Decimal | None, *, first_time: bool) -> Asked:
    """Raises `PolicyBroken` when the policies are not as they were agreed."""
    rows = versions_since(desk, policy_number)
    policies = tuple(row.policy for row in rows)
    whole = strictest(demand(policy, usd, first_time=first_time) for policy in policies)
    return Asked(policies, tuple(row.number or 0 for row in rows), whole, usd)


def asked_now(desk: Desk, usd: Decimal | None, *, first_time: bool) -> Asked:
    """Of a request that is made now."""
    return asked_of(desk, policy_in_force(desk).number or 0, usd, first_time=first_time)


def counting(withdrawal: Withdrawal, wanted: Demand) -> list[Approval]:
    """The votes that count now: to this very payload, genuine, of another person who still may review."""
    members = Membership.objects.in_force().filter(desk=withdrawal.desk_id).select_related("user")
    roles = {row.user_id: row.role for row in members}
    people = {row.user_id: person_of(row.user.email) for row in members}
    found: dict[str, Approval] = {}
    for vote in withdrawal.approvals.filter(round=withdrawal.round, digest=withdrawal.digest):
        person = people.get(vote.reviewer_id, "")
        others = {person, vote.reviewer_person}.isdisjoint({withdrawal.requester_person, ""})
        may = roles.get(vote.reviewer_id) in wanted.review_roles
        if others and may and vote.reviewer_id != withdrawal.requester_id and is_genuine(vote):
            found.setdefault(person, vote)
    return list(found.values())


def able_reviewers(withdrawal: Withdrawal, asked: Asked, members: list[Member] | None = None) -> set[str]:
    """The people whose votes would count."""
    everybody = members if members is not None else members_of(withdrawal.desk)
    return set.intersection(
        *(reviewers(policy, everybody, requester=withdrawal.requester_person) for policy in asked.policies)
    )


def is_first_time(account: Account, landing: str, wallet: str, target: str) -> bool:
    """True until money has arrived there once."""
    arrived = Withdrawal.objects.filter(
        account=account, landing=landing, target_wallet=wallet, target_account=target, status=S.CONFIRMED
    )
    settled = Withdrawal.objects.filter(
        account=account, landing=landing, target_wallet=wallet, target_account=target, resolution="sent"
    )
    return not (arrived.exists() or settled.exists())


def moved_and_reserved(desk: Desk, now: datetime, *, but: Withdrawal | None = None) -> list[Moved]:
    """What left the desk in the last seven days (or may have), and what requests under way hold back."""
    rows = Withdrawal.objects.filter(desk=desk).exclude(status__in=[S.DRAFT, S.REJECTED, S.CANCELLED, S.EXPIRED])
    return [
        Moved(None if row.status in WAITING else row.executing_at, row.requester_person, row.currency, row.amount,
              row.usd or ZERO)
        for row in rows
        if row.pk != (but.pk if but else None) and _counts(row, now)
    ]  # fmt: skip


def _counts(row: Withdrawal, now: datetime) -> bool:
    """An attempt counts unless it is certain that nothing moved: an unknown outcome counts as money gone."""
    if row.status in WAITING:
        return True
    if row.executing_at is None or row.executing_at <= now - max(DAY, WEEK):
        return False
    return row.status in {S.EXECUTING, S.CONFIRMED, S.UNCERTAIN} or row.resolution == "sent"


def reserved_in(account: Account, source: str, currency: str, *, but: Withdrawal | None = None) -> Decimal:
    """What other requests hold back in this wallet."""
    rows = Withdrawal.objects.filter(
        account=account, source=source, currency=currency, status__in=[*WAITING, S.EXECUTING]
    )
    return sum((row.amount for row in rows if but is None or row.pk != but.pk), ZERO)


def velocity_of(withdrawal: Withdrawal, asked: Asked, now: datetime, *, with_reserved: bool) -> list[Velocity]:
    """Every limit of every policy that applies, the strictest of each kind."""
    usd = asked.usd if asked.usd is not None else ZERO
    wish = Moved(None, withdrawal.requester_person, withdrawal.currency, withdrawal.amount, usd)
    history = moved_and_reserved(withdrawal.desk, now, but=withdrawal)
    if not with_reserved:
        history = [one for one in history if one.at is not None]
    found: dict[str, Velocity] = {}
    for policy in asked.policies:
        for one in velocities(policy, history, wish, now):
            known = found.get(one.name)
            if known is None or one.limit < known.limit:
                found[one.name] = one
    return list(found.values())


def closed_because(asked: Asked, now: datetime, *, any_hour: bool = False) -> str:
    """Why nothing may be executed at this hour, or ""."""
    if any(policy.paused for policy in asked.policies[-1:]):
        return "Withdrawals of this desk are paused."
    for policy in asked.policies:
        if policy.hours and not any_hour and not is_open(policy, now):
            return f"Withdrawals run from {policy.hours[0]:02d}:00 to {policy.hours[1]:02d}:00 UTC."
    return ""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the venue said a moment ago."""

    wallets: Wallets
    prices: Mapping[str, Decimal]


def demand_in_words(wanted: Demand) -> str:
    votes = f"{wanted.approvals} {'approval' if wanted.approvals == 1 else 'approvals'} by others"
    wait = f", then a cool-off of {words(wanted.cool_off)}" if wanted.cool_off else ""
    glass = "; two admins may break the glass" if wanted.break_glass else ""
    return f"{votes}{wait}; expires {words(wanted.expires_after)} after the request{glass}"
