"""The clock's side: everything whose time has come moves on. Times are in the rows; a missed beat loses nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.actions.withdrawal_evidence import look
from accounts.actions.withdrawal_execution import condemn, execute, expire
from accounts.actions.withdrawal_moves import Tampered, move, take
from accounts.actions.withdrawal_notices import notify_desk, notify_reviewers
from accounts.actions.withdrawal_reviews import asked_for
from accounts.models import Withdrawal
from accounts.rights import ALLOWED, Right
from accounts.rules import NotAllowed
from accounts.withdrawal_rules import WAITING, WARNED_BEFORE, S, warn_at

log = structlog.get_logger(__name__)

AT_MOST = 20  # of each kind in one sweep


def sweep_withdrawals() -> None:
    """Expire, warn, end cool-offs, give up leases, execute what is ready, look for what is uncertain."""
    now = timezone.now()
    due = Q(look_at=None) | Q(look_at__lte=now)
    _each("expire", _ids(status__in=WAITING, expires_at__lte=now), _expire)
    _each("escalate", _to_escalate(), _escalate)
    _each("end of cool-off", _ids(status=S.COOLING, ready_at__lte=now), _ready)
    _each("lost lease", _ids(status=S.EXECUTING, lease_until__lte=now), _give_up)
    _each("execute", _ids(due, status=S.READY), execute)
    _each("look", _ids(status=S.UNCERTAIN, look_at__lte=now), look)  # first: the log may be read so often only
    _each("reconcile", _ids(status=S.CONFIRMED, look_at__lte=now), look)


def _each(what: str, ids: Sequence[UUID], act: Callable[[UUID], object]) -> None:
    """One at a time; the trouble of one is logged and never holds up the others."""
    for withdrawal_id in ids[:AT_MOST]:
        try:
            act(withdrawal_id)
        except Tampered as broken:
            condemn(withdrawal_id, broken)
        except NotAllowed as refusal:  # somebody was faster, or the policy is broken: the row says so by itself
            log.info("a withdrawal was left as it is", what=what, withdrawal=str(withdrawal_id), why=refusal.reason)
        except Exception:
            log.exception("the sweep failed on a withdrawal", what=what, withdrawal=str(withdrawal_id))


def _ids(*which: Q, **columns: Any) -> list[UUID]:
    """Oldest first, so that many new ones never keep an old one waiting."""
    return list(
        Withdrawal.objects.filter(*which, **columns).order_by("created_at").values_list("pk", flat=True)[:AT_MOST]
    )


def _expire(withdrawal_id: UUID) -> None:
    with transaction.atomic():
        withdrawal = take(withdrawal_id)
        if withdrawal.is_waiting and withdrawal.expires_at and withdrawal.expires_at <= timezone.now():
            expire(withdrawal)


def _to_escalate() -> list[UUID]:
    now = timezone.now()
    rows = Withdrawal.objects.filter(
        status=S.PENDING, escalated_at=None, expires_at__gt=now, expires_at__lte=now + WARNED_BEFORE
    )
    times = rows.order_by("expires_at").values_list("pk", "requested_at", "expires_at")
    return [pk for pk, asked, end in times if asked and end and warn_at(asked, end) <= now]


def _escalate(withdrawal_id: UUID) -> None:
    with transaction.atomic():
        withdrawal = take(withdrawal_id)
        if withdrawal.state is S.PENDING and withdrawal.escalated_at is None:
            move(withdrawal, None, by=None, action="escalated", escalated_at=timezone.now())
            notify_reviewers(withdrawal, asked_for(withdrawal), "escalated")


def _ready(withdrawal_id: UUID) -> None:
    with transaction.atomic():
        withdrawal = take(withdrawal_id)
        if withdrawal.state is S.COOLING and withdrawal.ready_at and withdrawal.ready_at <= timezone.now():
            move(withdrawal, S.READY, by=None, action="ready", look_at=None)


def _give_up(withdrawal_id: UUID) -> None:
    """Whoever held the lease died or hangs, before the call or after it: nobody knows, and nobody tries again."""
    with transaction.atomic():
        withdrawal = take(withdrawal_id)
        if withdrawal.state is not S.EXECUTING or not withdrawal.lease_until:
            return
        if withdrawal.lease_until > timezone.now():
            return
        why = "The worker that was sending it vanished before it wrote down an answer."
        move(withdrawal, S.UNCERTAIN, by=None, action="uncertain", remark=why, look_at=timezone.now(),
             details={"why": why, "claim": withdrawal.claims})  # fmt: skip
        notify_desk(withdrawal, "uncertain", ALLOWED[Right.REVIEW_WITHDRAWAL])
