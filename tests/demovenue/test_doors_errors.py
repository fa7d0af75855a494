"""Every numbered error, every error of an order and every kind of account-log row is met by some request, over the
wire; the others have a reason."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.demovenue.test_doors_words import (
    BTC,
    Desk,
    edit_into_own,
    into_liquidation,
    isolated,
    shrunk_beside_a_thousand,
)
from tests.venue_process import start_demovenue

pytestmark = [pytest.mark.venue, pytest.mark.timeout(240)]
SOL = "PF_SOLUSD"

ORDER_ERRORS = {
    "MARKET_SUSPENDED",
    "MARKET_NOT_FOUND",
    "INVALID_PRICE",
    "INVALID_QUANTITY",
    "SMALL_ORDER_LIMIT_EXCEEDED",
    "INSUFFICIENT_MARGIN",
    "WOULD_CAUSE_LIQUIDATION",
    "CLIENT_ORDER_ID_IN_USE",
    "CLIENT_ORDER_ID_TOO_LONG",
    "MAX_POSITION_EXCEEDED",
    "PRICE_COLLAR",
    "PRICE_DISLOCATION",
    "EDIT_HAS_NO_EFFECT",
    "ORDER_FOR_CANCELLATION_NOT_FOUND",
    "ORDER_FOR_EDIT_NOT_FOUND",
    "ORDER_CANNOT_HAVE_TRIGGER_PRICE",
    "POST_WOULD_EXECUTE",
    "IOC_WOULD_NOT_EXECUTE",
    "WOULD_EXECUTE_SELF",
    "WOULD_NOT_REDUCE_POSITION",
    "REJECTED_AFTER_EXECUTION",
    "MARKET_IS_POST_ONLY",
    "ORDER_LIMIT_EXCEEDED",
    "FIXED_LEVERAGE_TOO_HIGH",
    "CANNOT_EDIT_TRIGGER_PRICE_OF_TRAILING_STOP",
    "CANNOT_EDIT_LIMIT_PRICE_OF_TRAILING_STOP",
    "TRAILING_STOP_ORDER_LIMIT_EXCEEDED",
    "TRAILING_STOP_PERCENT_DEVIATION_EXCEEDS_MAX_DECIMAL_PLACES",
    "TRAILING_STOP_QUOTE_DEVIATION_NOT_MULTIPLE_OF_TICK_SIZE",
    "TRAILING_STOP_MAX_DEVIATION_TOO_LARGE",
    "TRAILING_STOP_MAX_DEVIATION_TOO_SMALL",
    "INSUFFICIENT_HEADROOM_AROUND_CURRENT_PRICE_TO_EDIT_TRAILING_STOP",
    "NO_REFERENCE_PRICE_AVAILABLE_FOR_CALCULATING_TRAILING_STOP_TRIGGER_PRICE",
    "INSUFFICIENT_CLOSING_MARGIN",
    "LIMIT_PRICE_SET_AS_ABSOLUTE_AND_RELATIVE",
    "LIMIT_PRICE_OFFSET_VALUE_INVALID",
    "LIMIT_PRICE_OFFSET_UNIT_INVALID",
    "LIMIT_PRICE_OFFSET_MUST_HAVE_VALUE_AND_UNIT",
    "LIMIT_PRICE_OFFSET_QUOTE_CURRENCY_VALUE_MUST_BE_MULTIPLE_OF_TICK_SIZE",
    "LIMIT_PRICE_OFFSET_PERCENT_VALUE_TOO_MANY_DECIMAL_PLACES",
    "LIMIT_PRICE_OFFSET_TOO_HIGH",
    "LIMIT_PRICE_OFFSET_TOO_LOW",
}
NO_ORDER = "said as a status, before there is an order that could have an error"
NOT_MET = {
    "MARKET_NOT_FOUND": NO_ORDER,
    "CLIENT_ORDER_ID_IN_USE": NO_ORDER,
    "CLIENT_ORDER_ID_TOO_LONG": NO_ORDER,
    "ORDER_LIMIT_EXCEEDED": NO_ORDER,
    "TRAILING_STOP_ORDER_LIMIT_EXCEEDED": NO_ORDER,
    "ORDER_FOR_CANCELLATION_NOT_FOUND": "cancelorder says `notFound` and nothing else, as recorded",
    "ORDER_FOR_EDIT_NOT_FOUND": "there is no order to reject",
    "REJECTED_AFTER_EXECUTION": "nothing is executed here before it is checked",
    "INSUFFICIENT_HEADROOM_AROUND_CURRENT_PRICE_TO_EDIT_TRAILING_STOP": "the trigger moves at once with an edit",
    "NO_REFERENCE_PRICE_AVAILABLE_FOR_CALCULATING_TRAILING_STOP_TRIGGER_PRICE": "every market has a mark",
    "INSUFFICIENT_CLOSING_MARGIN": "closing needs no margin here",
    "LIMIT_PRICE_OFFSET_UNIT_INVALID": "a unit that cannot be read is an invalid argument",
    "LIMIT_PRICE_OFFSET_VALUE_INVALID": "a value that cannot be read is an invalid argument",
}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Any:
    started = start_demovenue(tmp_path_factory.mktemp("errors"), seed=19)
    yield Desk(started)
    started.stop()


def _reason(status: dict[str, Any]) -> str:
    """Of the rejection; and the order's own status says the same."""
    (event,) = status["orderEvents"]
    assert event["type"] == "REJECT"
    return str(event["reason"])


