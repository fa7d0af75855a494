"""Every status and error word of the reference is said to some request, over the wire; the others have a reason."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from tests.venue_process import DemoAccount, DemoKey, DemoVenue, start_demovenue

pytestmark = [pytest.mark.venue, pytest.mark.timeout(240)]
BTC, LTC = "PF_XBTUSD", "PF_LTCUSD"

SEND = {
    "placed",
    "partiallyFilled",
    "filled",
    "cancelled",
    "edited",
    "marketSuspended",
    "marketInactive",
    "invalidPrice",
    "invalidSize",
    "tooManySmallOrders",
    "insufficientAvailableFunds",
    "wouldCauseLiquidation",
    "clientOrderIdAlreadyExist",
    "clientOrderIdTooBig",
    "maxPositionViolation",
    "outsidePriceCollar",
    "wouldIncreasePriceDislocation",
    "notFound",
    "orderForEditNotAStop",
    "orderForEditNotFound",
    "postWouldExecute",
    "iocWouldNotExecute",
    "selfFill",
    "wouldNotReducePosition",
    "marketIsPostOnly",
    "tooManyOrders",
    "fixedLeverageTooHigh",
    "clientOrderIdInvalid",
    "cannotEditTriggerPriceOfTrailingStop",
    "cannotEditLimitPriceOfTrailingStop",
    "wouldProcessAfterSpecifiedTime",
    "invalidOrderType",
    "invalidSide",
}
NOT_SENT = {
    "edited": "said by editorder",
    "notFound": "said by cancelorder; an unknown symbol is an invalid argument",
    "orderForEditNotAStop": "said by editorder",
    "orderForEditNotFound": "said by editorder",
    "cannotEditTriggerPriceOfTrailingStop": "said by editorder",
    "cannotEditLimitPriceOfTrailingStop": "said by editorder",
}
EDIT = {
    "edited",
    "invalidSize",
    "invalidPrice",
    "insufficientAvailableFunds",
    "selfFill",
    "tooManySmallOrders",
    "outsidePriceCollar",
    "postWouldExecute",
    "wouldNotReducePosition",
    "orderForEditNotFound",
    "orderForEditNotAStop",
    "tooManyOrders",
}
NOT_EDITED = {
    "wouldNotReducePosition": "a reduce-only order that cannot reduce has already left the book",
}
ERRORS = {
    "accountInactive",
    "apiLimitExceeded",
    "authenticationError",
    "insufficientFunds",
    "invalidAccount",
    "invalidAmount",
    "invalidArgument",
    "invalidUnit",
    "marketUnavailable",
    "nonceBelowThreshold",
    "nonceDuplicate",
    "notFound",
    "requiredArgumentMissing",
    "Unavailable",
    "unknownError",
    "Json Parse Error",
    "Server Error",
}
NOT_SAID = {
    "marketUnavailable": "a status says it: marketSuspended, marketInactive",
    "notFound": "unknown symbols and ids have statuses or HTTP 404",
    "Server Error": "HTTP 500 on purpose has the shape of the newer handlers",
    "unknownError": "there is nothing the demo does not know of itself",
}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """An exchange of its own: markets are suspended and clocks are moved here."""
    started = start_demovenue(tmp_path_factory.mktemp("words"), seed=17)
    yield Desk(started)
    started.stop()


class Desk:
    """Accounts and prices to provoke with."""

    def __init__(self, venue: DemoVenue) -> None:
        self.venue = venue
        self.me = venue.signup(withdrawal="full")

    def fresh(self) -> None:
        """A new account with a full budget and nothing open."""
        self.me = self.venue.signup(withdrawal="full")

    def low(self, symbol: str = BTC) -> float:
        price = self.venue.ticker(symbol)["markPrice"] * 0.97
        return int(price) if price > 1000 else round(price, 2)

    def send(self, **change: Any) -> str:
        symbol = change.get("symbol", BTC)
        price = change.get("limitPrice") or self.low(symbol)
        wish = {"orderType": "lmt", "symbol": symbol, "side": "buy", "size": "0.01", "limitPrice": price}
        return str(self.sent(**(wish | change))["status"])

    def sent(self, **wish: Any) -> dict[str, Any]:
        return self.venue.order(self.me.key, **{name: value for name, value in wish.items() if value is not None})

    def resting(self, **change: Any) -> str:
        wish = {"orderType": "lmt", "symbol": BTC, "side": "buy", "size": "0.01", "limitPrice": self.low()}
        return str(self.sent(**(wish | change))["order_id"])

    def ask(self) -> float:
        """The best one; after a suspension the makers come back in a moment."""
        for _ in range(100):
            ticker = self.venue.ticker(BTC)
            if "ask" in ticker and "bid" in ticker:
                break
            time.sleep(0.1)
        return float(ticker["ask"])

    def edit(self, uid: str, **change: Any) -> str:
        return str(self.venue.v3(self.me.key, "POST", "editorder", orderId=uid, **change)["editStatus"]["status"])

    def error(self, method: str, name: str, key: DemoKey | None = None, **params: Any) -> str:
        return str(self.venue.v3(key or self.me.key, method, name, **params)["error"])

    def market(self, symbol: str = BTC, **switch: Any) -> None:
        self.venue.control("POST", "/demo/market", {"symbol": symbol, **switch})

    def batch(self, lines: list[dict[str, Any]]) -> list[str]:
        answer = self.venue.v3(self.me.key, "POST", "batchorder", json=json.dumps({"batchOrder": lines}))
        return [row["status"] for row in answer["batchStatus"]]


def _switched(desk: Desk, switch: dict[str, Any], back: dict[str, Any]) -> str:
    crossing = int(desk.ask() * 1.01)
    desk.market(**switch)
    try:
        return desk.send(limitPrice=crossing)
    finally:
        desk.market(**back)


def _own_way(desk: Desk) -> str:
    """The best bid is ours; a sell of ours meets it."""
    ticker = desk.venue.ticker(BTC)
    desk.resting(limitPrice=int(ticker["ask"]) - 1, size="0.5")
    return desk.send(side="sell", limitPrice=int(ticker["bid"]) - 200, size="0.5")


def _small_orders(desk: Desk) -> str:
    line = {"order": "send", "order_tag": "1", "orderType": "lmt", "symbol": LTC, "side": "buy", "size": 0.01}
    lines = [line | {"limitPrice": desk.low(LTC)}] * 334
    for _ in range(3):
        statuses = desk.batch(lines)
        if "tooManySmallOrders" in statuses:
            return "tooManySmallOrders"
        time.sleep(7)  # until the budget allows another batch
    return statuses[-1]


def into_liquidation(desk: Desk) -> str:
    """A poor account takes what a rich one offers far above the mark."""
    asks = desk.venue.get("/derivatives/api/v3/orderbook", symbol=LTC).json()["orderBook"]["asks"]
    mark = desk.venue.ticker(LTC)["markPrice"]
    offered = desk.sent(orderType="lmt", symbol=LTC, side="sell", size=3000, limitPrice=round(mark * 1.15, 2))
    assert offered["status"] == "placed", offered
    poor = desk.venue.control("POST", "/demo/subaccounts", {}, desk.me)
    bare = DemoAccount(poor["email"], poor["password"], poor["account_uid"], DemoKey("", ""))
    desk.me = replace(bare, key=desk.venue.new_key(bare))
    desk.venue.control("POST", "/demo/fund", {"wallet": "flex", "currency": "usd", "amount": "25000"}, bare)
    size = int(sum(amount for _, amount in asks)) + 2900
    return desk.send(orderType="ioc", symbol=LTC, size=size, limitPrice=round(mark * 1.16, 2))


def _held(desk: Desk, last: dict[str, Any]) -> str:
    """The 251st request on a protected market."""
    desk.market(symbol="PF_SOLUSD", maker_protection_ms=2000)
    line = {"order": "send", "order_tag": "1", "orderType": "lmt", "symbol": "PF_SOLUSD", "side": "buy", "size": 0.01}
    try:
        return desk.batch([line | {"limitPrice": desk.low("PF_SOLUSD")}] * 250 + [last])[-1]
    finally:
        desk.market(symbol="PF_SOLUSD", maker_protection_ms=0)


def _too_many(desk: Desk) -> str:
    line = {"order": "send", "order_tag": "1", "orderType": "lmt", "symbol": "PF_SOLUSD", "side": "buy", "size": 0.01}
    return _held(desk, line | {"limitPrice": desk.low("PF_SOLUSD")})


def _expired(desk: Desk) -> str:
    """The nearest maturity, and a moment later."""
    listed = desk.venue.get("/derivatives/api/v3/instruments").json()["instruments"]
    first = min((one for one in listed if "lastTradingTime" in one), key=lambda one: one["lastTradingTime"])
    desk.venue.control("POST", "/demo/clock", {"advance": 86_400 * 9})
    return desk.send(symbol=first["symbol"], size="1", limitPrice=1)


def _taken_back(desk: Desk, **wish: Any) -> str:
    """Cancelled while a protected market holds it: what it says at the end of its moment."""
    symbol, name = wish["symbol"], uuid.uuid4().hex
    desk.market(symbol=symbol, maker_protection_ms=2500)
    try:
        with ThreadPoolExecutor(1) as other:
            answer = other.submit(desk.send, cliOrdId=name, **wish)
            while True:
                gone = desk.venue.v3(desk.me.key, "POST", "cancelorder", cliOrdId=name)["cancelStatus"]["status"]
                if gone == "cancelled" or answer.done():
                    return str(answer.result())
                time.sleep(0.1)
    finally:
        desk.market(symbol=symbol, maker_protection_ms=0)


def _more_than_there_is(desk: Desk) -> str:
    asks = desk.venue.get("/derivatives/api/v3/orderbook", symbol=LTC).json()["orderBook"]["asks"]
    size = int(sum(amount for _, amount in asks)) + 500
    return _taken_back(desk, symbol=LTC, size=size, limitPrice=round(asks[0][0] * 1.02, 2))


def _dormant(desk: Desk) -> str:
    return _taken_back(desk, symbol=LTC, size=1, orderType="stp", side="sell", stopPrice=desk.low(LTC))


def _twice(desk: Desk) -> str:
    name = uuid.uuid4().hex
    desk.resting(cliOrdId=name)
    return desk.send(cliOrdId=name)


def isolated(desk: Desk) -> str:
    """A hundredfold leverage on a position that the brackets margin at more than one percent."""
    desk.venue.v3(desk.me.key, "PUT", "leveragepreferences", symbol=BTC, maxLeverage=100)
    return desk.send(size="40")


SENDS: dict[str, Callable[[Desk], str]] = {
    "placed": lambda desk: desk.send(),
    "filled": lambda desk: _taken_back(desk, symbol=LTC, size=1, limitPrice=round(desk.low(LTC) * 1.05, 2)),
    "partiallyFilled": _more_than_there_is,
    "cancelled": _dormant,
    "marketSuspended": lambda desk: _switched(desk, {"suspended": True}, {"suspended": False}),
    "marketIsPostOnly": lambda desk: _switched(desk, {"post_only": True}, {"post_only": False}),
    "wouldIncreasePriceDislocation": lambda desk: _switched(
        desk, {"dislocation": "ABOVE_UPPER_BOUND"}, {"dislocation": ""}
    ),
    "invalidPrice": lambda desk: desk.send(limitPrice="80000.5"),
    "invalidSize": lambda desk: desk.send(size="0.00001"),
    "invalidOrderType": lambda desk: desk.send(orderType="wish"),
    "invalidSide": lambda desk: desk.send(side="up"),
    "insufficientAvailableFunds": lambda desk: desk.send(size="900"),
    "maxPositionViolation": lambda desk: desk.send(size="1300"),
    "outsidePriceCollar": lambda desk: desk.send(limitPrice="200000"),
    "clientOrderIdTooBig": lambda desk: desk.send(cliOrdId="x" * 101),
    "clientOrderIdInvalid": lambda desk: desk.send(cliOrdId="  "),
    "clientOrderIdAlreadyExist": _twice,
    "postWouldExecute": lambda desk: desk.send(orderType="post", limitPrice=int(desk.low() * 1.1)),
    "iocWouldNotExecute": lambda desk: desk.send(orderType="ioc"),
    "wouldNotReducePosition": lambda desk: desk.send(reduceOnly="true"),
    "wouldProcessAfterSpecifiedTime": lambda desk: desk.send(processBefore="2020-01-01T00:00:00Z"),
    "selfFill": _own_way,
    "fixedLeverageTooHigh": isolated,
    "tooManySmallOrders": _small_orders,
    "tooManyOrders": _too_many,
    "wouldCauseLiquidation": into_liquidation,
    "marketInactive": _expired,  # the last one: it moves the clock
}


def test_the_table_of_send_statuses_is_whole() -> None:
    assert set(SENDS) | set(NOT_SENT) == SEND
    assert not set(SENDS) & set(NOT_SENT)


@pytest.mark.parametrize("status", SENDS)
def test_a_send_status(house: Desk, status: str) -> None:
    house.fresh()
    assert SENDS[status](house) == status


def edit_into_own(desk: Desk) -> str:
    ticker = desk.venue.ticker(BTC)
    desk.resting(side="sell", limitPrice=int(ticker["bid"]) + 1, size="1.5")
    mine = desk.resting(limitPrice=int(ticker["bid"] * 0.98), size="1.5")
    return desk.edit(mine, limitPrice=int(ticker["ask"] * 1.001))


def shrunk_beside_a_thousand(desk: Desk) -> dict[str, Any]:
    """A large order is to become one more small one."""
    desk.venue.control("POST", "/demo/mark", {"symbol": LTC, "price": "90"})  # 0.01 of it is less than a dollar
    try:
        mine = desk.resting(symbol=LTC, limitPrice=desk.low(LTC), size=1)
        assert _small_orders(desk) == "tooManySmallOrders"
        time.sleep(1)
        answer = desk.venue.v3(desk.me.key, "POST", "editorder", orderId=mine, size="0.01")
    finally:
        desk.venue.control("DELETE", "/demo/mark")
    status: dict[str, Any] = answer["editStatus"]
    return status


def _edit_too_many(desk: Desk) -> str:
    mine = desk.resting(symbol="PF_SOLUSD", limitPrice=desk.low("PF_SOLUSD"), size="1")
    return _held(desk, {"order": "edit", "order_id": mine, "size": 2})


EDITS: dict[str, Callable[[Desk], str]] = {
    "edited": lambda desk: desk.edit(desk.resting(), size="0.02"),
    "invalidSize": lambda desk: desk.edit(desk.resting(), size="0.00001"),
    "invalidPrice": lambda desk: desk.edit(desk.resting(), limitPrice="70000.5"),
    "insufficientAvailableFunds": lambda desk: desk.edit(desk.resting(), size="900"),
    "outsidePriceCollar": lambda desk: desk.edit(desk.resting(), limitPrice="200000"),
    "postWouldExecute": lambda desk: desk.edit(desk.resting(orderType="post"), limitPrice=int(desk.low() * 1.1)),
    "orderForEditNotFound": lambda desk: desk.edit(str(uuid.uuid4()), size="1"),
    "orderForEditNotAStop": lambda desk: desk.edit(desk.resting(), stopPrice="70000"),
    "selfFill": edit_into_own,
    "tooManyOrders": _edit_too_many,
    "tooManySmallOrders": lambda desk: str(shrunk_beside_a_thousand(desk)["status"]),
}


def test_the_table_of_edit_statuses_is_whole() -> None:
    assert set(EDITS) | set(NOT_EDITED) == EDIT


@pytest.mark.parametrize("status", EDITS)
def test_an_edit_status(house: Desk, status: str) -> None:
    house.fresh()
    assert EDITS[status](house) == status


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"stopPrice": "70000"}, "cannotEditTriggerPriceOfTrailingStop"),
        ({"limitPrice": "70000"}, "cannotEditLimitPriceOfTrailingStop"),
    ],
)
def test_a_trailing_stop_follows_by_itself(house: Desk, change: dict[str, str], status: str) -> None:
    house.fresh()
    trailing = {"trailingStopMaxDeviation": 10, "trailingStopDeviationUnit": "PERCENT", "limitPrice": None}
    mine = house.resting(orderType="trailing_stop", side="sell", **trailing)
    assert house.edit(mine, **change) == status


def test_every_cancel_status(house: Desk) -> None:
    house.fresh()
    key = house.me.key

    def cancel(uid: str) -> str:
        return str(house.venue.v3(key, "POST", "cancelorder", order_id=uid)["cancelStatus"]["status"])

    mine = house.resting()
    assert (cancel(mine), cancel(mine)) == ("cancelled", "notFound")
    assert cancel(house.resting(orderType="mkt", limitPrice=None)) == "filled"
    assert house.venue.v3(key, "POST", "cancelallorders")["cancelStatus"]["status"] == "noOrdersToCancel"
    house.resting()
    assert house.venue.v3(key, "POST", "cancelallorders")["cancelStatus"]["status"] == "cancelled"


def _with_fault(desk: Desk, fault: str) -> str:
    desk.venue.fault(fault)
    return desk.error("POST", "cancelallorders")


def _stopped(desk: Desk) -> str:
    """A subaccount whose trading the master has switched off."""
    made = desk.venue.control("POST", "/demo/subaccounts", {}, desk.me)
    bare = DemoAccount(made["email"], made["password"], made["account_uid"], DemoKey("", ""))
    desk.venue.v3(desk.me.key, "PUT", f"subaccount/{bare.uid}/trading-enabled", tradingEnabled="false")
    return desk.error(
        "POST",
        "sendorder",
        desk.venue.new_key(bare),
        orderType="lmt",
        symbol=BTC,
        side="buy",
        size="0.01",
        limitPrice=desk.low(),
    )


def _nonce_again(desk: Desk) -> str:
    call = ("GET", "/derivatives/api/v3/accounts")
    desk.venue.call(desk.me.key, *call, nonce="1795000000001")
    return str(desk.venue.call(desk.me.key, *call, nonce="1795000000001").json()["error"])


def _transfer(**change: str) -> Callable[[Desk], str]:
    wish = {"fromAccount": "flex", "toAccount": "cash", "unit": "usd", "amount": "1"} | change
    return lambda desk: desk.error("POST", "transfer", **wish)


SAID: dict[str, Callable[[Desk], str]] = {
    "accountInactive": _stopped,
    "apiLimitExceeded": lambda desk: _with_fault(desk, "rate_limit"),
    "authenticationError": lambda desk: desk.error("GET", "accounts", replace(desk.me.key, private="A" * 86 + "==")),
    "insufficientFunds": _transfer(amount="1000000000"),
    "invalidAccount": _transfer(toAccount="moon"),
    "invalidAmount": _transfer(amount="-1"),
    "invalidUnit": _transfer(unit="moon"),
    "invalidArgument": lambda desk: desk.error("POST", "batchorder", json=json.dumps({"batchOrder": [{}] * 501})),
    "nonceBelowThreshold": lambda desk: _with_fault(desk, "nonce"),
    "nonceDuplicate": _nonce_again,
    "requiredArgumentMissing": lambda desk: desk.error("POST", "sendorder"),
    "Unavailable": lambda desk: _with_fault(desk, "http_503"),
    "Json Parse Error": lambda desk: desk.error("POST", "batchorder", json="{"),
}


def test_the_table_of_errors_is_whole() -> None:
    assert set(SAID) | set(NOT_SAID) == ERRORS


@pytest.mark.parametrize("word", SAID)
def test_an_error_word(house: Desk, word: str) -> None:
    house.fresh()
    assert SAID[word](house).split(":")[0] == word
