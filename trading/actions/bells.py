"""Ringing for a worker. A bell that is not heard loses nothing: beat sweeps up the rows that still need work."""

from __future__ import annotations

import logging
from functools import partial

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

log = logging.getLogger(__name__)


def ring(task: str, *ids: object) -> None:
    """Have a worker run `task` once the transaction at hand is committed. Never fails because of the broker."""
    transaction.on_commit(partial(_send, task, ids))


def _send(task: str, ids: tuple[object, ...]) -> None:
    try:
        current_app.send_task(task, args=[str(one) for one in ids], retry=False, ignore_result=True)
    except (OperationalError, OSError) as problem:
        log.warning("could not ring for %s: %s", task, problem)
