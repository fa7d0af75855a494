"""Finding out what became of orders whose outcome nobody told us. Orders are looked up, never sent again.

Where we look: the order status (open orders, and closed ones for five seconds), then the open orders, then the fills.
What is found settles the order. That nothing is found settles it only after its deadline: the venue's own clock,
read before looking, says that it can no longer be accepted, and no place shows a trace of it.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.actions.audit import record
from accounts.models import ApiKey
from accounts.vault import VaultError
from accounts.venues import session_for
from krakenfutures.errors import KrakenError, Throttled
from trading import clock
from trading.actions.learning import NOTHING, WATCHED, News, learn, noted, until
from trading.actions.looking import Search
from trading.models import Order, OrderStatus, Sync
from trading.models.order import FINAL

log = logging.getLogger(__name__)

MARGIN = timedelta(seconds=3)  # after the deadline: Maker Protection may hold an accepted order out of sight
ANSWER_WITHIN = timedelta(seconds=16)  # whoever still waits for an answer gets it or an error in this time
LEASE = timedelta(seconds=15)  # nobody else looks meanwhile; looking twice would do no harm
NO_TRACE = "It never arrived: its deadline has passed, and from its sending on no look found a trace of it."
NO_EFFECT = (
    "It is not open and nothing was filled, and its deadline has passed: it never arrived, or was refused at once."
)
GONE = "It is no longer open at the venue, and not all of it was filled."


def resolve_order(order_id: UUID | str) -> Order:
    """Look once for this order, now."""
    order = Order.objects.get(pk=order_id)
    if not order.is_final:
        resolve(order.account_id, [order])
        order.refresh_from_db()
    return order


def sweep_uncertain() -> int:
    """Look for every order that is due. Returns for how many it looked."""
    give_up_waiting()
    now = timezone.now()
    due = defaultdict(list)
    for order in Order.objects.filter(resolve_after__lte=now).exclude(status__in=FINAL).order_by("created_at")[:500]:
        due[order.account_id].append(order)
    looked = 0
    for account_id, orders in due.items():
        mine = Order.objects.filter(pk__in=[order.pk for order in orders], resolve_after__lte=now)
        if mine.update(resolve_after=now + LEASE):
            resolve(account_id, orders)
            looked += len(orders)
    return looked


def give_up_waiting() -> None:
    """A process that died between its commit and the answer leaves an order sending: nobody waits for it any more."""
    late = Order.objects.filter(status=OrderStatus.SENDING, sent_at__lt=timezone.now() - ANSWER_WITHIN)
    for order in late:
        why = "Whoever sent it did not live to hear the answer."
        with transaction.atomic():
            known = learn(
                order.account_id,
                News(status=OrderStatus.UNCERTAIN, reason_code="no_answer", reason=why, look=True),
                order_id=order.pk,
            )
            record(None, "order.uncertain", known, desk=order.account.desk, why=why)


def resolve(account_id: int, orders: Sequence[Order]) -> None:
    """Look for these orders of one account, and write down what is found and what it proves."""
    key = ApiKey.objects.usable().select_related("account__desk").filter(account_id=account_id).first()
    if key is None:
        postpone(orders, timedelta(minutes=1), "there is no key to look with")
        return
    environment = key.account.environment
    try:
        with session_for(key) as session:
            search = Search(
                session, clock.measure_venue_now(environment), orders, fills_known_to=_known_to(account_id)
            )
            search.run()
    except Throttled as problem:
        postpone(orders, timedelta(seconds=problem.retry_after + 0.5), "the rate budget is spent")
        return
    except (KrakenError, VaultError) as problem:
        postpone(orders, timedelta(seconds=4), f"could not look: {problem}")
        return
    for order in orders:
        _conclude(order, search, key)


def _known_to(account_id: int) -> datetime | None:
    """Up to when every fill is stored; None while some are missing in between."""
    sync = Sync.objects.filter(account_id=account_id, stream="fills", cursor__in=["", "[]"]).first()
    return sync.complete_to if sync else None


def postpone(orders: Sequence[Order], by: timedelta, why: str) -> None:
    log.warning("%d orders stay unsettled: %s", len(orders), why)
    ids = [order.pk for order in orders]
    Order.objects.filter(pk__in=ids).exclude(status__in=FINAL).update(resolve_after=timezone.now() + by)


def _conclude(stale: Order, search: Search, key: ApiKey) -> None:
    looks = search.looks_for(stale)
    with transaction.atomic():
        order = Order.objects.select_for_update().get(pk=stale.pk)  # the fills it saw are counted already
        news = search.news_of(order) or _proof_of_absence(order, search) or News()
        known = learn(order.account_id, news, order_id=order.pk, looks=looks)
        assert known is not None
        if known.status != stale.status:
            record(
                None, "order.resolved", known, desk=key.account.desk,
                status=known.status, looked_in=looks[-1].looked_in, found=looks[-1].found,
            )  # fmt: skip
        elif not known.is_final:
            again = known.is_unsettled or news.status is None
            due = timezone.now() + _pause(known) if again else None
            Order.objects.filter(pk=known.pk).update(resolve_after=due)


def _proof_of_absence(order: Order, search: Search) -> News | None:
    """What it proves that no place shows the order as open. None while that proves nothing yet."""
    if order.is_final or not search.saw_all_fills:
        return None
    gone = News(status=OrderStatus.CANCELLED, reason_code="gone", reason=GONE)
    if order.is_working:
        settled = order.answered_at is None or search.began - order.answered_at > MARGIN
        return gone if settled else None
    if order.deadline is None or search.venue_time <= order.deadline + MARGIN:
        return None
    if order.filled > 0:
        return gone
    watched = _was_watched(order, search)
    return News(
        status=OrderStatus.NEVER_ARRIVED,
        reason_code="never_arrived" if watched else "no_effect",
        reason=NO_TRACE if watched else NO_EFFECT,
    )


def _was_watched(order: Order, search: Search) -> bool:
    """Whether order status was looked at so often that no accepted order can have come and gone unseen."""
    evidence = order.evidence
    for look in search.looks_for(order):
        evidence = noted(evidence, look)
    lines = [line for line in evidence if line["looked_in"] == "order status" and line["found"] == NOTHING]
    if not lines or order.deadline is None or order.sent_at is None:
        return False
    deadline = order.deadline - (search.venue_time - search.began)  # by our clock, as the looks are
    first = datetime.fromisoformat(lines[-1]["at"])
    return first <= order.sent_at + WATCHED and until(lines[-1]) >= deadline


def _pause(order: Order) -> timedelta:
    age = timezone.now() - (order.sent_at or order.created_at)
    if age < timedelta(seconds=30):
        return timedelta(seconds=1)
    return timedelta(seconds=5) if age < timedelta(minutes=10) else timedelta(minutes=1)
