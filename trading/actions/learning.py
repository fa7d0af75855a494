"""Writing down what the venue says of an order, from whichever source it comes first.

Every source (an answer, the live feed, a look-up, a sync, fills) is turned into `News`, and news are applied in one
place, under the order's row lock and along the table `NEXT`. News may come late, twice and in any order: what is
filled never shrinks, a status moves only along the table, and older words do not overwrite newer ones.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.actions.limits import give_back
from accounts.prepared import Prepared, change
from krakenfutures import values
from krakenfutures.values import Accepted, OrderState, OrderType, Outcome, Rejected, Unknown, Value
from trading.actions.bells import ring
from trading.models import NEXT, Order, OrderStatus
from trading.publish import announce
from trading.telling import tell_order

log = logging.getLogger(__name__)

S = OrderStatus
COLUMNS = [field.attname for field in Order._meta.concrete_fields if field.name != "updated_at"]
BY_ID = Prepared(
    lambda account, order: Order.objects.select_for_update().filter(account=account, pk=order).order_by(), int, UUID
)
BY_CLIENT_ID = Prepared(
    lambda account, name: Order.objects.select_for_update().filter(account=account, client_order_id=name).order_by(),
    int, str,
)  # fmt: skip
BY_VENUE_ID = Prepared(
    lambda account, name: Order.objects.select_for_update().filter(account=account, venue_order_id=name).order_by(),
    int, str,
)  # fmt: skip
ZERO = Decimal(0)
STATUS_OF: dict[OrderState, OrderStatus | None] = {
    OrderState.PENDING: S.OPEN,  # accepted, and held or about to rest
    OrderState.OPEN: S.OPEN,
    OrderState.PARTLY_FILLED: S.PARTLY_FILLED,
    OrderState.FILLED: S.FILLED,
    OrderState.CANCELLED: S.CANCELLED,
    OrderState.REJECTED: S.REJECTED,
    OrderState.EXPIRED: S.EXPIRED,
    OrderState.UNKNOWN: None,  # it says nothing we understand: look it up
}


class News(Value, frozen=True):
    """What one source says of one order. What is None or empty, it does not say; `filled` is a lower bound."""

    status: OrderStatus | None = None
    filled: Decimal = ZERO
    average_price: Decimal | None = None
    venue_order_id: str = ""
    client_order_id: str = ""
    venue_status: str = ""
    reason_code: str = ""
    reason: str = ""
    order: values.Order | None = None
    trailing_deviation: Decimal | None = None  # no description of an order tells it
    at: datetime | None = None  # the venue's time of these words
    answer: bool = False  # it is the answer to our own call
    source: str = ""  # where it was heard, if that proves the fate of an order whose answer is missing
    unknown: Unknown = {}
    look: bool = False  # it is not clear enough: have the resolver look


class Look(Value, frozen=True):
    """Where the resolver looked, when (by our clock), and what it found there."""

    looked_in: str  # order status, open orders, fills
    found: str
    at: datetime


NOTHING = "nothing"
WATCHED = timedelta(seconds=4)  # the venue remembers a closed order for five


def noted(evidence: list[dict[str, Any]], look: Look) -> list[dict[str, Any]]:
    """The evidence with one more look. Looks that found nothing, close enough to miss nothing, become one line."""
    same = next((line for line in reversed(evidence) if line["looked_in"] == look.looked_in), None)
    if same is None or same["found"] != look.found or look.at - until(same) > WATCHED:
        line = {"at": look.at.isoformat(), "looked_in": look.looked_in, "found": look.found}
        return [*evidence, line]
    longer = {**same, "until": look.at.isoformat(), "times": same.get("times", 1) + 1}
    return [longer if line is same else line for line in evidence]


def until(line: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(line.get("until", line["at"]))


def news_of_placement(outcome: Outcome) -> News:
    """What the answer to a placement proves. Only here is the answer's average price that of the whole order."""
    if isinstance(outcome, Accepted):
        return News(
            status=STATUS_OF[outcome.state] or S.UNCERTAIN,
            filled=outcome.filled,
            average_price=outcome.average_price,
            venue_order_id=outcome.order_id,
            venue_status=outcome.status,
            order=outcome.order,
            at=outcome.at,
            answer=True,
            look=STATUS_OF[outcome.state] is None,
        )
    if isinstance(outcome, Rejected):
        return News(
            status=S.REJECTED,
            venue_status=outcome.code,
            reason_code=outcome.code,
            reason=outcome.sentence,
            answer=True,
        )
    return News(status=S.UNCERTAIN, reason_code="lost", reason=f"No answer: {outcome.why}", look=True)


