"""Kraken's codes in words for people: what happened, and what to do about it."""
# ruff: noqa: E501 (a sentence is read best on one line)

from __future__ import annotations

ERRORS = {
    "accountInactive": "This account is not active. Ask Kraken's support to activate it.",
    "apiLimitExceeded": "Too many requests for this key in a short time. Wait a few seconds and try again.",
    "authenticationError": "Kraken does not accept this key for this call. The key or its private key is wrong, was"
    " deleted, may not be used from this address, or lacks the permission.",
    "insufficientFunds": "There is not enough money in that wallet. Choose a smaller amount.",
    "invalidAccount": "Kraken does not know one of these wallets for this account.",
    "invalidAmount": "Kraken does not accept this amount: it is too small, or has too many decimals. Nothing was moved.",
    "invalidArgument": "Kraken did not accept one of the values.",
    "invalidUnit": "This wallet does not hold that currency.",
    "Json Parse Error": "Kraken could not read the request. Nothing was done; please report this.",
    "marketUnavailable": "This market is closed at the moment. Try again when it is open.",
    "nonceBelowThreshold": "Another program uses the same key and counts ahead of this one. Nothing was done. Give each"
    " program a key of its own.",
    "nonceDuplicate": "Another program uses the same key and counted the same number. Nothing was done. Give each"
    " program a key of its own.",
    "notFound": "Kraken does not know it.",
    "requiredArgumentMissing": "Kraken misses a value that this request needs.",
    "Server Error": "Kraken had an error of its own. It is not certain whether the request was carried out.",
    "Unavailable": "Kraken does not offer this at the moment. Try again later.",
    "unavailable": "Kraken does not offer this at the moment. Try again later.",
    "unknownError": "Kraken had an error of its own. It is not certain whether the request was carried out.",
    "contractNotFound": "Kraken does not know this contract. It may have expired.",
    "Bad Request": "Kraken did not understand the request.",
    "BAD_REQUEST": "Kraken did not understand the request.",
    "NOT_FOUND": "Kraken does not know what was asked for.",
    "unauthorized": "Kraken does not accept this key for this call.",
    "invalidSecret": "This private key is not one Kraken gives out. Copy it again, whole, from Kraken's key page.",
    "notSent": "Kraken could not be reached, so nothing was sent. Check the connection and try again.",
    "throttled": "This key has used up its requests for the moment, so nothing was done. Wait a few seconds and try again.",
}

SETTINGS = {
    "CONTRACT_DOES_NOT_EXIST": "Kraken does not know this contract.",
    "WOULD_CAUSE_LIQUIDATION": "This would liquidate the position. Add margin or reduce it first.",
    "NOT_MULTI_COLLATERAL_CONTRACT": "This can only be set for multi-collateral contracts.",
    "CURRENCY_DOES_NOT_EXIST": "Kraken does not know this currency.",
    "INSUFFICIENT_MARGIN": "There is not enough available margin for this.",
}

