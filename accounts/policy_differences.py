"""Two versions of a policy beside each other: where one asks more, in words."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from accounts.policy_rules import Policy, is_open_at, tier_for, words
from krakenfutures.numbers import plain


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
    if out := sorted(old.review_roles - new.review_roles):
        yield f"no review by {' or '.join(out)}"
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
    if old.break_glass and not new.break_glass:
        yield "no break-glass"


def _tighter(new: Decimal | None, old: Decimal | None) -> bool:
    return new is not None and (old is None or new < old)


def hours_cover(wide: tuple[int, int], narrow: tuple[int, int] | None) -> bool:
    inside = range(24) if narrow is None else [hour for hour in range(24) if is_open_at(narrow, hour)]
    return all(is_open_at(wide, hour) for hour in inside)
