"""Many orders in few calls: stored first, sent as the venue's batches, resolved line by line.

A batch is not atomic. Each order has its own id and its own fate, and a lost answer leaves all of its orders
uncertain until each is looked up, as if they had been sent one by one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import TypeVar
from uuid import UUID

from django.db import IntegrityError, connection, models, transaction
from django.utils import timezone

from accounts.actions.audit import record
from accounts.models import Account, ApiKey, User
from accounts.venues import venue_for
from krakenfutures.values import Outcome, Rejected
from trading import clock
from trading.actions.admitting import admit, require_no_halt
from trading.actions.bells import ring
from trading.actions.intents import told, wish_of
from trading.actions.learning import apply, news_of_placement, ring_family
from trading.actions.placing import ACCEPT_WITHIN, TOO_LATE
from trading.actions.reaching import trading_session
from trading.models import Order, OrderStatus
from trading.publish import announce
from trading.telling import tell_order

T = TypeVar("T")
PATIENCE = 6.0  # seconds to wait for the rate budget, in all, while it is certain that nothing was sent


def store_drafts(rows: Sequence[Order], *, account: Account, by: User, about: models.Model) -> bool:
    """All of them or none, not sent yet. False where one is stored already: somebody else is at it.

    Raises `NotAllowed` where one of them may not leave the desk.
    """
    wishes = [wish_of(row) for row in rows]
    try:
        with transaction.atomic():
            Order.objects.bulk_create(rows)
            record(by, "orders.wished_together", about, desk=account.desk, orders=[told(wish) for wish in wishes])
            admit(account, by, wishes)
    except IntegrityError:
        return False
    return True


def send_drafts(ids: Sequence[UUID], *, account: Account, by: User, key: ApiKey, about: models.Model) -> None:
    """Send what of these is still a draft, each once whoever else tries.

    Raises `NotAllowed` where one of a batch may not be sent: that batch and those after it stay drafts.
    """
    patience = Patience()
    with trading_session(key) as session:
        for some in chunks(ids, venue_for(account.environment).capabilities.batch_size):
            deadline = clock.venue_now(account.environment) + ACCEPT_WITHIN
            if rows := _claim(some, account, by, about, deadline):
                wishes = [wish_of(row) for row in rows]
                outcomes = patience.ask(partial(session.orders.batch, wishes, deadline=deadline))
                _write_down(rows, outcomes, account, by, about)


def chunks(things: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(things), size):
        yield things[start : start + size]


class Patience:
    """Waits for the rate budget as long as it is certain that nothing was sent, and not for ever."""

    def __init__(self) -> None:
        self.left = PATIENCE

    def ask(self, call: Callable[[], list[Outcome]]) -> list[Outcome]:
        while True:
            outcomes = call()
            pause = throttled(outcomes)
            if pause is None or pause > self.left:
                return outcomes
            self.left -= pause
            time.sleep(pause)


def throttled(outcomes: Sequence[Outcome]) -> float | None:
    """How long to wait where the budget was short, so that nothing of all this was sent; else None."""
    if all(isinstance(one, Rejected) and one.code == "throttled" for one in outcomes):
        return max((one.retry_after or 1.0 for one in outcomes if isinstance(one, Rejected)), default=None)
    return None


def _claim(
    ids: Sequence[UUID], account: Account, by: User, about: models.Model, deadline: datetime
) -> Sequence[Order]:
    """The rows that are ours to send from the commit on, in the order asked for."""
    now = timezone.now()
    with transaction.atomic():
        drafts = Order.objects.select_for_update().filter(account=account, status=OrderStatus.DRAFT).in_bulk(ids)
        rows = [drafts[one] for one in ids if one in drafts]
        for row in rows:
            row.status, row.deadline, row.sent_at, row.updated_at = OrderStatus.SENDING, deadline, now, now
        Order.objects.filter(pk__in=drafts).update(
            status=OrderStatus.SENDING, deadline=deadline, sent_at=now, updated_at=now
        )
        if rows:
            record(by, "orders.sent_together", about, desk=account.desk, orders=[str(row.pk) for row in rows])
            for row in rows:
                announce(account.pk, "order", tell_order(row))
            if not all(row.reduce_only for row in rows):
                require_no_halt(account)  # they were admitted when they were stored; a halt may have come since
    return rows


def _write_down(
    rows: Sequence[Order], outcomes: Sequence[Outcome], account: Account, by: User, about: models.Model
) -> None:
    """All answers in one transaction and a few statements, along the same table as every other news."""
    news = {row.pk: news_of_placement(outcome) for row, outcome in zip(rows, outcomes, strict=True)}
    with transaction.atomic():
        locked = list(Order.objects.select_for_update().filter(pk__in=news))
        for order in locked:
            apply(order, news[order.pk])
            order.updated_at = timezone.now()
        _store_learned(locked)
        counts: dict[str, int] = {}
        for order in locked:
            counts[order.status] = counts.get(order.status, 0) + 1
            announce(account.pk, "order", tell_order(order))
            ring_family(order)
            if order.is_unsettled:
                ring("trading.resolve_order", order.pk)
        record(by, "orders.answered_together", about, desk=account.desk, **counts)
    if any(one.reason_code == TOO_LATE for one in news.values()):
        clock.forget(account.environment)


def _store_learned(orders: Sequence[Order]) -> None:
    """One prepared statement for all: `bulk_update` builds a CASE for every column and row, which took four fifths of
    a batch's time.
    """
    fields = [field for field in Order._meta.concrete_fields if field.name in LEARNED]
    changes = ", ".join(f"{field.column} = %s" for field in fields)
    rows = [
        [field.get_db_prep_save(getattr(order, field.attname), connection) for field in (*fields, Order._meta.pk)]
        for order in orders
    ]
    with connection.cursor() as cursor:
        cursor.executemany(f"UPDATE trading_order SET {changes} WHERE id = %s", rows)  # noqa: S608 # nosec B608 - ours


LEARNED = (
    "size", "type", "limit_price", "stop_price", "status", "venue_order_id", "venue_status", "filled", "average_price",
    "reason_code", "reason", "answered_at", "updated_at", "venue_updated_at", "resolve_after", "unknown",
)  # fmt: skip
