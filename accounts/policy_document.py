"""A policy in and out of storage: plain JSON, refused when nobody could mean it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from accounts.policy_rules import REVIEWING, BadPolicy, Policy, Tier
from krakenfutures.numbers import plain

MOST_APPROVALS = 10
LONGEST = timedelta(days=30)


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
        **({"break_glass": True} if policy.break_glass else {}),  # absent is off, as in versions older than it
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
            break_glass=document.get("break_glass") is True,
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