def news_of_order(order: values.Order, *, state: OrderState | None = None, source: str = "") -> News:
    """What a description of an order says. `state` overrides the order's own word."""
    state = state or order.state
    return News(
        status=STATUS_OF[state],
        filled=order.filled,
        venue_order_id=order.id,
        client_order_id=order.client_id or "",
        venue_status=order.reason or state.value,
        order=order,
        at=order.updated_at or order.placed_at,
        source=source,
        unknown=order.unknown,
        look=STATUS_OF[state] is None,
    )


def learn(account_id: int, news: News, *, order_id: UUID | None = None, looks: Iterable[Look] = ()) -> Order | None:
    """Apply news to the order they are about, and announce it if anything changed.

    Without `order_id` the order is found by our id or the venue's, and made if the venue described it in full: an
    order of somebody else who uses the account. None when there is nothing to apply the news to.
    """
    with transaction.atomic():
        order = _locked(account_id, news, order_id)
        if order is None:
            if news.order is None or news.status is None:
                return None
            order = _found_at_the_venue(account_id, news)
        before = _columns(order)
        was_unsettled = order.is_unsettled and order.by_id is not None
        apply(order, news)
        if news.source and was_unsettled and not order.is_unsettled:
            looks = [*looks, Look(looked_in=news.source, found=order.status.replace("_", " "), at=timezone.now())]
        for look in looks:
            order.evidence = noted(order.evidence, look)
        if changed := _changed(order, before):
            order.updated_at = timezone.now()
            change(order, (*changed, "updated_at"))
            _follow_up(order, changed)
    return order


def learn_answer(order: Order, news: News) -> Order:
    """The same for the answer to our own call, with the row still in our hands as we stored it.

    The usual case takes one statement: change the row if nobody has since. Else the row is read again, and locked.
    """
    version, before = order.updated_at, _columns(order)
    apply(order, news)
    changed = _changed(order, before)
    order.updated_at = timezone.now()
    with transaction.atomic(savepoint=False):
        if change(order, (*changed, "updated_at"), updated_at=version):
            _follow_up(order, changed)
            return order
        known = learn(order.account_id, news, order_id=order.pk)
    assert known is not None
    return known


def _follow_up(order: Order, changed: Sequence[str]) -> None:
    """What a change of the row brings with it, in the same transaction."""
    if "status" in changed and order.status in {S.REJECTED, S.NEVER_ARRIVED} and not order.filled:
        give_back(order.client_order_id or str(order.pk))
    announce(order.account_id, "order", tell_order(order))
    ring_family(order)


def ring_family(order: Order) -> None:
    """Attached orders wait for what becomes of their parent, and of one another."""
    if (order.has_attached or order.parent_id) and not order.is_unsettled and (order.is_final or order.filled > 0):
        ring("trading.attend_attached", order.parent_id or order.pk)


def apply(order: Order, news: News) -> None:
    """Change the row in memory as far as the news prove something new."""
    newer = news.at is None or order.venue_updated_at is None or news.at >= order.venue_updated_at
    if news.order is not None and newer:
        _take_terms(order, news.order)
    if news.trailing_deviation is not None:
        order.trailing_deviation = news.trailing_deviation
    if news.filled > order.filled:
        order.filled, order.average_price = news.filled, news.average_price  # None until the fills are heard
    elif news.filled == order.filled and news.average_price is not None:
        order.average_price = news.average_price
    if news.venue_order_id and not order.venue_order_id:
        order.venue_order_id = news.venue_order_id
    if news.answer and order.answered_at is None:
        order.answered_at = timezone.now()
        order.evidence = []  # an answer is all the proof that is needed; what was faster than it needs no mention
    _move(order, news, newer=newer)
    if newer:
        order.venue_updated_at = news.at or order.venue_updated_at
        order.unknown = {**order.unknown, **news.unknown}
    if order.is_final:
        order.resolve_after = None
    elif news.look and (order.is_unsettled or news.status is None):
        order.resolve_after = timezone.now()


