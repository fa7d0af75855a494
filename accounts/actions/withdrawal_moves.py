"""The one way a withdrawal changes: expected state and revision, sealed, audited, announced after the commit."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

from django.db import models, transaction

from accounts import vault
from accounts.actions.audit import record
from accounts.hooks import withdrawal_changed
from accounts.models import AuditRow, User, Withdrawal
from accounts.models.withdrawal import Vote
from accounts.policy_document import canonical
from accounts.rules import NotAllowed
from accounts.withdrawal_rules import NEXT, S
from krakenfutures.numbers import plain

APART = {"sealed", "seal"}  # every other column is sealed
EXECUTING = "withdrawal.executing"


class Tampered(NotAllowed):
    """Columns of a row are not as the desk wrote them, so nothing may rest on it."""

    def __init__(self, columns: list[str]) -> None:
        super().__init__(
            f"This request was changed by another hand than the desk's: {', '.join(columns)}. Nothing is sent.",
            code="tampered",
        )
        self.columns = columns


def take(withdrawal_id: UUID, *, anyway: bool = False) -> Withdrawal:
    """The row, locked until the transaction ends. Raises `Withdrawal.DoesNotExist`, and `Tampered` unless `anyway`."""
    rows = Withdrawal.objects.select_for_update(of=("self",)).select_related("account", "desk", "requester")
    withdrawal = rows.get(pk=withdrawal_id)
    if not anyway and (columns := tampered(withdrawal)):
        raise Tampered(columns)
    return withdrawal


def create(withdrawal: Withdrawal, *, by: User, action: str, **details: Any) -> None:
    """Store a new row, sealed. Inside the caller's transaction."""
    _seal(withdrawal)
    withdrawal.save(force_insert=True)
    _tell(withdrawal, by, action, details)


def move(
    withdrawal: Withdrawal,
    to: S | None,
    *,
    by: User | None,
    action: str,
    details: dict[str, Any] | None = None,
    quiet: bool = False,
    **changes: Any,
) -> None:
    """Change the row, if it is still as we know it. `to=None` keeps the state. Inside the caller's transaction.

    `quiet` keeps what is no news (when to look again) out of the book.

    Raises `NotAllowed` with code "moved" when the table of states forbids it or somebody else was faster.
    """
    before, revision = withdrawal.state, withdrawal.revision
    if to is not None and to not in NEXT[before]:
        raise NotAllowed(f"It is {withdrawal.get_status_display().lower()} by now; look again.", code="moved")
    values = {**changes, "status": (to or before).value, "revision": revision + 1}
    for name, value in values.items():
        setattr(withdrawal, name, value)
    _seal(withdrawal)
    written = Withdrawal.objects.filter(pk=withdrawal.pk, status=before.value, revision=revision).update(
        **values, sealed=withdrawal.sealed, seal=withdrawal.seal
    )
    if not written:
        raise NotAllowed("Somebody else changed it in the same moment; look again.", code="moved")
    if not (quiet and to is None):
        _tell(withdrawal, by, action, {"from": before.value, **(details or {})})


def _tell(withdrawal: Withdrawal, by: User | None, action: str, details: dict[str, Any]) -> None:
    facts = {"status": withdrawal.status, "code": withdrawal.code, "revision": withdrawal.revision}
    record(by, f"withdrawal.{action}", withdrawal, desk=withdrawal.desk, **facts, **details)
    transaction.on_commit(partial(withdrawal_changed, withdrawal.pk))


# --- the seal ------------------------------------------------------------------------------------------------------


def tampered(withdrawal: Withdrawal) -> list[str]:
    """The columns that another hand changed since the desk last wrote the row; empty when it is as it was.

    A row put back to an earlier, once valid state is found by its attempts, which the audit trail counts too.
    """
    sealed = withdrawal.sealed if isinstance(withdrawal.sealed, dict) else {}
    now = _snapshot(withdrawal)
    changed = sorted(name for name in {*now, *sealed} if now.get(name) != sealed.get(name))
    if not _same(withdrawal.seal, vault.mark("withdrawal", canonical(sealed))):
        changed += ["seal", "sealed"]  # one of the two; the mark cannot say which
    if withdrawal.claims != attempts_in_the_book(withdrawal) and "claims" not in changed:
        changed.append("claims")
    return changed


def attempts_in_the_book(withdrawal: Withdrawal) -> int:
    return AuditRow.objects.filter(about=f"withdrawal:{withdrawal.pk}", action=EXECUTING).count()


def seal_vote(vote: Vote) -> str:
    """Binds who said it, to what, when, and how they had proven who they are."""
    bound = {name: value for name, value in _snapshot(vote).items() if name != "id"}
    return vault.mark(vote._meta.model_name or "", canonical(bound))


def is_genuine(vote: Vote) -> bool:
    return _same(vote.seal, seal_vote(vote))


def _seal(withdrawal: Withdrawal) -> None:
    withdrawal.sealed = _snapshot(withdrawal)
    withdrawal.seal = vault.mark("withdrawal", canonical(withdrawal.sealed))


def _snapshot(row: models.Model) -> dict[str, Any]:
    """Every column in a form that a trip through the database does not change."""
    return {
        field.attname: _plain(getattr(row, field.attname))
        for field in row._meta.concrete_fields
        if field.name not in APART
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, str):
        return str(value)  # a choice's own class would compare, and be written, as the plain word
    return value


def _same(one: str, other: str) -> bool:
    return bool(one) and len(one) == len(other) and one == other
