"""Who may decide under a policy, and whether there are enough of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from accounts.policy_rules import Policy
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
