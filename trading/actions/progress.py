"""How far each stream of an account is known, and how its last reading went."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db.models import Q
from django.utils import timezone

from accounts.vault import VaultError
from krakenfutures.errors import KrakenError
from trading.models import Sync


def advance(account_id: int, stream: str, at: datetime) -> bool:
    """Move the stream's mark forward to `at`. False when it stands there or further: what we hold is newer.

    Call it first in the transaction that stores the state: it locks out whoever else stores that stream.
    """
    behind = Sync.objects.filter(account_id=account_id, stream=stream).filter(
        Q(complete_to__isnull=True) | Q(complete_to__lt=at)
    )
    if behind.update(complete_to=at, ok_at=at, trouble=""):
        return True
    _, made = Sync.objects.get_or_create(
        account_id=account_id, stream=stream, defaults={"complete_to": at, "ok_at": at, "tried_at": at}
    )
    return made


@contextmanager
def reading(account_id: int, stream: str) -> Iterator[datetime]:
    """Gives the moment the reading began, and notes how it went. What went wrong is raised again."""
    began = timezone.now()
    try:
        yield began
    except (KrakenError, VaultError) as problem:
        _note(account_id, stream, tried_at=began, trouble=str(problem)[:300])
        raise
    _note(account_id, stream, tried_at=began, ok_at=began, trouble="")


def _note(account_id: int, stream: str, **how: object) -> None:
    if not Sync.objects.filter(account_id=account_id, stream=stream).update(**how):
        Sync.objects.update_or_create(account_id=account_id, stream=stream, defaults=how)