def _refused(**wish: Any) -> Callable[[Desk], str]:
    """What sendorder says of a limit order that is like this."""

    def provoke(desk: Desk) -> str:
        plain = {"orderType": "lmt", "symbol": BTC, "side": "buy", "size": "0.01", "limitPrice": desk.low()}
        given = {name: value(desk) if callable(value) else value for name, value in wish.items()}
        sent = desk.sent(**(plain | given))
        known = desk.venue.v3(desk.me.key, "POST", "orders/status", orderIds=sent["order_id"])["orders"]
        assert [one["error"] for one in known] == [_reason(sent)]
        return _reason(sent)

    return provoke


def _edited(first: dict[str, Any] | None = None, **change: Any) -> Callable[[Desk], str]:
    def provoke(desk: Desk) -> str:
        mine = desk.resting(**(first or {}))
        answer = desk.venue.v3(desk.me.key, "POST", "editorder", orderId=mine, **change)
        return _reason(answer["editStatus"])

    return provoke


def _stop(**offset: Any) -> Callable[[Desk], str]:
    return _refused(orderType="stp", side="sell", stopPrice=lambda desk: desk.low(), **({"limitPrice": None} | offset))


TRAILING = {"orderType": "trailing_stop", "side": "sell", "limitPrice": None}
PERCENT = TRAILING | {"trailingStopDeviationUnit": "PERCENT"}
QUOTE = TRAILING | {"trailingStopDeviationUnit": "QUOTE_CURRENCY"}


def _crossing(desk: Desk) -> int:
    return int(desk.low() * 1.06)


def _dislocated(desk: Desk) -> str:
    desk.market(dislocation="ABOVE_UPPER_BOUND")
    try:
        return _refused(limitPrice=_crossing)(desk)
    finally:
        desk.market(dislocation="")


def _while_suspended(desk: Desk) -> str:
    mine = desk.resting(symbol=SOL, limitPrice=desk.low(SOL), size=1)
    desk.market(symbol=SOL, suspended=True)
    try:
        return _reason(desk.venue.v3(desk.me.key, "POST", "editorder", orderId=mine, size=2)["editStatus"])
    finally:
        desk.market(symbol=SOL, suspended=False)


