"""Kraken's vocabulary: which of its words means which of ours, in both directions and every spelling it uses."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from krakenfutures.numbers import iso, plain
from krakenfutures.values import (
    Change,
    ContractKind,
    NewOrder,
    OrderRef,
    OrderState,
    OrderType,
    Permission,
    Side,
    TriggerSignal,
)

SIDES = {
    "buy": Side.BUY,
    "sell": Side.SELL,
    "Buy": Side.BUY,
    "Sell": Side.SELL,
    "long": Side.BUY,
    "short": Side.SELL,
}

KINDS = {
    "futures_inverse": ContractKind.INVERSE,
    "flexible_futures": ContractKind.LINEAR,
    "futures_vanilla": ContractKind.VANILLA,
    "options": ContractKind.OPTION,
}
KIND_BY_PREFIX = {
    "PI": ContractKind.INVERSE,
    "FI": ContractKind.INVERSE,
    "PF": ContractKind.LINEAR,
    "FF": ContractKind.LINEAR,
    "PV": ContractKind.VANILLA,
    "FV": ContractKind.VANILLA,
    "OF": ContractKind.OPTION,
}

# Post-only orders are shown as plain limits once they rest; a market order is an ioc on the wire.
ORDER_TYPES = {
    "lmt": OrderType.LIMIT,
    "limit": OrderType.LIMIT,
    "Limit": OrderType.LIMIT,
    "post": OrderType.POST,
    "Post": OrderType.POST,
    "ioc": OrderType.IOC,
    "IoC": OrderType.IOC,
    "fok": OrderType.FOK,
    "fillOrKill": OrderType.FOK,
    "mkt": OrderType.MARKET,
    "market": OrderType.MARKET,
    "Market": OrderType.MARKET,
    "stp": OrderType.STOP,
    "stop": OrderType.STOP,
    "take_profit": OrderType.TAKE_PROFIT,
    "trailing_stop": OrderType.TRAILING_STOP,
}
SENT_TYPES = {
    OrderType.LIMIT: "lmt",
    OrderType.POST: "post",
    OrderType.IOC: "ioc",
    OrderType.FOK: "fok",
    OrderType.MARKET: "mkt",
    OrderType.STOP: "stp",
    OrderType.TAKE_PROFIT: "take_profit",
    OrderType.TRAILING_STOP: "trailing_stop",
}

SIGNALS = {
    "mark": TriggerSignal.MARK,
    "mark_price": TriggerSignal.MARK,
    "MARK_PRICE": TriggerSignal.MARK,
    "MarkPrice": TriggerSignal.MARK,
    "spot": TriggerSignal.INDEX,
    "index": TriggerSignal.INDEX,
    "spot_price": TriggerSignal.INDEX,
    "SPOT_PRICE": TriggerSignal.INDEX,
    "SpotPrice": TriggerSignal.INDEX,
    "last": TriggerSignal.LAST,
    "last_price": TriggerSignal.LAST,
    "LAST_PRICE": TriggerSignal.LAST,
    "LastPrice": TriggerSignal.LAST,
}

OPEN_STATES = {"untouched": OrderState.OPEN, "partiallyFilled": OrderState.PARTLY_FILLED}
LOOKUP_STATES = {
    "ENTERED_BOOK": OrderState.OPEN,
    "FULLY_EXECUTED": OrderState.FILLED,
    "REJECTED": OrderState.REJECTED,
    "CANCELLED": OrderState.CANCELLED,
    "TRIGGER_PLACED": OrderState.OPEN,
    "TRIGGER_ACTIVATION_FAILURE": OrderState.REJECTED,
}

# Why an order left the book, as the live feed says it, and what that makes of it.
GONE_STATES = {
    "full_fill": OrderState.FILLED,
    "partial_fill": OrderState.CANCELLED,  # held by Maker Protection: the rest was dropped
    "cancelled_by_user": OrderState.CANCELLED,
    "cancelled_by_admin": OrderState.CANCELLED,
    "dead_man_switch": OrderState.CANCELLED,
    "liquidation": OrderState.CANCELLED,
    "not_enough_margin": OrderState.CANCELLED,
    "market_inactive": OrderState.CANCELLED,
    "contract_expired": OrderState.EXPIRED,
    "stop_order_triggered": OrderState.PENDING,  # the same id comes back as a plain order
    "ioc_order_failed_because_it_would_not_be_executed": OrderState.REJECTED,
    "post_order_failed_because_it_would_filled": OrderState.REJECTED,
    "post_order_failed_because_it_would_be_filled": OrderState.REJECTED,
    "would_execute_self": OrderState.CANCELLED,
    "would_not_reduce_position": OrderState.CANCELLED,
}

FILL_TYPES = frozenset(
    {
        "maker",
        "taker",
        "liquidation",
        "partialLiquidation",
        "assignor",
        "assignee",
        "takerAfterEdit",
        "unwindBankrupt",
        "unwindCounterparty",
    }
)
TRADE_TYPES = frozenset({"fill", "liquidation", "termination", "block", "assignment", "unwind"})

PERMISSIONS = {
    "NO_ACCESS": Permission.NONE,
    "READ_ONLY": Permission.READ,
    "FULL_ACCESS": Permission.FULL,
}

TRAILING_UNITS = {"percent": "PERCENT", "quote": "QUOTE_CURRENCY"}


def kind_of(symbol: str) -> ContractKind:
    """What the prefix of a symbol says about the contract."""
    return KIND_BY_PREFIX.get(symbol[:2].upper(), ContractKind.UNKNOWN)


def wallet_of(symbol: str) -> str:
    """The wallet that margins a contract: `flex`, or `fi_xbtusd` for PI_XBTUSD and FI_XBTUSD_261225 alike."""
    prefix, pair = symbol[:1].upper(), symbol.split("_")[1].lower() if "_" in symbol else ""
    kind = kind_of(symbol)
    if kind is ContractKind.INVERSE:
        return f"fi_{pair}"
    if kind is ContractKind.VANILLA and prefix in {"P", "F"}:
        return f"fv_{pair}"
    return "flex"


def send_words(order: NewOrder, deadline: datetime | None = None) -> dict[str, str | Decimal | bool]:
    """The parameters of a placement. Numbers stay `Decimal`: whoever writes the text writes them plain."""
    words: dict[str, str | Decimal | bool] = {
        "orderType": SENT_TYPES[order.type],
        "symbol": order.symbol.upper(),
        "side": order.side.value,
        "size": order.size,
        "cliOrdId": order.client_id,
    }
    if order.limit_price is not None:
        words["limitPrice"] = order.limit_price
    if order.stop_price is not None:
        words["stopPrice"] = order.stop_price
    if order.trigger_signal is not None:
        words["triggerSignal"] = order.trigger_signal.value
    if order.reduce_only:
        words["reduceOnly"] = True
    if order.trailing_deviation is not None:
        words["trailingStopMaxDeviation"] = order.trailing_deviation
        words["trailingStopDeviationUnit"] = TRAILING_UNITS[order.trailing_unit or "percent"]
    if deadline is not None:
        words["processBefore"] = iso(deadline)
    return words


def edit_words(ref: OrderRef, change: Change, deadline: datetime) -> dict[str, str | Decimal | bool]:
    """The parameters of an edit. ABSOLUTE: our sizes are totals, and a fill on the way must not enlarge the order."""
    words = ref_words(ref, venue_name="orderId")
    if change.size is not None:
        words["size"] = change.size
        words["qtyMode"] = "ABSOLUTE"
    if change.limit_price is not None:
        words["limitPrice"] = change.limit_price
    if change.stop_price is not None:
        words["stopPrice"] = change.stop_price
    if change.trailing_deviation is not None:
        words["trailingStopMaxDeviation"] = change.trailing_deviation
        words["trailingStopDeviationUnit"] = TRAILING_UNITS[change.trailing_unit or "percent"]
    words["processBefore"] = iso(deadline)
    return words


def ref_words(ref: OrderRef, *, venue_name: str) -> dict[str, str | Decimal | bool]:
    """How one order is named; edits say `orderId` where cancels say `order_id`. Raises `ValueError` without any id."""
    if ref.venue_id:
        return {venue_name: ref.venue_id}
    if ref.client_id:
        return {"cliOrdId": ref.client_id}
    raise ValueError("an order without any id cannot be named")


def as_text(value: str | Decimal | bool) -> str:
    """One parameter as a request carries it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return plain(value) if isinstance(value, Decimal) else value
