"""Bells that beat and the pages ring: each starts a sweep over rows that may need work."""

from __future__ import annotations

from celery import shared_task

from accounts.actions.audit_book import export_heads
from accounts.actions.delivering import deliver_due
from accounts.actions.notices import forget_old_notices
from accounts.actions.sessions import forget_old_sessions
from accounts.actions.withdrawal_sweep import sweep_withdrawals


@shared_task(name="accounts.sweep_withdrawals")
def sweep() -> None:
    sweep_withdrawals()


@shared_task(name="accounts.deliver_notices")
def deliver() -> None:
    deliver_due()


@shared_task(name="accounts.export_audit_heads")
def heads() -> None:
    """Once a day is enough; later rings of the day find the file there. Old sessions and notices go too."""
    export_heads()
    forget_old_sessions()
    forget_old_notices()