STATUSES = {
    "marketSuspended": "This market is suspended: it takes no orders now, only cancels. Try again later.",
    "marketInactive": "This market is not active. The contract may have expired.",
    "invalidPrice": "Kraken does not accept this price. It must be above zero and a multiple of the contract's tick.",
    "invalidSize": "Kraken does not accept this size. It must be above zero and a multiple of the contract's size step.",
    "tooManySmallOrders": "Too many small orders are open. Cancel some, or use a larger size.",
    "insufficientAvailableFunds": "There is not enough available margin for this order. Use a smaller size or add funds.",
    "wouldCauseLiquidation": "This order would bring the account to liquidation. Use a smaller size or add funds.",
    "clientOrderIdAlreadyExist": "An order with this id exists already: it arrived before.",
    "clientOrderIdTooBig": "The order's own id is too long for Kraken.",
    "clientOrderIdTooLong": "The order's own id is too long for Kraken.",
    "clientOrderIdInvalid": "Kraken does not accept the order's own id.",
    "maxPositionViolation": "The position would exceed the largest that Kraken allows. Use a smaller size.",
    "outsidePriceCollar": "The price is too far from the market, so Kraken takes it for a mistake. Move it closer.",
    "wouldIncreasePriceDislocation": "The market is dislocated, and this order would make it worse. Wait, or change the price.",
    "notFound": "No open order has this id: it has been filled or cancelled, or it never arrived. See its history.",
    "filled": "The order had already been filled completely, so there was nothing left to cancel.",
    "orderForEditNotAStop": "Only a stop order has a stop price to change.",
    "orderForEditNotFound": "The order is no longer open: it has been filled or cancelled. See its history.",
    "postWouldExecute": "Post-only: this price would have traded at once, so Kraken did not place it. Move it away from"
    " the other side.",
    "iocWouldNotExecute": "Immediate-or-cancel: nothing could be traded at this price. Choose a price nearer the market.",
    "selfFill": "The order would have traded with one of your own. Cancel that one first, or change the price.",
    "wouldNotReducePosition": "Reduce-only: there is no position that this order would reduce.",
    "marketIsPostOnly": "This market takes post-only orders now. Send it as post-only, or wait.",
    "tooManyOrders": "Too many orders are open in this market. Cancel some first.",
    "fixedLeverageTooHigh": "The leverage set for this contract is too high for this size. Lower it or use a smaller size.",
    "cannotEditTriggerPriceOfTrailingStop": "The trigger of a trailing stop moves by itself and cannot be set.",
    "cannotEditLimitPriceOfTrailingStop": "A trailing stop's limit price cannot be changed.",
    "wouldProcessAfterSpecifiedTime": "The order reached Kraken too late and was not placed. Send it again if you still"
    " want it.",
    "invalidOrderType": "This market does not take this type of order.",
    "invalidSide": "Kraken did not understand the side of the order.",
    "noOrdersToCancel": "There were no open orders to cancel.",
    "requiredArgumentMissing": ERRORS["requiredArgumentMissing"],
}

