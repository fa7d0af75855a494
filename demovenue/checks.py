"""What an order must satisfy before anything happens. Each check answers with Kraken's status word, or nothing.

Limits that Kraken does not publish are chosen here and nowhere else.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from demovenue.floor import Floor
from demovenue.market import Market
from demovenue.sums import is_multiple, is_sane, notional_usd
from demovenue.values import Order, OrderWish

MAX_CLI_ORD_ID = 100
MAX_ORDERS = 2000  # open, per account
MAX_SMALL_ORDERS = 1000  # open, per market, below SMALL_ORDER
SMALL_ORDER = Decimal(1)  # USD of notional
MAX_TRAILING = 100  # open trailing stops, per account
DEVIATION_STEP, MAX_DEVIATION = Decimal("0.1"), Decimal(50)  # percent, of trailing stops
OFFSET_STEP, MAX_OFFSET = Decimal("0.01"), Decimal(50)  # percent of the trigger price
COLLAR = Decimal("0.2")  # how far beyond the mark a limit may reach into the other side
TYPES = {"lmt", "post", "ioc", "fok", "mkt", "stp", "take_profit", "trailing_stop"}
TRIGGERS = {"stp": "stop", "take_profit": "take_profit", "trailing_stop": "trailing_stop"}
PRICED = {"lmt", "post", "ioc", "fok"}

# status of the answer → reason of the event and `error` of orders/status
REASONS = {
    "insufficientAvailableFunds": "INSUFFICIENT_MARGIN",
    "wouldCauseLiquidation": "WOULD_CAUSE_LIQUIDATION",
    "invalidPrice": "INVALID_PRICE",
    "invalidSize": "INVALID_QUANTITY",
    "clientOrderIdAlreadyExist": "CLIENT_ORDER_ID_IN_USE",
    "clientOrderIdTooLong": "CLIENT_ORDER_ID_TOO_LONG",
    "maxPositionViolation": "MAX_POSITION_EXCEEDED",
    "outsidePriceCollar": "PRICE_COLLAR",
    "wouldIncreasePriceDislocation": "PRICE_DISLOCATION",
    "selfFill": "WOULD_EXECUTE_SELF",
    "wouldNotReducePosition": "WOULD_NOT_REDUCE_POSITION",
    "tooManySmallOrders": "SMALL_ORDER_LIMIT_EXCEEDED",
    "tooManyOrders": "ORDER_LIMIT_EXCEEDED",
    "marketIsPostOnly": "MARKET_IS_POST_ONLY",
    "marketSuspended": "MARKET_SUSPENDED",
    "marketInactive": "MARKET_NOT_FOUND",
    "fixedLeverageTooHigh": "FIXED_LEVERAGE_TOO_HIGH",
    "postWouldExecute": "POST_WOULD_EXECUTE",
    "iocWouldNotExecute": "IOC_WOULD_NOT_EXECUTE",
    "orderForEditNotAStop": "ORDER_CANNOT_HAVE_TRIGGER_PRICE",
}


# What has an error of its own, but no status: error → status.
STATUSES = {
    "TRAILING_STOP_ORDER_LIMIT_EXCEEDED": "tooManyOrders",
    "TRAILING_STOP_MAX_DEVIATION_TOO_SMALL": "invalidPrice",
    "TRAILING_STOP_MAX_DEVIATION_TOO_LARGE": "invalidPrice",
    "TRAILING_STOP_PERCENT_DEVIATION_EXCEEDS_MAX_DECIMAL_PLACES": "invalidPrice",
    "TRAILING_STOP_QUOTE_DEVIATION_NOT_MULTIPLE_OF_TICK_SIZE": "invalidPrice",
    "LIMIT_PRICE_SET_AS_ABSOLUTE_AND_RELATIVE": "invalidPrice",
    "LIMIT_PRICE_OFFSET_MUST_HAVE_VALUE_AND_UNIT": "invalidPrice",
    "LIMIT_PRICE_OFFSET_VALUE_INVALID": "invalidPrice",
    "LIMIT_PRICE_OFFSET_QUOTE_CURRENCY_VALUE_MUST_BE_MULTIPLE_OF_TICK_SIZE": "invalidPrice",
    "LIMIT_PRICE_OFFSET_PERCENT_VALUE_TOO_MANY_DECIMAL_PLACES": "invalidPrice",
    "LIMIT_PRICE_OFFSET_TOO_HIGH": "invalidPrice",
    "LIMIT_PRICE_OFFSET_TOO_LOW": "invalidPrice",
    "CANNOT_EDIT_TRIGGER_PRICE_OF_TRAILING_STOP": "cannotEditTriggerPriceOfTrailingStop",
    "CANNOT_EDIT_LIMIT_PRICE_OF_TRAILING_STOP": "cannotEditLimitPriceOfTrailingStop",
}


def named(refusal: str) -> tuple[str, str]:
    """(status of the answer, reason of the event) of a refusal that is called by either."""
    if refusal in STATUSES:
        return STATUSES[refusal], refusal
    return refusal, REASONS.get(refusal, refusal)


def form(wish: OrderWish) -> str | None:
    """Is it an order at all?"""
    if wish.order_type not in TYPES:
        return "invalidOrderType"
    if wish.side not in {"buy", "sell"}:
        return "invalidSide"
    if wish.cli_ord_id is not None and len(wish.cli_ord_id) > MAX_CLI_ORD_ID:
        return "clientOrderIdTooLong"
    if wish.cli_ord_id is not None and not wish.cli_ord_id.strip():
        return "clientOrderIdInvalid"
    return None


def timing(process_before: datetime | None, now: datetime) -> str | None:
    late = process_before is not None and process_before < now
    return "wouldProcessAfterSpecifiedTime" if late else None


def market_open(market: Market, order_type: str, now: datetime) -> str | None:
    maturity = market.instrument.maturity
    if maturity is not None and now >= maturity:
        return "marketInactive"
    if market.status.suspended:
        return "marketSuspended"
    if market.status.post_only and order_type in PRICED | {"mkt"} and order_type != "post":
        return "marketIsPostOnly"
    return None


def size(market: Market, amount: Decimal) -> str | None:
    instrument = market.instrument
    if not is_sane(amount) or amount <= 0 or not is_multiple(amount, instrument.lot):
        return "invalidSize"
    if amount > instrument.max_position:
        return "maxPositionViolation"
    return None


def on_tick(market: Market, price: Decimal | None) -> bool:
    return price is not None and is_sane(price) and price > 0 and is_multiple(price, market.instrument.tick)


def collar(market: Market, side: str, limit: Decimal) -> str | None:
    """A buy far above the mark or a sell far below it is a slip of the finger."""
    too_far = limit > market.mark * (1 + COLLAR) if side == "buy" else limit < market.mark * (1 - COLLAR)
    return "outsidePriceCollar" if too_far else None


def prices(market: Market, wish: OrderWish) -> str | None:
    if wish.order_type in PRICED and not on_tick(market, wish.limit_price):
        return "invalidPrice"
    if wish.order_type in PRICED and wish.limit_price is not None:
        return collar(market, wish.side, wish.limit_price)
    if wish.order_type in {"stp", "take_profit"} and not on_tick(market, wish.stop_price):
        return "invalidPrice"
    if wish.order_type in TRIGGERS and wish.limit_price is not None and not on_tick(market, wish.limit_price):
        return "invalidPrice"
    return None


def trailing(market: Market, deviation: Decimal | None, unit: str | None) -> str | None:
    if deviation is None or not is_sane(deviation) or unit not in {"PERCENT", "QUOTE_CURRENCY"}:
        return "invalidPrice"
    if deviation < (DEVIATION_STEP if unit == "PERCENT" else market.instrument.tick):
        return "TRAILING_STOP_MAX_DEVIATION_TOO_SMALL"
    if deviation > (MAX_DEVIATION if unit == "PERCENT" else market.mark * MAX_DEVIATION / 100):
        return "TRAILING_STOP_MAX_DEVIATION_TOO_LARGE"
    if unit == "PERCENT" and not is_multiple(deviation, DEVIATION_STEP):
        return "TRAILING_STOP_PERCENT_DEVIATION_EXCEEDS_MAX_DECIMAL_PLACES"
    if unit == "QUOTE_CURRENCY" and not is_multiple(deviation, market.instrument.tick):
        return "TRAILING_STOP_QUOTE_DEVIATION_NOT_MULTIPLE_OF_TICK_SIZE"
    return None


def limit_offset(market: Market, order: Order) -> str | None:
    """A limit that is told as a distance from the trigger price."""
    value, unit, trigger = order.limit_offset_value, order.limit_offset_unit, order.trigger_price
    if value is None and unit is None:
        return None
    if value is None or unit is None:
        return "LIMIT_PRICE_OFFSET_MUST_HAVE_VALUE_AND_UNIT"
    if order.limit_price is not None:
        return "LIMIT_PRICE_SET_AS_ABSOLUTE_AND_RELATIVE"
    if not is_sane(value) or trigger is None:
        return "LIMIT_PRICE_OFFSET_VALUE_INVALID"
    if unit == "QUOTE_CURRENCY" and not is_multiple(value, market.instrument.tick):
        return "LIMIT_PRICE_OFFSET_QUOTE_CURRENCY_VALUE_MUST_BE_MULTIPLE_OF_TICK_SIZE"
    if unit == "PERCENT" and not is_multiple(value, OFFSET_STEP):
        return "LIMIT_PRICE_OFFSET_PERCENT_VALUE_TOO_MANY_DECIMAL_PLACES"
    percent = value if unit == "PERCENT" else value / trigger * 100
    if abs(percent) <= MAX_OFFSET:
        return None
    return "LIMIT_PRICE_OFFSET_TOO_HIGH" if percent > 0 else "LIMIT_PRICE_OFFSET_TOO_LOW"


def counts(floor: Floor, uid: str, market: Market, wish: OrderWish) -> str | None:
    """Limits on how many orders may be open."""
    orders = floor.orders[uid]
    if len(orders) >= MAX_ORDERS:
        return "tooManyOrders"
    if wish.order_type == "trailing_stop":
        trailing_ones = sum(order.trigger_kind == "trailing_stop" for order in orders.values())
        return "TRAILING_STOP_ORDER_LIMIT_EXCEEDED" if trailing_ones >= MAX_TRAILING else None
    return small_ones(floor, uid, market, wish.size)


def small_ones(floor: Floor, uid: str, market: Market, size: Decimal) -> str | None:
    """One more of this size."""
    if not is_small(market, size):
        return None
    found = [o for o in floor.orders[uid].values() if o.symbol == market.symbol and is_small(market, o.quantity)]
    return "tooManySmallOrders" if len(found) >= MAX_SMALL_ORDERS else None


def is_small(market: Market, size: Decimal) -> bool:
    return notional_usd(market.instrument.inverse, size, market.mark) < SMALL_ORDER


def position_limit(floor: Floor, uid: str, market: Market, side: str, amount: Decimal) -> str | None:
    """The position that would result if `amount`, every order of this side, filled."""
    sign = 1 if side == "buy" else -1
    result = floor.position_size(uid, market.symbol) * sign + amount
    return "maxPositionViolation" if result > market.instrument.max_position else None
