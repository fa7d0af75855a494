"""Halting a desk: from the commit on, no process sends anything that adds risk. `admitting` is the gate."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.actions.audit import record
from accounts.models import Account, Desk, User
from accounts.rights import Right, require
from accounts.rules import NotAllowed
from trading.models import Halt
from trading.publish import announce


def current_halt(desk: Desk) -> Halt | None:
    return Halt.objects.standing().filter(desk=desk).select_related("by").first()


def halt(desk: Desk, *, by: User, reason: str = "") -> Halt:
    """Whoever may trade may halt. One that stands already stays as it is, with its first author."""
    require(by, desk, Right.TRADE)
    try:
        with transaction.atomic():
            made = Halt.objects.create(desk=desk, by=by, reason=reason.strip()[:200])
            record(by, "desk.halted", made, desk=desk, reason=made.reason)
            _announce(desk, made)
    except IntegrityError:
        standing = current_halt(desk)
        if standing is None:
            raise
        return standing
    return made


def lift(desk: Desk, *, by: User) -> None:
    """Admins and owners only; the page asks them for a typed word. Raises `NotAllowed` where nothing is halted."""
    require(by, desk, Right.LIFT_HALT)
    with transaction.atomic():
        standing = Halt.objects.standing().filter(desk=desk)
        halted = standing.first()
        if halted is None or not standing.filter(pk=halted.pk).update(lifted_by=by, lifted_at=timezone.now()):
            raise NotAllowed("The desk is not halted.", code="not_halted")
        record(by, "desk.halt_lifted", halted, desk=desk)
        _announce(desk, None)


def _announce(desk: Desk, standing: Halt | None) -> None:
    data = {
        "halted": standing is not None,
        "by": str(standing.by) if standing else "",
        "reason": standing.reason if standing else "",
        "at": standing.at if standing else None,
    }
    for account in Account.objects.filter(desk=desk):
        announce(account.pk, "halt", data)


def holds_money(account_id: int) -> str:
    """For `accounts.hooks.money_halts`: the sentence that holds a withdrawal back, or nothing."""
    standing = Halt.objects.standing().filter(desk__accounts=account_id).select_related("by").first()
    return f"The desk is halted by {standing.by}." if standing else ""