# `error` in a look-up and `reason` in a rejection speak this second language.
ORDER_ERRORS = {
    "MARKET_SUSPENDED": STATUSES["marketSuspended"],
    "MARKET_NOT_FOUND": STATUSES["marketInactive"],
    "INVALID_PRICE": STATUSES["invalidPrice"],
    "INVALID_QUANTITY": STATUSES["invalidSize"],
    "SMALL_ORDER_LIMIT_EXCEEDED": STATUSES["tooManySmallOrders"],
    "INSUFFICIENT_MARGIN": STATUSES["insufficientAvailableFunds"],
    "INSUFFICIENT_CLOSING_MARGIN": "There is not enough margin to close at this price.",
    "WOULD_CAUSE_LIQUIDATION": STATUSES["wouldCauseLiquidation"],
    "CLIENT_ORDER_ID_IN_USE": STATUSES["clientOrderIdAlreadyExist"],
    "CLIENT_ORDER_ID_TOO_LONG": STATUSES["clientOrderIdTooLong"],
    "MAX_POSITION_EXCEEDED": STATUSES["maxPositionViolation"],
    "PRICE_COLLAR": STATUSES["outsidePriceCollar"],
    "PRICE_DISLOCATION": STATUSES["wouldIncreasePriceDislocation"],
    "EDIT_HAS_NO_EFFECT": "Nothing was different, so the order stays as it was.",
    "ORDER_FOR_CANCELLATION_NOT_FOUND": STATUSES["notFound"],
    "ORDER_FOR_EDIT_NOT_FOUND": STATUSES["orderForEditNotFound"],
    "ORDER_CANNOT_HAVE_TRIGGER_PRICE": "This type of order takes no trigger price.",
    "POST_WOULD_EXECUTE": STATUSES["postWouldExecute"],
    "IOC_WOULD_NOT_EXECUTE": STATUSES["iocWouldNotExecute"],
    "WOULD_EXECUTE_SELF": STATUSES["selfFill"],
    "WOULD_NOT_REDUCE_POSITION": STATUSES["wouldNotReducePosition"],
    "REJECTED_AFTER_EXECUTION": "Part of the order was filled; Kraken refused the rest.",
    "MARKET_IS_POST_ONLY": STATUSES["marketIsPostOnly"],
    "ORDER_LIMIT_EXCEEDED": STATUSES["tooManyOrders"],
    "FIXED_LEVERAGE_TOO_HIGH": STATUSES["fixedLeverageTooHigh"],
    "CANNOT_EDIT_TRIGGER_PRICE_OF_TRAILING_STOP": STATUSES["cannotEditTriggerPriceOfTrailingStop"],
    "CANNOT_EDIT_LIMIT_PRICE_OF_TRAILING_STOP": STATUSES["cannotEditLimitPriceOfTrailingStop"],
    "TRAILING_STOP_ORDER_LIMIT_EXCEEDED": "Too many trailing stops are open. Cancel some first.",
    "TRAILING_STOP_PERCENT_DEVIATION_EXCEEDS_MAX_DECIMAL_PLACES": "The deviation has too many decimals.",
    "TRAILING_STOP_QUOTE_DEVIATION_NOT_MULTIPLE_OF_TICK_SIZE": "The deviation must be a multiple of the tick.",
    "TRAILING_STOP_MAX_DEVIATION_TOO_LARGE": "The deviation is too large; 50 percent is the most.",
    "TRAILING_STOP_MAX_DEVIATION_TOO_SMALL": "The deviation is too small; 0.1 percent is the least.",
    "INSUFFICIENT_HEADROOM_AROUND_CURRENT_PRICE_TO_EDIT_TRAILING_STOP": "The price is too close to the stop to change it.",
    "NO_REFERENCE_PRICE_AVAILABLE_FOR_CALCULATING_TRAILING_STOP_TRIGGER_PRICE": "There is no price to follow at the"
    " moment. Try again, or choose another signal.",
    "LIMIT_PRICE_SET_AS_ABSOLUTE_AND_RELATIVE": "Give a limit price or an offset, not both.",
    "LIMIT_PRICE_OFFSET_VALUE_INVALID": "The limit offset is not valid.",
    "LIMIT_PRICE_OFFSET_UNIT_INVALID": "The unit of the limit offset is not valid.",
    "LIMIT_PRICE_OFFSET_MUST_HAVE_VALUE_AND_UNIT": "A limit offset needs a value and a unit.",
    "LIMIT_PRICE_OFFSET_QUOTE_CURRENCY_VALUE_MUST_BE_MULTIPLE_OF_TICK_SIZE": "The limit offset must be a multiple of"
    " the tick.",
    "LIMIT_PRICE_OFFSET_PERCENT_VALUE_TOO_MANY_DECIMAL_PLACES": "The limit offset has too many decimals.",
    "LIMIT_PRICE_OFFSET_TOO_HIGH": "The limit offset is too large.",
    "LIMIT_PRICE_OFFSET_TOO_LOW": "The limit offset is too small.",
}

