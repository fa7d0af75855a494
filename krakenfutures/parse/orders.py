"""Orders, as five kinds of messages describe them: each to the same value."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from krakenfutures.errors import Unreadable
from krakenfutures.events import OrderChanged
from krakenfutures.parse.fields import Fields, rows_of
from krakenfutures.values import Order, OrderState, OrderType, Side
from krakenfutures.words import GONE_STATES, LOOKUP_STATES, OPEN_STATES, ORDER_TYPES, SIDES, SIGNALS

ZERO = Decimal(0)


def parse_open_orders(answer: Any) -> list[Order]:
    return rows_of(answer, "openOrders", parse_open_order)


def parse_open_order(raw: Any) -> Order:
    """A row of `openorders`: the total is what is filled plus what is not."""
    row = Fields(raw, "an open order")
    row.ignore("algoId")
    filled = row.decimal("filledSize") or ZERO
    return Order(
        id=row.need_text("order_id", "orderId"),
        client_id=row.text("cliOrdId", "cli_ord_id"),
        symbol=row.need_text("symbol").upper(),
        side=_side(row),
        type=row.word(ORDER_TYPES, "orderType", otherwise=OrderType.UNKNOWN),
        size=filled + (row.decimal("unfilledSize") or ZERO),
        filled=filled,
        state=row.word(OPEN_STATES, "status", otherwise=OrderState.OPEN),
        limit_price=row.nonzero("limitPrice"),
        stop_price=row.nonzero("stopPrice"),
        trigger_signal=row.word(SIGNALS, "triggerSignal"),
        reduce_only=row.flag("reduceOnly"),
        placed_at=row.time("receivedTime"),
        updated_at=row.time("lastUpdateTime"),
        unknown=row.unknown(),
    )


def parse_event_order(raw: Any) -> Order:
    """An `order` inside an order event. Its state is what its sizes say; the event may say otherwise."""
    row = Fields(raw, "an order in an event")
    row.ignore("algoId")
    size, filled = row.need_decimal("quantity"), row.decimal("filled") or ZERO
    return Order(
        id=row.need_text("orderId", "order_id"),
        client_id=row.text("cliOrdId", "cli_ord_id"),
        symbol=row.need_text("symbol").upper(),
        side=_side(row),
        type=row.word(ORDER_TYPES, "type", otherwise=OrderType.UNKNOWN),
        size=size,
        filled=filled,
        state=state_by_size(size, filled),
        limit_price=row.nonzero("limitPrice"),
        reduce_only=row.flag("reduceOnly"),
        placed_at=row.time("timestamp"),
        updated_at=row.time("lastUpdateTimestamp"),
        unknown=row.unknown(),
    )


def parse_event_trigger(raw: Any) -> Order:
    """An `orderTrigger` inside an order event. The event does not say whether it is a stop or a take-profit:
    the side of the trigger does, as a stop follows the market and a take-profit stands against it."""
    row = Fields(raw, "a trigger order in an event")
    row.ignore("startTime", "type", "algoId")
    side = _side(row)
    return Order(
        id=row.need_text("uid"),
        client_id=row.text("clientId"),
        symbol=row.need_text("symbol").upper(),
        side=side,
        type=_trigger_type(side, row),
        size=row.need_decimal("quantity"),
        filled=ZERO,
        state=OrderState.OPEN,
        limit_price=row.nonzero("limitPrice"),
        stop_price=row.nonzero("triggerPrice"),
        trigger_signal=row.word(SIGNALS, "triggerSignal"),
        reduce_only=row.flag("reduceOnly"),
        placed_at=row.time("timestamp"),
        updated_at=row.time("lastUpdateTimestamp"),
        unknown=row.unknown(),
    )


def parse_looked_up(answer: Any) -> list[Order]:
    """`orders/status`: open now or closed within the last five seconds. An order that is missing proves nothing."""
    return rows_of(answer, "orders", parse_looked_up_order)


def parse_looked_up_order(raw: Any) -> Order:
    row = Fields(raw, "an order's status")
    order = Fields(row.need("order"), "a looked-up order")
    order.ignore("algoId", "triggerTime")
    size, filled = order.need_decimal("quantity"), order.decimal("filled") or ZERO
    state = row.word(LOOKUP_STATES, "status", otherwise=OrderState.UNKNOWN)
    if state is OrderState.OPEN and filled:
        state = OrderState.PARTLY_FILLED
    reason, error = row.text("updateReason") or "", row.text("error") or ""
    side = _side(order)
    stop, signal, kind = _trigger(order, side)
    return Order(
        id=order.need_text("orderId", "order_id"),
        client_id=order.text("cliOrdId", "cli_ord_id"),
        symbol=order.need_text("symbol").upper(),
        side=side,
        type=kind,
        size=size,
        filled=filled,
        state=OrderState.EXPIRED if reason in {"EXPIRED", "CONTRACT_EXPIRED"} else state,
        limit_price=order.nonzero("limitPrice"),
        stop_price=stop,
        trigger_signal=signal,
        reduce_only=order.flag("reduceOnly"),
        placed_at=order.time("timestamp"),
        updated_at=order.time("lastUpdateTimestamp"),
        reason=error or reason,
        unknown={**order.unknown(), **row.unknown()},
    )


def parse_stream_order(raw: Any) -> Order:
    """An order of the live feed: its `qty` is what remains, and 0 stands for "no stop price"."""
    row = Fields(raw, "a live order")
    row.ignore("max_fixed_leverage", "trailing_stop_options", "algo_id")
    filled = row.decimal("filled") or ZERO
    size = row.need_decimal("qty") + filled
    return Order(
        id=row.need_text("order_id"),
        client_id=row.text("cli_ord_id"),
        symbol=row.need_text("instrument").upper(),
        side=_direction(row),
        type=row.word(ORDER_TYPES, "type", otherwise=OrderType.UNKNOWN),
        size=size,
        filled=filled,
        state=state_by_size(size, filled),
        limit_price=row.nonzero("limit_price"),
        stop_price=row.nonzero("stop_price"),
        trigger_signal=row.word(SIGNALS, "triggerSignal", "trigger_signal"),
        reduce_only=row.flag("reduce_only"),
        placed_at=row.time("time"),
        updated_at=row.time("last_update_time"),
        unknown=row.unknown(),
    )


def parse_stream_orders(raw: Any) -> tuple[Order, ...]:
    return tuple(parse_stream_order(row) for row in Fields(raw, "open orders").rows("orders"))


def parse_order_change(raw: Any) -> OrderChanged:
    """A change of the live feed: with the whole order, or with its ids alone when a user cancelled it."""
    row = Fields(raw, "an order change")
    order = row.take("order")
    parsed = None if order is None else parse_stream_order(order)
    reason = row.text("reason") or ""
    order_id, client_id = row.text("order_id"), row.text("cli_ord_id")
    if parsed is None and order_id is None:
        raise Unreadable("an order change names no order")
    gone = row.flag("is_cancel")
    state = _state_after(parsed, gone=gone, reason=reason)
    return OrderChanged(
        order_id=parsed.id if parsed else order_id or "",
        client_id=parsed.client_id if parsed else client_id,
        gone=gone,
        reason=reason,
        order=parsed and msgspec.structs.replace(parsed, state=state, reason=reason),
        state=state,
    )


def _state_after(order: Order | None, *, gone: bool, reason: str) -> OrderState:
    """What a change proves. The sizes win over the reason: an order that is all filled was not cancelled."""
    if order and order.state is OrderState.FILLED:
        return OrderState.FILLED
    if not gone:
        return order.state if order else OrderState.UNKNOWN
    return GONE_STATES.get(reason, OrderState.UNKNOWN)


def state_by_size(size: Decimal, filled: Decimal) -> OrderState:
    if filled <= 0:
        return OrderState.OPEN
    return OrderState.FILLED if filled >= size else OrderState.PARTLY_FILLED


def _side(row: Fields) -> Side:
    word = row.need_text("side")
    if word not in SIDES:
        raise Unreadable(f"{word!r} is not a side")
    return SIDES[word]


def _direction(row: Fields) -> Side:
    number = row.need_decimal("direction")
    if number not in (0, 1):
        raise Unreadable(f"{number} is not a direction")
    return Side.SELL if number else Side.BUY


def _trigger_type(side: Side, options: Fields) -> OrderType:
    above = options.word(
        {"TRIGGER_ABOVE": 1, "trigger_above": 1, "TRIGGER_BELOW": -1, "trigger_below": -1}, "triggerSide"
    )
    if above is None:
        return OrderType.UNKNOWN
    return OrderType.STOP if above == side.sign else OrderType.TAKE_PROFIT


def _trigger(order: Fields, side: Side) -> tuple[Decimal | None, Any, OrderType]:
    """Stop price, signal and type of a looked-up order. Of a plain one this answer does not tell the type."""
    order.ignore("type")
    raw = order.take("priceTriggerOptions")
    if raw is None:
        return None, None, OrderType.UNKNOWN
    options = Fields(raw, "trigger options")
    signal = options.word(SIGNALS, "triggerSignal")
    trailing = options.take("trailingStopOptions") is not None
    kind = _trigger_type(side, options)
    if trailing:
        kind = OrderType.TRAILING_STOP
    stop = options.nonzero("triggerPrice")
    if odd := options.unknown():
        order.keep("priceTriggerOptions", odd)
    return stop, signal, kind
