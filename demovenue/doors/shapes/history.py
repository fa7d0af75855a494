"""`/api/history`: decimals are strings there, times are epoch milliseconds, words are in camel case."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from demovenue.doors.answers import millis, optional_text, text
from demovenue.ids import derived
from demovenue.values import (
    Account,
    Candle,
    Fill,
    HistoryEvent,
    LogEntry,
    MarketOrder,
    Order,
    PositionChange,
    TradePrint,
)

Fields = dict[str, Any]

DIRECTION = {"buy": "Buy", "sell": "Sell"}
ORDER_TYPE = {
    "lmt": "Limit",
    "ioc": "IoC",
    "fok": "FoK",
    "post": "Post",
    "mkt": "Market",
    "liquidation": "Liquidation",
    "assignment": "Assignment",
    "unwind": "Unwind",
    "block": "Block",
}
SIGNAL = {"mark": "MarkPrice", "index": "SpotPrice", "last": "LastPrice"}
UNIT = {"PERCENT": "Percent", "QUOTE_CURRENCY": "QuoteCurrency"}
TAKER_TYPE = {"liquidation": "Liquidation", "assignment": "Assignment", "unwind": "Unwind"}
_ZERO = Decimal(0)


def _order_type(order: Order) -> str:
    if order.is_trigger:
        return "IoC" if order.limit_price is None and order.limit_offset_value is None else "Limit"
    return ORDER_TYPE.get(order.type, "Unknown")


def own_order(order: Order) -> Fields:
    return {
        "uid": order.id,
        "accountUid": order.account_uid,
        "tradeable": order.symbol,
        "direction": DIRECTION[order.side],
        "quantity": text(order.quantity),
        "filled": text(order.filled),
        "timestamp": millis(order.created),
        "limitPrice": text(order.limit_price or _ZERO),
        "orderType": _order_type(order),
        "clientId": order.cli_ord_id or "",
        "reduceOnly": order.reduce_only,
        "lastUpdateTimestamp": millis(order.updated),
        "spotData": None,
    }


def trigger_order(order: Order, number: int) -> Fields:
    """The order object of trigger events, with the account's number and how it is triggered."""
    row = own_order(order)
    del row["filled"], row["spotData"]
    return {"uid": order.id, "accountId": number} | row | {"triggerOptions": _trigger_options(order)}


def _trigger_options(order: Order) -> Fields:
    return {
        "triggerPrice": text(order.trigger_price or _ZERO),
        "triggerSignal": SIGNAL[order.trigger_signal or "mark"],
        "triggerSide": "Above" if order.trigger_above else "Below",
        "trailingStopOptions": {
            "maxDeviation": text(order.trailing_max_deviation or _ZERO),
            "unit": UNIT.get(order.trailing_unit or "", "Percent"),
        },
        "limitPriceOffset": {
            "priceOffset": text(order.limit_offset_value or _ZERO),
            "unit": UNIT.get(order.limit_offset_unit or "", "QuoteCurrency"),
        },
    }


def element(event: HistoryEvent, account: Account) -> Fields:
    return {"uid": event.uid, "timestamp": millis(event.at), "event": {event.key: _body(event, account)}}


def _body(event: HistoryEvent, account: Account) -> Fields:
    if event.family == "executions":
        return _execution(event)
    if event.family == "positions":
        return _position(event)
    if event.family == "triggers":
        return _trigger_event(event, account)
    return _order_event(event)


def _order_event(event: HistoryEvent) -> Fields:
    order = None if event.order is None else own_order(event.order)
    old = None if event.old is None else own_order(event.old)
    bodies: dict[str, Fields] = {
        "OrderPlaced": {"order": order, "reason": event.reason, "reducedQuantity": optional_text(event.reduced)},
        "OrderUpdated": {
            "oldOrder": old,
            "newOrder": order,
            "reason": event.reason,
            "reducedQuantity": optional_text(event.reduced),
        },
        "OrderCancelled": {"order": order, "reason": event.reason},
        "OrderRejected": {"order": order, "orderError": event.error, "reason": event.reason},
        "OrderEditRejected": {"oldOrder": old, "attemptedOrder": order, "orderError": event.error},
    }
    if event.key == "OrderNotFound":
        wanted = event.order.id if event.order else event.reason
        return {"accountUid": event.account_uid, "orderId": f"Uuid(uuid={wanted})"}
    return bodies[event.key]