# Why an order moved, in the live feed's words and in those of the look-up.
REASONS = {
    "new_placed_order_by_user": "Placed.",
    "edited_by_user": "Changed.",
    "partial_fill": "Partly filled.",
    "full_fill": "Filled.",
    "cancelled_by_user": "Cancelled.",
    "cancelled_by_admin": "Cancelled by Kraken.",
    "dead_man_switch": "Cancelled by the dead-man's switch.",
    "liquidation": "Cancelled because the account was liquidated.",
    "stop_order_triggered": "The trigger fired.",
    "limit_order_from_stop": "Placed by a trigger that fired.",
    "contract_expired": "The contract expired.",
    "not_enough_margin": "Cancelled: there was not enough margin left for it.",
    "market_inactive": "Cancelled because the market closed.",
    "ioc_order_failed_because_it_would_not_be_executed": STATUSES["iocWouldNotExecute"],
    "post_order_failed_because_it_would_filled": STATUSES["postWouldExecute"],
    "post_order_failed_because_it_would_be_filled": STATUSES["postWouldExecute"],
    "would_execute_self": STATUSES["selfFill"],
    "would_not_reduce_position": STATUSES["wouldNotReducePosition"],
    "order_for_edit_not_found": STATUSES["orderForEditNotFound"],
    "LOADING_MARKET": "Restored after the market was loaded.",
    "NEW_USER_ORDER": "Placed.",
    "LIQUIDATION_ORDER": "Cancelled because the account was liquidated.",
    "STOP_ORDER_TRIGGERED": "The trigger fired.",
    "LIMIT_FROM_STOP": "Placed by a trigger that fired.",
    "PARTIAL_FILL": "Partly filled.",
    "FULL_FILL": "Filled.",
    "CANCELLED_BY_USER": "Cancelled.",
    "CANCELLED_BY_ADMIN": "Cancelled by Kraken.",
    "CANCELLED_BY_SELF_TRADE": "Cancelled because it would have traded with one of your own orders.",
    "CONTRACT_EXPIRED": "The contract expired.",
    "EXPIRED": "Expired.",
    "NOT_ENOUGH_MARGIN": "Cancelled: there was not enough margin left for it.",
    "MARKET_INACTIVE": "Cancelled because the market closed.",
    "DEAD_MAN_SWITCH": "Cancelled by the dead-man's switch.",
    "POST_WOULD_EXECUTE_REASON": STATUSES["postWouldExecute"],
    "IOC_WOULD_NOT_EXECUTE_REASON": STATUSES["iocWouldNotExecute"],
    "WOULD_EXECUTE_SELF_REASON": STATUSES["selfFill"],
    "EDITED_BY_USER": "Changed.",
    "ORDER_FOR_EDIT_NOT_FOUND_REASON": STATUSES["orderForEditNotFound"],
    "TRAILING_STOP_PRICE_UPDATED": "The trailing stop moved.",
    "TRAILING_STOP_CANCELLED_AND_REPLACED_BY_ADMIN": "Kraken replaced the trailing stop.",
}

# Which input of a ticket or a form a code speaks about.
FIELDS = {
    "invalidPrice": "limit_price",
    "outsidePriceCollar": "limit_price",
    "postWouldExecute": "limit_price",
    "iocWouldNotExecute": "limit_price",
    "wouldIncreasePriceDislocation": "limit_price",
    "orderForEditNotAStop": "stop_price",
    "cannotEditTriggerPriceOfTrailingStop": "stop_price",
    "cannotEditLimitPriceOfTrailingStop": "limit_price",
    "invalidSize": "size",
    "insufficientAvailableFunds": "size",
    "wouldCauseLiquidation": "size",
    "maxPositionViolation": "size",
    "tooManySmallOrders": "size",
    "fixedLeverageTooHigh": "size",
    "wouldNotReducePosition": "reduce_only",
    "marketIsPostOnly": "type",
    "invalidOrderType": "type",
    "invalidSide": "side",
    "invalidAmount": "amount",
    "insufficientFunds": "amount",
    "invalidUnit": "currency",
    "invalidSecret": "secret",
}

_EVERY = {**REASONS, **SETTINGS, **ORDER_ERRORS, **STATUSES, **ERRORS}


def sentence(code: str) -> str:
    """For any of Kraken's codes, also with a suffix (`invalidArgument: symbol`). Never raises."""
    if code in _EVERY:
        return _EVERY[code]
    prefix, _, rest = code.partition(":")
    if prefix in _EVERY:
        return f"{_EVERY[prefix].removesuffix('.')} ({rest.strip()})."
    return f"Kraken refused it and gave a reason this desk does not know: {code}."


def status_sentence(status: str) -> str:
    """For the inner status of an order's answer, where `notFound` speaks of an order."""
    return STATUSES.get(status) or sentence(status)


def field_of(code: str) -> str | None:
    """The field of the ticket that the code speaks about, if it is one."""
    return FIELDS.get(code.partition(":")[0])
