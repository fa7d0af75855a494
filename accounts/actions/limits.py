"""Taking up a member's limits: judged and written down in the transaction that stores the order."""

from __future__ import annotations

from decimal import ROUND_UP, Decimal

from django.db.models import Sum
from django.utils import timezone

from accounts.limits import WINDOW, Limits, limit_violations
from accounts.models import Desk, LimitUse, Membership, User
from accounts.prepared import Prepared, insert
from accounts.rights import NoRight

CENT = Decimal("0.01")
LOCKED = Prepared(lambda user, desk: Membership.objects.select_for_update().filter(user=user, desk=desk), int, int)


def used_by(user: User, desk: Desk) -> Decimal:
    """USD this member sent on the desk in the last 24 hours."""
    rows = LimitUse.objects.filter(desk=desk, user=user, at__gt=timezone.now() - WINDOW)
    return rows.aggregate(total=Sum("notional"))["total"] or Decimal(0)


def take_up(user: User, desk: Desk, *, intent: str, symbol: str, notional: Decimal | None, reduce_only: bool) -> None:
    """Judge an order and count it, in the transaction that stores it. Raises the first `NotAllowed`.

    The membership's row is locked, so that two orders at the same moment cannot both take the last of a limit.
    """
    membership = LOCKED.first(user.pk, desk.pk)
    if membership is None or membership.suspended_at is not None:
        raise NoRight("You are no member of this desk any more.")
    limits = Limits.of(membership)
    used = used_by(user, desk) if limits.daily_notional is not None else Decimal(0)
    for refusal in limit_violations(limits, symbol=symbol, notional=notional, reduce_only=reduce_only, used=used):
        raise refusal
    if notional and not reduce_only:
        amount = notional.quantize(CENT, ROUND_UP)  # never count too little
        insert(LimitUse(desk=desk, user=user, intent=intent[:80], notional=amount))


def give_back(intent: str) -> None:
    """What was proven to have had no effect at the venue counts for nothing."""
    LimitUse.objects.filter(intent=intent[:80]).delete()