def _woken_in_vain(desk: Desk) -> str:
    """A trigger fires while the market takes post-only orders alone."""
    stop = desk.sent(orderType="stp", symbol=SOL, side="sell", size=1, stopPrice=desk.low(SOL))
    desk.market(symbol=SOL, post_only=True)
    try:
        desk.venue.control("POST", "/demo/mark", {"symbol": SOL, "percent": -5})
        known = desk.venue.v3(desk.me.key, "POST", "orders/status", orderIds=stop["order_id"])["orders"]
        assert known[0]["status"] == "TRIGGER_ACTIVATION_FAILURE"
        return str(known[0]["error"])
    finally:
        desk.venue.control("DELETE", "/demo/mark")
        desk.market(symbol=SOL, post_only=False)


def _shrunk_beside_a_thousand(desk: Desk) -> str:
    return _reason(shrunk_beside_a_thousand(desk))


def _own_in_the_way(desk: Desk) -> str:
    edit_into_own(desk)
    (open_order,) = [one for one in _open(desk) if one["side"] == "buy"]
    ask = int(desk.ask() * 1.001)
    answer = desk.venue.v3(desk.me.key, "POST", "editorder", orderId=open_order["order_id"], limitPrice=ask)
    return _reason(answer["editStatus"])


def _open(desk: Desk) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = desk.venue.v3(desk.me.key, "GET", "openorders")["openOrders"]
    return found


def _by_status(provoke: Callable[[Desk], str], error: str) -> Callable[[Desk], str]:
    """The status was met; the last rejection in the account's history has the error."""

    def found(desk: Desk) -> str:
        provoke(desk)
        call = ("GET", "/api/history/v3/orders", {"count": 1})
        (newest,) = desk.venue.call(desk.me.key, *call).json()["elements"]
        return str(newest["event"]["OrderRejected"]["orderError"])

    return found


MET: dict[str, Callable[[Desk], str]] = {
    "MARKET_SUSPENDED": _while_suspended,
    "INVALID_PRICE": _edited(limitPrice="70000.5"),
    "INVALID_QUANTITY": _edited(size="0.00001"),
    "SMALL_ORDER_LIMIT_EXCEEDED": _shrunk_beside_a_thousand,
    "INSUFFICIENT_MARGIN": _edited(size="900"),
    "WOULD_CAUSE_LIQUIDATION": _by_status(into_liquidation, "WOULD_CAUSE_LIQUIDATION"),
    "MAX_POSITION_EXCEEDED": _edited(size="1300"),
    "PRICE_COLLAR": _edited(limitPrice="200000"),
    "PRICE_DISLOCATION": _dislocated,
    "EDIT_HAS_NO_EFFECT": _edited(size="0.01"),
    "ORDER_CANNOT_HAVE_TRIGGER_PRICE": _edited(stopPrice="70000"),
    "POST_WOULD_EXECUTE": _refused(orderType="post", limitPrice=_crossing),
    "IOC_WOULD_NOT_EXECUTE": _refused(orderType="ioc"),
    "WOULD_EXECUTE_SELF": _own_in_the_way,
    "WOULD_NOT_REDUCE_POSITION": _refused(reduceOnly="true"),
    "MARKET_IS_POST_ONLY": _woken_in_vain,
    "FIXED_LEVERAGE_TOO_HIGH": _by_status(isolated, "FIXED_LEVERAGE_TOO_HIGH"),
    "CANNOT_EDIT_TRIGGER_PRICE_OF_TRAILING_STOP": _edited(PERCENT | {"trailingStopMaxDeviation": 10}, stopPrice=70000),
    "CANNOT_EDIT_LIMIT_PRICE_OF_TRAILING_STOP": _edited(PERCENT | {"trailingStopMaxDeviation": 10}, limitPrice=70000),
    "TRAILING_STOP_PERCENT_DEVIATION_EXCEEDS_MAX_DECIMAL_PLACES": _refused(**PERCENT, trailingStopMaxDeviation="1.55"),
    "TRAILING_STOP_QUOTE_DEVIATION_NOT_MULTIPLE_OF_TICK_SIZE": _refused(**QUOTE, trailingStopMaxDeviation="100.5"),
    "TRAILING_STOP_MAX_DEVIATION_TOO_LARGE": _refused(**PERCENT, trailingStopMaxDeviation="50.1"),
    "TRAILING_STOP_MAX_DEVIATION_TOO_SMALL": _refused(**PERCENT, trailingStopMaxDeviation="0.05"),
    "LIMIT_PRICE_SET_AS_ABSOLUTE_AND_RELATIVE": _stop(
        limitPrice=70000, limitPriceOffsetValue="-10", limitPriceOffsetUnit="QUOTE_CURRENCY"
    ),
    "LIMIT_PRICE_OFFSET_MUST_HAVE_VALUE_AND_UNIT": _stop(limitPriceOffsetValue="-10"),
    "LIMIT_PRICE_OFFSET_QUOTE_CURRENCY_VALUE_MUST_BE_MULTIPLE_OF_TICK_SIZE": _stop(
        limitPriceOffsetValue="-10.5", limitPriceOffsetUnit="QUOTE_CURRENCY"
    ),
    "LIMIT_PRICE_OFFSET_PERCENT_VALUE_TOO_MANY_DECIMAL_PLACES": _stop(
        limitPriceOffsetValue="-0.123", limitPriceOffsetUnit="PERCENT"
    ),
    "LIMIT_PRICE_OFFSET_TOO_HIGH": _stop(limitPriceOffsetValue="60", limitPriceOffsetUnit="PERCENT"),
    "LIMIT_PRICE_OFFSET_TOO_LOW": _stop(limitPriceOffsetValue="-60", limitPriceOffsetUnit="PERCENT"),
}


