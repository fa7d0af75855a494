"""Placing an order once, whatever happens to the answer."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.actions.audit import record
from accounts.models import Account, User
from accounts.rules import NotAllowed
from accounts.venues import venue_for
from krakenfutures.numbers import plain
from krakenfutures.values import NewOrder, OrderType, Outcome, Side, TriggerSignal
from trading import clock
from trading.actions.bells import ring
from trading.actions.learning import learn_answer, news_of_placement
from trading.actions.reaching import require_trader, trading_session
from trading.instruments import instrument_for
from trading.models import Order, OrderStatus
from trading.rules import refusals

ACCEPT_WITHIN = timedelta(seconds=5)  # the venue refuses an order that reaches it later
TOO_LATE = "wouldProcessAfterSpecifiedTime"


def open_ticket() -> uuid.UUID:
    """The intent of a ticket, minted when the ticket opens."""
    return uuid.uuid4()


def place_order(
    intent_id: uuid.UUID,
    *,
    account: Account,
    by: User,
    symbol: str,
    side: Side,
    type: OrderType,
    size: Decimal,
    limit_price: Decimal | None = None,
    stop_price: Decimal | None = None,
    trigger_signal: TriggerSignal | None = None,
    reduce_only: bool = False,
) -> Order:
    """Send an order, at most once for an intent: a second call, also at the same moment, gets the first one's row.

    Raises `NotAllowed` before anything is stored when a rule of ours says no. What the venue refuses is an order too:
    its status is rejected and `reason` says why. Without an answer it is uncertain, and looked up from then on.
    """
    wish = NewOrder(
        client_id=str(intent_id),
        symbol=symbol.upper(),
        side=side,
        type=type,
        size=size,
        limit_price=limit_price,
        stop_price=stop_price,
        trigger_signal=trigger_signal,
        reduce_only=reduce_only,
    )
    try:
        key = require_trader(by, account)
        check(wish, account.environment)
    except NotAllowed as refusal:
        if refusal.code != "role" and (seen := _seen(intent_id, account)):
            return seen  # what was sent was sent, whatever the rules would say of it now
        raise
    with trading_session(key) as session:
        deadline = clock.venue_now(account.environment) + ACCEPT_WITHIN
        order, stored_now = _store_intent(intent_id, wish, account, by, deadline)
        if not stored_now:
            return order
        outcome = session.orders.place(wish, deadline=deadline)
    return _write_down(order, outcome, account, by)


def check(wish: NewOrder, environment: str) -> None:
    """Raises the first `NotAllowed` of our rules."""
    if wish.type not in venue_for(environment).capabilities.order_types or wish.type is OrderType.TRAILING_STOP:
        raise NotAllowed("This type of order cannot be placed from here yet.", field="type", code="type")
    for refusal in refusals(wish, instrument_for(environment, wish.symbol)):
        raise refusal


def _seen(intent_id: uuid.UUID, account: Account) -> Order | None:
    order = Order.objects.filter(pk=intent_id).first()
    if order is not None and order.account_id != account.pk:
        raise NotAllowed("This ticket was used for another account. Open a new one.", code="ticket_taken")
    return order


def _store_intent(
    intent_id: uuid.UUID, wish: NewOrder, account: Account, by: User, deadline: datetime
) -> tuple[Order, bool]:
    """The committed row, and whether it was us who stored it: then, and only then, it is ours to send."""
    try:
        with transaction.atomic():
            order = Order.objects.create(
                pk=intent_id,
                account=account,
                by=by,
                symbol=wish.symbol,
                side=wish.side.value,
                type=wish.type.value,
                size=wish.size,
                limit_price=wish.limit_price,
                stop_price=wish.stop_price,
                trigger_signal=wish.trigger_signal.value if wish.trigger_signal else "",
                reduce_only=wish.reduce_only,
                status=OrderStatus.SENDING,
                client_order_id=wish.client_id,
                deadline=deadline,
                sent_at=timezone.now(),
            )
            record(by, "order.sent", order, desk=account.desk, **_told(wish))
        return order, True
    except IntegrityError:
        seen = _seen(intent_id, account)
        if seen is None:
            raise
        return seen, False


def _write_down(order: Order, outcome: Outcome, account: Account, by: User) -> Order:
    news = news_of_placement(outcome)
    with transaction.atomic():
        known = learn_answer(order, news)
        record(by, "order.answered", known, desk=account.desk, status=known.status, venue_status=known.venue_status)
        if known.is_unsettled:
            ring("trading.resolve_order", known.pk)
    if news.reason_code == TOO_LATE:
        clock.forget(account.environment)
    return known


def _told(wish: NewOrder) -> dict[str, str | bool]:
    """The wish as the audit keeps it."""
    numbers = {"size": wish.size, "limit_price": wish.limit_price, "stop_price": wish.stop_price}
    told: dict[str, str | bool] = {name: plain(number) for name, number in numbers.items() if number is not None}
    return {
        **told,
        "symbol": wish.symbol,
        "side": wish.side.value,
        "type": wish.type.value,
        "reduce_only": wish.reduce_only,
    }
