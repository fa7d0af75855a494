"""Who may decide under a policy, and whether there are enough of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from accounts.policy_rules import BREAKING, GLASS_NEEDS, Policy
from krakenfutures.numbers import plain


@dataclass(frozen=True, slots=True)
class Member:
    """One person of the desk; `person` is the same for two sign-ins of one person."""

    person: str
    role: str
    may_request: bool


def reviewers(policy: Policy, members: Iterable[Member], *, requester: str) -> set[str]:
    """The people whose vote counts on a request of `requester`, who is never among them."""
    return {one.person for one in members if one.role in policy.review_roles} - {requester}


def others_in_words(count: int) -> str:
    return f"{count} other {'person' if count == 1 else 'people'} may review"


def can_break_glass(members: Sequence[Member], policy: Policy, *, requester: str) -> bool:
    """Two admins to break it, and somebody else to review it afterwards; none of them the requester."""
    admins = {one.person for one in members if one.role in BREAKING} - {requester}
    return len(admins) >= GLASS_NEEDS and len(admins | reviewers(policy, members, requester=requester)) > GLASS_NEEDS


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
                f"{others_in_words(available)}."
            )
        if policy.break_glass and not can_break_glass(members, policy, requester=one.person):
            troubles.append(
                f"{one.person} could never be helped by break-glass: that takes two other admins, and a third person "
                "who reviews it afterwards."
            )
    return troubles


def nobody_can_satisfy(policy: Policy, members: Sequence[Member]) -> bool:
    """True when some tier, or the break-glass it offers, is out of reach for everybody who may ask."""
    asking = [one for one in members if one.may_request]
    best = max((len(reviewers(policy, members, requester=one.person)) for one in asking), default=0)
    broken = policy.break_glass and not any(can_break_glass(members, policy, requester=one.person) for one in asking)
    return broken or max(tier.approvals for tier in policy.tiers) > best
