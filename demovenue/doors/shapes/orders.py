"""Orders, their events and their states, in the several spellings REST has for them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from demovenue.doors.answers import iso_millis, plain
from demovenue.values import CancelAllResult, Fill, Order, OrderEvent, OrderResult

Fields = dict[str, Any]

# The signal's name depends on who prints it.
LISTED_SIGNAL = {"mark": "mark", "index": "spot", "last": "last"}
EVENT_SIGNAL = {"mark": "mark_price", "index": "spot_price", "last": "last_price"}


def _number(value: Decimal | None) -> Decimal | None:
    return None if value is None else plain(value)


def order(value: Order) -> Fields:
    """The `order` of an order event."""
    row: Fields = {
        "orderId": value.id,
        "cliOrdId": value.cli_ord_id,
        "type": value.type,
        "symbol": value.symbol,
        "side": value.side,
        "quantity": plain(value.quantity),
        "filled": plain(value.filled),
        "limitPrice": _number(value.limit_price),
        "reduceOnly": value.reduce_only,
        "timestamp": iso_millis(value.created),
        "lastUpdateTimestamp": iso_millis(value.updated),
    }
    return row | ({"algoId": value.algo_id} if value.algo_id else {})


def trigger(value: Order) -> Fields:
    """The `orderTrigger` of an order event: `type` is what the order will become."""
    row: Fields = {
        "uid": value.id,
        "clientId": value.cli_ord_id,
        "type": "ioc" if value.limit_price is None and value.limit_offset_value is None else "lmt",
        "symbol": value.symbol,
        "side": value.side,
        "quantity": plain(value.quantity),
        "limitPrice": _number(value.limit_price),
        "triggerPrice": _number(value.trigger_price),
        "triggerSide": "trigger_above" if value.trigger_above else "trigger_below",
        "triggerSignal": EVENT_SIGNAL[value.trigger_signal or "mark"],
        "reduceOnly": value.reduce_only,
        "timestamp": iso_millis(value.created),
        "lastUpdateTimestamp": iso_millis(value.updated),
    }
    return row | ({"startTime": None} if value.trigger_kind == "trailing_stop" else {})


def _subject(value: Order) -> Fields:
    return {"orderTrigger": trigger(value)} if value.is_trigger else {"order": order(value)}


def event(value: OrderEvent) -> Fields:
    return _EVENTS[value.type](value) | {"type": value.type}


def _place(value: OrderEvent) -> Fields:
    assert value.order is not None
    if value.order.is_trigger:
        return {"orderTrigger": trigger(value.order)}
    return {"order": order(value.order), "reducedQuantity": _number(value.reduced_quantity)}


def _cancel(value: OrderEvent) -> Fields:
    assert value.order is not None
    return {"uid": value.order.id, **_subject(value.order)}


def _edit(value: OrderEvent) -> Fields:
    assert value.order is not None and value.old is not None
    shape = trigger if value.order.is_trigger else order
    return {
        "old": shape(value.old),
        "new": shape(value.order),
        "reducedQuantity": _number(value.reduced_quantity),
    }


def _reject(value: OrderEvent) -> Fields:
    assert value.order is not None
    return {"uid": value.order.id, **_subject(value.order), "reason": value.reason}


def _execution(value: OrderEvent) -> Fields:
    assert value.order is not None
    return {
        "executionId": value.execution_id,
        "price": _number(value.price),
        "amount": _number(value.amount),
        "orderPriorEdit": None if value.order_prior_edit is None else order(value.order_prior_edit),
        "orderPriorExecution": order(value.order),
        "takerReducedQuantity": _number(value.reduced_quantity),
    }


_EVENTS = {"PLACE": _place, "CANCEL": _cancel, "EDIT": _edit, "REJECT": _reject, "EXECUTION": _execution}


# sendorder has a name of its own for what batchorder calls clientOrderIdTooLong.
_SEND_NAMES = {"clientOrderIdTooLong": "clientOrderIdTooBig"}


def send_status(result: OrderResult) -> Fields:
    """Of sendorder and cancelorder: what is not there is left out."""
    row: Fields = {"order_id": result.order_id} if result.order_id else {}
    row |= {"status": _SEND_NAMES.get(result.status, result.status), "receivedTime": iso_millis(result.received)}
    if result.events or result.order_id:
        row["orderEvents"] = [event(one) for one in result.events]
    return row | ({"cliOrdId": result.cli_ord_id} if result.cli_ord_id else {})


def edit_status(result: OrderResult) -> Fields:
    """Edits spell their ids in camel case."""
    row: Fields = {"status": result.status}
    row |= {"orderId": result.order_id} if result.order_id else {}
    row |= {"cliOrdId": result.cli_ord_id} if result.cli_ord_id else {}
    return row | {
        "receivedTime": iso_millis(result.received),
        "orderEvents": [event(one) for one in result.events],
    }


def batch_status(result: OrderResult, tag: str | None) -> Fields:
    row: Fields = {"status": result.status}
    row |= {"order_tag": tag} if tag is not None else {}
    row |= {"order_id": result.order_id} if result.order_id else {}
    row |= {"cliOrdId": result.cli_ord_id} if result.cli_ord_id else {}
    return row | {
        "dateTimeReceived": iso_millis(result.received),
        "orderEvents": [event(one) for one in result.events],
    }


def cancel_all(result: CancelAllResult) -> Fields:
    events = [OrderEvent(type="CANCEL", order=one) for one in result.cancelled]
    return {
        "receivedTime": iso_millis(result.received),
        "cancelOnly": result.cancel_only,
        "status": result.status,
        "cancelledOrders": [
            {"order_id": one.id} | ({"cliOrdId": one.cli_ord_id} if one.cli_ord_id else {}) for one in result.cancelled
        ],
        "orderEvents": [event(one) for one in events],
    }


def open_order(value: Order) -> Fields:
    """A row of `openorders`: post-only orders show as lmt, triggers as stop, take_profit or trailing_stop."""
    row: Fields = {"order_id": value.id}
    row |= {"cliOrdId": value.cli_ord_id} if value.cli_ord_id else {}
    row |= {"symbol": value.symbol, "side": value.side, "orderType": value.trigger_kind or "lmt"}
    row |= {"limitPrice": plain(value.limit_price)} if value.limit_price is not None else {}
    row |= {"stopPrice": plain(value.trigger_price)} if value.is_trigger and value.trigger_price is not None else {}
    row |= {
        "unfilledSize": plain(value.remaining),
        "receivedTime": iso_millis(value.created),
        "status": "partiallyFilled" if value.filled else "untouched",
        "filledSize": plain(value.filled),
        "reduceOnly": value.reduce_only,
    }
    if value.is_trigger:
        row["triggerSignal"] = LISTED_SIGNAL[value.trigger_signal or "mark"]
    row["lastUpdateTime"] = iso_millis(value.updated)
    return row | ({"algoId": value.algo_id} if value.algo_id else {})


def order_status(value: Order) -> Fields:
    """A row of `orders/status`, which shouts its enums."""
    body: Fields = {
        "type": "TRIGGER_ORDER" if value.is_trigger else "ORDER",
        "orderId": value.id,
        "cliOrdId": value.cli_ord_id,
        "symbol": value.symbol,
        "side": value.side,
        "quantity": plain(value.quantity),
        "filled": plain(value.filled),
        "limitPrice": _number(value.limit_price),
        "reduceOnly": value.reduce_only,
        "timestamp": iso_millis(value.created),
        "lastUpdateTimestamp": iso_millis(value.updated),
        "priceTriggerOptions": _trigger_options(value) if value.is_trigger else None,
        "triggerTime": iso_millis(value.triggered_at) if value.triggered_at else None,
    }
    body |= {"algoId": value.algo_id} if value.algo_id else {}
    return {"order": body, "status": value.status, "updateReason": value.update_reason, "error": value.error}


def _trigger_options(value: Order) -> Fields:
    trailing = None
    if value.trigger_kind == "trailing_stop":
        trailing = {"maxDeviation": _number(value.trailing_max_deviation), "unit": value.trailing_unit}
    return {
        "triggerPrice": _number(value.trigger_price),
        "triggerSide": "TRIGGER_ABOVE" if value.trigger_above else "TRIGGER_BELOW",
        "triggerSignal": EVENT_SIGNAL[value.trigger_signal or "mark"].upper(),
        "trailingStopOptions": trailing,
    }


def fill(value: Fill, *, older: bool) -> Fields:
    """A row of `fills`; the pages before `lastFillTime` (`older`) do not know the profit."""
    row: Fields = {
        "fill_id": value.fill_id,
        "symbol": value.symbol,
        "side": value.side,
        "order_id": value.order_id,
    }
    row |= {"cliOrdId": value.cli_ord_id} if value.cli_ord_id else {}
    return row | {
        "size": plain(value.size),
        "price": plain(value.price),
        "fillTime": iso_millis(value.at),
        "fillType": value.fill_type,
        "realized_pnl": None if older else plain(value.realized_pnl),
        "sequence_id": str(value.sequence),
    }
