"""What is let go of with age: detail that no figure is made of.

The account log, fills, positions, the ledger and the book of who did what are never touched: reports are sums over
them. What became of each order and trigger (placed, updated, cancelled …) is detail; so are five-minute points of an
equity curve of last year. What we could not read is kept, too, until somebody has looked at it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.utils import timezone

from trading.actions.histories import EVENT_STREAMS
from trading.models import EquityPoint, HistoryEvent, Sync

BATCH = 2000  # rows of one transaction


class Retained(NamedTuple):
    """How many rows were let go of; or would be."""

    order_events: int
    equity_points: int


def retain(*, dry: bool = False) -> Retained:
    """By the two settings, in days; 0 keeps everything."""
    return Retained(
        forget_order_events(settings.KEEP_ORDER_EVENTS_DAYS, dry=dry),
        thin_equity(settings.KEEP_FINE_EQUITY_DAYS, dry=dry),
    )


def forget_order_events(days: int, *, dry: bool = False) -> int:
    """Only where a stream was read to its beginning: else the reading backwards would bring them again."""
    before = _before(days)
    if before is None:
        return 0
    gone = 0
    for account, stream in Sync.objects.filter(share__gte=1).values_list("account", "stream"):
        stored = EVENT_STREAMS.get(stream)
        old = HistoryEvent.objects.filter(account=account, stream=stored, at__lt=before, flagged=False).order_by()
        gone += old.count() if dry else _delete(HistoryEvent, list(old.values_list("pk", flat=True)))
    return gone


def thin_equity(days: int, *, dry: bool = False) -> int:
    """Beyond that age one point an hour is left, the last of it."""
    before = _before(days)
    if before is None:
        return 0
    too_many: list[int] = []
    last: tuple[int, datetime] | None = None
    rows = EquityPoint.objects.filter(at__lt=before).order_by("account", "-at").values_list("pk", "account", "at")
    for pk, account, at in rows.iterator():
        hour = (account, at.replace(minute=0, second=0, microsecond=0))
        if hour == last:
            too_many.append(pk)
        last = hour
    return len(too_many) if dry else _delete(EquityPoint, too_many)


def _before(days: int) -> datetime | None:
    return timezone.now() - timedelta(days=days) if days > 0 else None


def _delete(model: type[EquityPoint | HistoryEvent], keys: list[int]) -> int:
    """In many small transactions: whoever writes meanwhile waits for one of them at most."""
    return sum(model.objects.filter(pk__in=keys[at : at + BATCH]).delete()[0] for at in range(0, len(keys), BATCH))
