"""Pages of the history API: decimals are strings there, times epoch milliseconds, words in camel case."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from krakenfutures.errors import Unreadable
from krakenfutures.history import AccountEvent, HistoryPage, HistoryStream, PositionEvent
from krakenfutures.numbers import normal_currency
from krakenfutures.parse.fields import Fields
from krakenfutures.values import ContractKind, Fill, OrderType, TriggerSignal
from krakenfutures.words import ORDER_TYPES, SIDES, SIGNALS, kind_of

EVENT_KINDS = {
    "OrderPlaced": "placed",
    "OrderUpdated": "updated",
    "OrderCancelled": "cancelled",
    "OrderRejected": "rejected",
    "OrderEditRejected": "edit_rejected",
    "OrderNotFound": "not_found",
    "OrderTriggerPlaced": "placed",
    "OrderTriggerUpdated": "updated",
    "OrderTriggerCancelled": "cancelled",
    "OrderTriggerActivated": "activated",
    "OrderTriggerEditRejected": "edit_rejected",
}
ROLES = ("taker", "maker")
# An order of the venue's own making says more of its fills than which side of the book it stood on.
MADE_BY_VENUE = {"Liquidation": "liquidation", "Assignment": "assignment", "Unwind": "unwind"}
HISTORY_TYPES = {**ORDER_TYPES, "FoK": OrderType.FOK, **dict.fromkeys(MADE_BY_VENUE, OrderType.UNKNOWN)}
CHANGES = {word: word for word in ("open", "close", "increase", "decrease", "reverse", "noChange")}
REASONS = {word: word for word in ("trade", "fundingRealisation", "settlement")}


def parse_page(stream: HistoryStream, answer: Any) -> HistoryPage:
    whole = Fields(answer, "a page of history")
    fills: list[Fill] = []
    events: list[AccountEvent] = []
    positions: list[PositionEvent] = []
    for raw in whole.rows("elements"):
        one = _read(stream, raw)
        if isinstance(one, Fill):
            fills.append(one)
        elif isinstance(one, PositionEvent):
            positions.append(one)
        else:
            events.append(one)
    return HistoryPage(
        fills=tuple(fills),
        events=tuple(events),
        positions=tuple(positions),
        after=whole.text("continuationToken") or "",
    )


def _read(stream: HistoryStream, raw: Any) -> Fill | AccountEvent | PositionEvent:
    """Raises `Unreadable` only for an element without id or time."""
    element = Fields(raw, "an element of history")
    id, at = element.need_text("uid"), element.need_time("timestamp")
    event = element.take("event")
    kind, body = next(iter(event.items()), ("", None)) if isinstance(event, dict) else ("", None)
    reader = READERS.get(kind)
    try:
        if reader is None:
            raise Unreadable(f"the event {kind!r} is not known")
        return reader(id, at, kind, body)
    except Unreadable as problem:
        unknown = {"event": event, "why": str(problem)}
        return AccountEvent(id=id, stream=stream, at=at, kind=kind or "unknown", unknown=unknown)


def _execution(id: str, at: datetime, kind: str, body: Any) -> Fill:
    outer = Fields(body, "an execution event")
    outer.ignore("takerReducedQuantity")
    row = Fields(outer.need("execution"), "an execution")
    row.ignore("markPrice", "limitFilled", "usdValue", "oldTakerOrder", "regulatoryData", "partnerTradeId")
    role, order = _ours(row)
    data = row.take("orderData", f"{role}OrderData")
    symbol = order.need_text("tradeable").upper()
    fee = None if data is None else Fields(data, "the money of an execution").decimal("fee")
    made = MADE_BY_VENUE.get(str(order.take("orderType")))
    return Fill(
        id=row.need_text("uid"),
        order_id=order.need_text("uid"),
        client_id=order.text("clientId"),
        symbol=symbol,
        side=SIDES[_direction(order)],
        size=row.need_decimal("quantity"),
        price=row.need_decimal("price"),
        at=row.need_time("timestamp"),
        kind=made if made and role == "taker" else role,
        fee=fee,
        fee_currency=None if fee is None else fee_currency(symbol),
        unknown=row.unknown(),
    )


def _ours(row: Fields) -> tuple[str, Fields]:
    """Our role in it and our order. Older executions name both sides, and only ours has the account's uid."""
    sides = {role: row.take(f"{role}Order") for role in ROLES}
    row.ignore(*(f"{role}OrderData" for role in ROLES))
    role = row.text("executionType")
    if role is not None and role not in ROLES:
        row.keep("executionType", role)
    order = row.take("order")
    if order is None:
        role = next((one for one, side in sides.items() if isinstance(side, dict) and side.get("accountUid")), None)
        order = sides.get(role or "")
    if order is None:
        raise Unreadable("the execution does not say which order was ours")
    return role or "unknown", Fields(order, "the order of an execution")