def test_the_table_of_order_errors_is_whole() -> None:
    assert set(MET) | set(NOT_MET) == ORDER_ERRORS
    assert not set(MET) & set(NOT_MET)


@pytest.mark.parametrize("error", MET)
def test_an_order_error(house: Desk, error: str) -> None:
    house.fresh()
    assert MET[error](house) == error


def test_a_hundred_trailing_stops_are_enough(house: Desk) -> None:
    house.fresh()
    line = {"order": "send", "order_tag": "1", "symbol": BTC, "size": 0.01, "trailingStopMaxDeviation": 10}
    statuses = house.batch([line | PERCENT] * 101)
    assert (set(statuses[:100]), statuses[100]) == ({"placed"}, "tooManyOrders")


# --- numbered errors ------------------------------------------------------------------------------


def _preference(symbol: str, **change: Any) -> Callable[[Desk], dict[str, Any]]:
    name = "leveragepreferences" if "maxLeverage" in change else "pnlpreferences"
    return lambda desk: desk.venue.v3(desk.me.key, "PUT", name, symbol=symbol, **change)


def _poor(desk: Desk, position: str) -> None:
    """A position, and only so much left as it needs."""
    assert desk.send(orderType="mkt", limitPrice=None, size=position) == "placed"
    flex = desk.venue.v3(desk.me.key, "GET", "accounts")["accounts"]["flex"]
    for code, held in flex["currencies"].items():
        if code != "USD" and held["quantity"]:
            _away(desk, code.lower(), held["quantity"])
    flex = desk.venue.v3(desk.me.key, "GET", "accounts")["accounts"]["flex"]
    _away(desk, "usd", int(flex["availableMargin"]) - 50)


def _away(desk: Desk, unit: str, amount: float) -> None:
    moved = {"fromAccount": "flex", "toAccount": "cash", "unit": unit, "amount": amount}
    assert desk.venue.v3(desk.me.key, "POST", "transfer", **moved)["result"] == "success"


def _too_little(desk: Desk) -> dict[str, Any]:
    _poor(desk, "0.5")
    return _preference(BTC, maxLeverage=2)(desk)