def _trigger_event(event: HistoryEvent, account: Account) -> Fields:
    order = None if event.order is None else trigger_order(event.order, account.number)
    old = None if event.old is None else trigger_order(event.old, account.number)
    bodies: dict[str, Fields] = {
        "OrderTriggerPlaced": {"order": order, "reason": event.reason},
        "OrderTriggerCancelled": {"order": order, "reason": event.reason},
        "OrderTriggerUpdated": {"oldOrderTrigger": old, "newOrderTrigger": order, "reason": event.reason},
        "OrderTriggerActivated": {"order": order},
        "OrderTriggerEditRejected": {
            "attemptedOrderTrigger": order,
            "oldOrderTrigger": old,
            "orderError": event.error,
        },
    }
    return bodies[event.key]


def _execution(event: HistoryEvent) -> Fields:
    fill = event.fill
    assert fill is not None
    order = fill.order or event.order
    row = _execution_core(fill)
    row["order"] = None if order is None else own_order(order)
    row["executionType"] = "maker" if fill.fill_type == "maker" else "taker"
    row["orderData"] = {
        "fee": text(fill.fee),
        "positionSize": text(fill.position),
        "feeCalculationInfo": [
            {
                "percentageFee": text(fill.fee_percent),
                "userFeeDiscountApplied": "0",
                "marketShareRebateCredited": "0",
            }
        ],
    }
    return {"execution": row, "takerReducedQuantity": ""}


def _execution_core(fill: Fill) -> Fields:
    usd = fill.size if fill.fee_currency != "USD" else fill.size * fill.price
    return {
        "uid": fill.fill_id,
        "timestamp": millis(fill.at),
        "quantity": text(fill.size),
        "price": text(fill.price),
        "markPrice": text(fill.mark_price),
        "limitFilled": fill.limit_filled,
        "usdValue": format(usd, ".2f"),
    }


def market_execution(trade: TradePrint, mark: Decimal, *, inverse: bool) -> Fields:
    """An anonymous execution of the market, as an element. `mark` stands in where the print has none of its own."""
    usd = trade.size if inverse else trade.size * trade.price
    execution = {
        "uid": trade.uid,
        "makerOrder": _maker(trade),
        "takerOrder": _taker(trade),
        "timestamp": millis(trade.at),
        "quantity": text(trade.size),
        "price": text(trade.price),
        "markPrice": text(trade.mark or mark),
        "limitFilled": trade.limit_filled,
        "usdValue": format(usd, ".2f"),
    }
    event = {"Execution": {"execution": execution, "takerReducedQuantity": ""}}
    return {"uid": derived(trade.uid, "event"), "timestamp": millis(trade.at), "event": event}


def _maker(trade: TradePrint) -> Fields:
    return _public_order(
        uid=trade.maker_id or derived(trade.uid, "maker"),
        symbol=trade.symbol,
        side="sell" if trade.side == "buy" else "buy",
        quantity=trade.maker_quantity or trade.size,
        limit=trade.price,
        kind="Limit",
        at=millis(trade.at),
    )


def _taker(trade: TradePrint) -> Fields:
    return _public_order(
        uid=trade.taker_id or derived(trade.uid, "taker"),
        symbol=trade.symbol,
        side=trade.side,
        quantity=trade.taker_quantity or trade.size,
        limit=trade.taker_limit or trade.price,
        kind=TAKER_TYPE.get(trade.kind, "IoC"),
        at=millis(trade.at),
    )