def fee_currency(symbol: str) -> str:
    """What fees of a contract are paid in: the coin of an inverse one, else dollars."""
    if kind_of(symbol) is not ContractKind.INVERSE:
        return "USD"
    return normal_currency(symbol.split("_")[1].removesuffix("USD"))


def _direction(order: Fields) -> str:
    side = order.need_text("direction")
    if side not in SIDES:
        raise Unreadable(f"{side!r} is not a side")
    return side


def _order_event(stream: HistoryStream) -> Callable[[str, datetime, str, Any], AccountEvent]:
    def read(id: str, at: datetime, kind: str, body: Any) -> AccountEvent:
        row = Fields(body, "an event of an order")
        row.ignore("reducedQuantity", "accountUid")
        named = row.text("orderId")
        new = _terms(row.take("order", "newOrder", "attemptedOrder", "newOrderTrigger", "attemptedOrderTrigger"))
        old = _terms(row.take("oldOrder", "oldOrderTrigger"))
        if not new and not named:
            raise Unreadable("the event names no order")
        changed = {f"old_{name}": old[name] for name in ("size", "limit_price", "stop_price") if old.get(name)}
        missing = {"order_id": named.removeprefix("Uuid(uuid=").removesuffix(")")} if named else {}
        odd = new.pop("unknown", {})
        return AccountEvent(
            id=id,
            stream=stream,
            at=at,
            kind=EVENT_KINDS[kind],
            reason=row.text("reason") or "",
            error=row.text("orderError") or "",
            unknown={**row.unknown(), **({"order": odd} if odd else {})},
            **{**missing, **changed, **new},
        )

    return read


def _terms(raw: Any) -> dict[str, Any]:
    """What an order or trigger object says, by our names."""
    if raw is None:
        return {}
    row = Fields(raw, "an order in history")
    row.ignore(
        "accountUid", "accountId", "timestamp", "lastUpdateTimestamp", "spotData", "regulatoryExternalUid",
        "positionUid",
    )  # fmt: skip
    trigger = row.take("triggerOptions")
    return {
        "order_id": row.need_text("uid"),
        "client_id": row.text("clientId"),
        "symbol": row.need_text("tradeable").upper(),
        "side": row.word(SIDES, "direction"),
        "type": row.word(HISTORY_TYPES, "orderType", otherwise=OrderType.UNKNOWN),
        "size": row.decimal("quantity"),
        "filled": row.decimal("filled"),
        "limit_price": row.nonzero("limitPrice"),
        "reduce_only": row.flag("reduceOnly"),
        **(_trigger(trigger) if isinstance(trigger, Mapping) else {}),
        "unknown": row.unknown(),
    }


def _trigger(raw: Mapping[str, Any]) -> dict[str, Decimal | TriggerSignal | None]:
    row = Fields(dict(raw), "how an order is triggered")
    return {"stop_price": row.nonzero("triggerPrice"), "trigger_signal": row.word(SIGNALS, "triggerSignal")}


def _position(id: str, at: datetime, kind: str, body: Any) -> PositionEvent:
    row = Fields(body, "a position's event")
    row.ignore("accountUid", "timestamp", "fillTime", "fundingRealizationTime")
    currency, execution = row.text("feeCurrency"), row.text("executionUid") or ""
    symbol = row.need_text("tradeable").upper()
    reason = row.word(REASONS, "updateReason", otherwise=str(row.take("updateReason") or "unknown"))
    return PositionEvent(
        id=":".join((id, str(int(at.timestamp() * 1000)), symbol, execution or reason)),
        at=at,
        symbol=symbol,
        change=row.word(CHANGES, "positionChange", otherwise=str(row.take("positionChange") or "unknown")),
        reason=reason,
        old_size=row.need_decimal("oldPosition"),
        new_size=row.need_decimal("newPosition"),
        old_entry=row.decimal("oldAverageEntryPrice"),
        new_entry=row.decimal("newAverageEntryPrice"),
        execution=execution,
        price=row.decimal("executionPrice"),
        size=row.decimal("executionSize"),
        trade_kind=row.text("tradeType") or "",
        fee=row.decimal("fee"),
        fee_currency=normal_currency(currency) if currency else "",
        realised_pnl=row.decimal("realizedPnL"),
        realised_funding=row.decimal("realizedFunding"),
        settlement_price=row.decimal("settlementPrice"),
        unknown=row.unknown(),
    )


Reader = Callable[[str, datetime, str, Any], "Fill | AccountEvent | PositionEvent"]
READERS: dict[str, Reader] = {
    "Execution": _execution,
    "execution": _execution,  # as older private answers spell it
    "PositionUpdate": _position,
    **{
        kind: _order_event(HistoryStream.TRIGGERS if "Trigger" in kind else HistoryStream.ORDERS)
        for kind in EVENT_KINDS
    },
}