def _in_danger(desk: Desk) -> dict[str, Any]:
    """The loss so far is more than the margin the position would have of its own."""
    assert desk.send(orderType="mkt", limitPrice=None, size="0.1") == "placed"
    desk.venue.control("POST", "/demo/mark", {"symbol": BTC, "percent": -3})
    try:
        return _preference(BTC, maxLeverage=100)(desk)
    finally:
        desk.venue.control("DELETE", "/demo/mark")


NUMBERED: dict[int, tuple[str, Callable[[Desk], dict[str, Any]]]] = {
    41: ("WOULD_CAUSE_LIQUIDATION", _in_danger),
    87: ("CONTRACT_DOES_NOT_EXIST", _preference("PF_NOSUCH", maxLeverage=5)),
    88: ("CONTRACT_NOT_MULTI_COLLATERAL", _preference("PI_XBTUSD", maxLeverage=5)),
    89: ("CURRENCY_DOES_NOT_EXIST", _preference(BTC, pnlPreference="MOON")),
    90: ("CURRENCY_NOT_ENABLED_FOR_MULTI_COLLATERAL", _preference(BTC, pnlPreference="XRP")),
    92: ("INSUFFICIENT_MARGIN", _too_little),
}


@pytest.mark.parametrize("number", NUMBERED)
def test_a_numbered_error(house: Desk, number: int) -> None:
    house.fresh()
    word, provoke = NUMBERED[number]
    answer = provoke(house)
    assert (answer["status"], answer["result"]) == ("INTERNAL_SERVER_ERROR", "error")
    assert answer["errors"] == [{"code": number, "message": word}]


# --- shapes ---------------------------------------------------------------------------------------

V3 = "/derivatives/api/v3"
SHAPES = {  # the letters of the protocol reference: path → HTTP status, and what must be in the answer
    "b": (f"{V3}/history?symbol=NOPE", 400, '"errors":[{"code":11,"message":"Argument invalid: symbol"}]'),
    "c": (f"{V3}/nothing", 404, '"errors":[{"code":0,"message":"404 NOT_FOUND"}]'),
    "d": (f"{V3}/orderbook?symbol=NOPE", 400, '"errors":[{"code":0,"message":"400 BAD_REQUEST"}]'),
    "f": ("/derivatives/nothing", 404, '"error":"Not Found"'),
    "g": ("/api/history/v3/orders", 401, '"reason":"You are not authorized to access this endpoint."'),
    "h": ("/api/auth/v1/api-keys/v3/check", 401, '"suberror":null'),
    "j": ("/api/charts/v1/trade/PF_XBTUSD/7m", 400, "Invalid resolution"),
}


@pytest.mark.parametrize("letter", SHAPES)
def test_a_shape_of_errors(house: Desk, letter: str) -> None:
    path, status, words = SHAPES[letter]
    answer = house.venue.get(path)
    assert answer.status_code == status
    assert words in answer.text


def test_the_history_pool_has_its_own_shape(house: Desk) -> None:
    house.fresh()
    calls = [house.venue.call(house.me.key, "GET", "/api/history/v3/account-log", {"count": 9999}) for _ in range(11)]
    refused = calls[-1]
    assert (refused.status_code, refused.headers["Content-Type"][:10]) == (429, "text/plain")
    assert int(refused.headers["rate-limit-reset"]) > 0


def test_what_a_batch_cannot_read_is_said_line_by_line(house: Desk) -> None:
    house.fresh()
    good = {"order": "send", "order_tag": "1", "orderType": "lmt", "symbol": BTC, "side": "buy", "size": 0.01}
    lines = [good | {"limitPrice": house.low()}, {"order": "send", "order_tag": "2"}, {"order": "dance"}, {}]
    assert house.batch(json.loads(json.dumps(lines))) == ["placed", *["requiredArgumentMissing"] * 3]