def _public_order(
    *, uid: str, symbol: str, side: str, quantity: Decimal, limit: Decimal, kind: str, at: int
) -> Fields:
    """An order as the market's own events show it: nobody's name on it."""
    return {
        "uid": uid,
        "tradeable": symbol,
        "direction": DIRECTION[side],
        "quantity": text(quantity),
        "timestamp": at,
        "limitPrice": text(limit),
        "orderType": kind,
        "reduceOnly": False,
        "lastUpdateTimestamp": at,
    }


MARKET_REASON = {"OrderPlaced": "new_user_order", "OrderCancelled": "cancelled_by_user"}


def market_order(one: MarketOrder) -> Fields:
    at = millis(one.at)
    order = _public_order(
        uid=one.order_id, symbol=one.symbol, side=one.side, quantity=one.size, limit=one.price, kind="Limit", at=at
    )
    body: Fields = {"order": order, "reason": MARKET_REASON[one.key]}
    body |= {"reducedQuantity": ""} if one.key == "OrderPlaced" else {}
    return {"uid": derived(one.order_id, f"{one.key}/{one.seq}"), "timestamp": at, "event": {one.key: body}}


def market_price(symbol: str, candle: Candle) -> Fields:
    return {
        "uid": derived(symbol, str(candle.time)),
        "timestamp": candle.time,
        "event": {"price": text(candle.close)},
    }


def _position(event: HistoryEvent) -> Fields:
    change = event.position
    assert change is not None
    row: Fields = {
        "accountUid": event.account_uid,
        "tradeable": event.symbol,
        "oldPosition": text(change.old_size),
        "oldAverageEntryPrice": None if change.old_entry is None else text(change.old_entry),
        "newPosition": text(change.new_size),
        "newAverageEntryPrice": None if change.new_entry is None else text(change.new_entry),
        "fillTime": None if change.opened is None else millis(change.opened),
    }
    return row | dict(_reason_fields(change)) | {"timestamp": millis(event.at), "updateReason": change.reason}


def _reason_fields(change: PositionChange) -> Iterator[tuple[str, Any]]:
    """What only trades, fundings or settlements have; absent elsewhere."""
    if change.fee is not None:
        yield "fee", text(change.fee)
        yield "feeCurrency", change.fee_currency
    if change.realized_pnl is not None:
        yield "realizedPnL", text(change.realized_pnl)
    yield "positionChange", change.change
    if change.execution_uid is not None:
        yield "executionUid", change.execution_uid
        yield "executionPrice", optional_text(change.execution_price)
        yield "executionSize", optional_text(change.execution_size)
    if change.trade_type is not None:
        yield "tradeType", change.trade_type
    if change.funding_at is not None:
        yield "fundingRealizationTime", millis(change.funding_at)
    if change.realized_funding is not None:
        yield "realizedFunding", text(change.realized_funding)
    if change.settlement_price is not None:
        yield "settlementPrice", text(change.settlement_price)


_MONEY = (
    "fee",
    "funding_rate",
    "liquidation_fee",
    "mark_price",
    "new_average_entry_price",
    "old_average_entry_price",
    "realized_funding",
    "realized_pnl",
    "trade_price",
    "conversion_spread_percentage",
)


def log_row(entry: LogEntry, numbers: Fields) -> Fields:
    """A row of `account-log`; `numbers` holds its decimals, printed by the caller's rule for missing ones."""
    return {
        "asset": entry.asset,
        "booking_uid": entry.booking_uid,
        "collateral": entry.collateral,
        "contract": entry.contract,
        "execution": entry.execution,
        "id": entry.id,
        "info": entry.info,
        "margin_account": entry.margin_account,
        "position_uid": None,
        **numbers,
    }


def log_numbers(entry: LogEntry) -> dict[str, Decimal | None]:
    names = (*_MONEY, "new_balance", "old_balance")
    return {name: getattr(entry, name) for name in names}
