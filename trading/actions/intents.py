"""Wishes as rows, and rows as wishes: what is stored before anything is sent."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from decimal import Decimal

from accounts.models import Account, User
from krakenfutures.numbers import plain
from krakenfutures.values import NewOrder, OrderType, Side, TriggerSignal, Value
from trading.models import Order, OrderStatus


class Attached(Value, frozen=True):
    """A stop-loss or take-profit that goes with an order; `limit_price` None takes what is there when it fires."""

    stop_price: Decimal
    limit_price: Decimal | None = None
    trigger_signal: TriggerSignal | None = None


def row_of(wish: NewOrder, account: Account, by: User) -> Order:
    """Not stored yet, and a draft. The intent is the wish's name at the venue."""
    return Order(
        pk=uuid.UUID(wish.client_id),
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
        trailing_deviation=wish.trailing_deviation,
        trailing_unit=wish.trailing_unit or "",
        client_order_id=wish.client_id,
        status=OrderStatus.DRAFT,
        filled=Decimal(0),
    )


def wish_of(order: Order) -> NewOrder:
    return NewOrder(
        client_id=order.client_order_id or str(order.pk),
        symbol=order.symbol,
        side=Side(order.side),
        type=OrderType(order.type),
        size=order.size,
        limit_price=order.limit_price,
        stop_price=order.stop_price,
        trigger_signal=TriggerSignal(order.trigger_signal) if order.trigger_signal else None,
        reduce_only=order.reduce_only,
        trailing_deviation=order.trailing_deviation,
        trailing_unit=order.trailing_unit or None,
    )


def attached_wishes(wish: NewOrder, stop_loss: Attached | None, take_profit: Attached | None) -> Sequence[NewOrder]:
    """The orders against the one wished for: on the other side, of its size, and to reduce only."""
    return [
        NewOrder(
            client_id=str(uuid.uuid5(uuid.UUID(wish.client_id), type.value)),
            symbol=wish.symbol,
            side=wish.side.opposite,
            type=type,
            size=wish.size,
            limit_price=one.limit_price,
            stop_price=one.stop_price,
            trigger_signal=one.trigger_signal,
            reduce_only=True,
        )
        for type, one in ((OrderType.STOP, stop_loss), (OrderType.TAKE_PROFIT, take_profit))
        if one is not None
    ]


def told(wish: NewOrder) -> dict[str, str | bool]:
    """The wish as the audit keeps it, whole: a repeat is held against it."""
    numbers = {
        "size": wish.size,
        "limit_price": wish.limit_price,
        "stop_price": wish.stop_price,
        "trailing_deviation": wish.trailing_deviation,
    }
    words: dict[str, str | bool] = {name: plain(number) for name, number in numbers.items() if number is not None}
    if wish.trigger_signal:
        words["trigger_signal"] = wish.trigger_signal.value
    if wish.trailing_unit:
        words["trailing_unit"] = wish.trailing_unit
    return {
        **words,
        "symbol": wish.symbol,
        "side": wish.side.value,
        "type": wish.type.value,
        "reduce_only": wish.reduce_only,
    }