def next_status(order: Order, news: News) -> OrderStatus:
    """Where the news would put the order: its sizes win over words, for an order that is all filled is filled."""
    status = news.status
    if order.status == S.FILLED and (news.order is None or news.order.size <= order.filled):
        return S.FILLED
    if status in {S.REJECTED, S.NEVER_ARRIVED, S.UNCERTAIN, S.FILLED}:
        return status
    if order.filled >= order.size:
        return S.FILLED
    if status is None:
        fill_proves_it_open = order.filled > 0 and order.status in {S.OPEN, S.NEVER_ARRIVED}
        return S.PARTLY_FILLED if fill_proves_it_open else OrderStatus(order.status)
    return S.PARTLY_FILLED if status == S.OPEN and order.filled > 0 else status


def _move(order: Order, news: News, *, newer: bool) -> None:
    target = next_status(order, news)
    if target == order.status:
        if newer and news.venue_status and not order.is_final:
            order.venue_status = news.venue_status[:60]
        return
    if target not in NEXT[order.status]:
        if order.status == S.REJECTED and order.filled > 0:
            log.error("order %s was refused, and the venue now says %s", order.pk, target)
        return  # late news of a state already left
    if order.status == S.NEVER_ARRIVED:
        log.error("order %s was taken for never arrived, and the venue now says %s", order.pk, target)
    order.status = target
    order.venue_status = news.venue_status[:60]
    order.reason_code, order.reason = news.reason_code[:80], news.reason[:300]
    if target == S.FILLED:
        order.filled = max(order.filled, order.size)
    if not order.is_unsettled:
        order.resolve_after = None


def _take_terms(order: Order, said: values.Order) -> None:
    """Size and prices after an edit or a cut. A market order's limit is the venue's own guard and stays out."""
    order.size = said.size if said.size > 0 else order.size
    if order.type == OrderType.UNKNOWN:
        order.type = said.type.value
    if order.type != OrderType.MARKET and said.limit_price is not None:
        order.limit_price = said.limit_price
    order.stop_price = said.stop_price if said.stop_price is not None else order.stop_price


def _locked(account_id: int, news: News, order_id: UUID | None) -> Order | None:
    if order_id is not None:
        found = BY_ID.first(account_id, order_id)
        if found is None:
            raise Order.DoesNotExist(order_id)
        return found
    found = BY_CLIENT_ID.first(account_id, news.client_order_id) if news.client_order_id else None
    if found is None and news.venue_order_id:
        found = BY_VENUE_ID.first(account_id, news.venue_order_id)
    return found


def _found_at_the_venue(account_id: int, news: News) -> Order:
    """A row for an order that did not come from this desk, not known yet."""
    said = news.order
    assert said is not None
    try:
        with transaction.atomic():
            return Order.objects.create(
                account_id=account_id,
                symbol=said.symbol,
                side=said.side.value,
                type=said.type.value,
                size=said.size,
                limit_price=said.limit_price,
                stop_price=said.stop_price,
                trigger_signal=said.trigger_signal.value if said.trigger_signal else "",
                reduce_only=said.reduce_only,
                status=S.UNCERTAIN,
                client_order_id=said.client_id,
                venue_order_id=said.id,
                sent_at=said.placed_at,
            )
    except IntegrityError:  # two heard of it at once, and the other was first
        found = _locked(account_id, news, None)
        if found is None:
            raise
        return found


def _columns(order: Order) -> tuple[object, ...]:
    return tuple(getattr(order, name) for name in COLUMNS)


def _changed(order: Order, before: tuple[object, ...]) -> list[str]:
    return [name for name, was, now in zip(COLUMNS, before, _columns(order), strict=True) if was != now]
