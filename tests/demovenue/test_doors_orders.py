"""Orders over the wire: every answer in the recorded shape, success and refusal side by side."""

from __future__ import annotations

import json
import time
import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.demovenue.shape import assert_shape
from tests.venue_process import DemoAccount, DemoVenue

pytestmark = pytest.mark.venue
SYMBOL = "PF_XBTUSD"
V3 = "/derivatives/api/v3"


def _far(venue: DemoVenue) -> int:
    """A buying price that rests: well below the market, inside the collar."""
    return int(venue.ticker(SYMBOL)["markPrice"] * 0.97)


def _rest(venue: DemoVenue, account: DemoAccount, **more: Any) -> dict[str, Any]:
    wish = {"orderType": "lmt", "symbol": SYMBOL, "side": "buy", "size": "0.01", "limitPrice": _far(venue)}
    return venue.order(account.key, **(wish | more))


def _name() -> str:
    return f"test-{uuid.uuid4().hex[:20]}"


def test_a_limit_order_rests_is_listed_and_is_cancelled(venue: DemoVenue, account: DemoAccount) -> None:
    name = _name()
    answer = venue.v3(
        account.key,
        "POST",
        "sendorder",
        orderType="lmt",
        symbol=SYMBOL.lower(),
        side="BUY",
        size="0.0100",
        limitPrice=_far(venue),
        cliOrdId=name,
        reduceOnly="False",
    )
    assert_shape(answer, "rest_sendorder_placed")
    placed = answer["sendStatus"]
    assert (placed["status"], placed["cliOrdId"]) == ("placed", name)
    listed = venue.v3(account.key, "GET", "openorders")
    assert_shape(listed, "rest_openorders")
    assert [row["order_id"] for row in listed["openOrders"]] == [placed["order_id"]]
    cancelled = venue.v3(account.key, "POST", "cancelorder", cliOrdId=name)
    assert_shape(cancelled, "rest_cancelorder")
    assert cancelled["cancelStatus"]["status"] == "cancelled"
    assert venue.v3(account.key, "GET", "openorders")["openOrders"] == []


def test_cancelling_what_is_not_there(venue: DemoVenue, account: DemoAccount) -> None:
    answer = venue.v3(account.key, "POST", "cancelorder", order_id=str(uuid.uuid4()))
    assert_shape(answer, "rest_cancelorder_not_found")
    assert venue.v3(account.key, "POST", "cancelorder")["error"] == "requiredArgumentMissing"


def test_a_market_order_fills_and_is_called_placed(venue: DemoVenue, account: DemoAccount) -> None:
    answer = venue.v3(account.key, "POST", "sendorder", orderType="mkt", symbol=SYMBOL, side="buy", size="0.01")
    assert_shape(answer, "rest_sendorder_executed")
    status = answer["sendStatus"]
    assert status["status"] == "placed"
    assert {event["type"] for event in status["orderEvents"]} == {"EXECUTION"}
    assert sum(Decimal(str(event["amount"])) for event in status["orderEvents"]) == Decimal("0.01")
    fills = venue.v3(account.key, "GET", "fills")
    assert_shape(fills, "rest_fills", extra=("cliOrdId",))
    assert {row["order_id"] for row in fills["fills"]} == {status["order_id"]}
    older = venue.v3(account.key, "GET", "fills", lastFillTime=fills["fills"][0]["fillTime"])
    assert older["result"] == "success"
    positions = venue.v3(account.key, "GET", "openpositions")
    assert_shape(positions, "rest_openpositions")
    assert [(row["symbol"], row["side"], row["size"]) for row in positions["openPositions"]] == [
        (SYMBOL, "long", 0.01)
    ]


def test_post_only_that_would_trade_is_rejected(venue: DemoVenue, account: DemoAccount) -> None:
    price = int(venue.ticker(SYMBOL)["ask"] * 1.002)
    answer = venue.v3(
        account.key, "POST", "sendorder", orderType="post", symbol=SYMBOL, side="buy", size="0.01", limitPrice=price
    )
    assert answer["sendStatus"]["status"] == "postWouldExecute"
    assert_shape(answer, "rest_sendorder_rejected_post")


def test_an_ioc_that_finds_nothing_is_rejected(venue: DemoVenue, account: DemoAccount) -> None:
    wish = {"orderType": "ioc", "symbol": SYMBOL, "side": "buy", "size": "0.01", "limitPrice": _far(venue)}
    answer = venue.v3(account.key, "POST", "sendorder", **wish)
    assert answer["sendStatus"]["status"] == "iocWouldNotExecute"
    assert_shape(answer, "rest_sendorder_rejected_ioc")


def test_an_order_beyond_the_margin_is_answered_in_short(venue: DemoVenue, account: DemoAccount) -> None:
    wish = {"orderType": "lmt", "symbol": SYMBOL, "side": "buy", "size": "1000", "limitPrice": _far(venue)}
    answer = venue.v3(account.key, "POST", "sendorder", **wish)
    assert answer["sendStatus"]["status"] in ("insufficientAvailableFunds", "maxPositionViolation")
    assert_shape(answer, "rest_sendorder_insufficient_funds", extra=("order_id", "orderEvents"))


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"limitPrice": "60000.5"}, "invalidPrice"),
        ({"limitPrice": "-1"}, "invalidPrice"),
        ({"size": "0"}, "invalidSize"),
        ({"size": "-0.01"}, "invalidSize"),
        ({"size": "0.00001"}, "invalidSize"),
        ({"limitPrice": "999999"}, "outsidePriceCollar"),
        ({"processBefore": "2020-01-01T00:00:00.000Z"}, "wouldProcessAfterSpecifiedTime"),
        ({"cliOrdId": "x" * 101}, "clientOrderIdTooBig"),
        ({"reduceOnly": "true"}, "wouldNotReducePosition"),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(value),
)
def test_what_the_exchange_refuses(
    venue: DemoVenue, account: DemoAccount, change: dict[str, str], status: str
) -> None:
    assert _rest(venue, account, **change)["status"] == status
    assert venue.v3(account.key, "GET", "openorders")["openOrders"] == []


def test_a_client_id_is_used_once(venue: DemoVenue, account: DemoAccount) -> None:
    name = _name()
    assert _rest(venue, account, cliOrdId=name)["status"] == "placed"
    assert _rest(venue, account, cliOrdId=name)["status"] == "clientOrderIdAlreadyExist"


@pytest.mark.parametrize("missing", ["orderType", "symbol", "side", "size", "limitPrice"])
def test_a_missing_argument(venue: DemoVenue, account: DemoAccount, missing: str) -> None:
    wish = {"orderType": "lmt", "symbol": SYMBOL, "side": "buy", "size": "0.01", "limitPrice": "60000"}
    answer = venue.v3(account.key, "POST", "sendorder", **{k: v for k, v in wish.items() if k != missing})
    assert answer["error"] == "requiredArgumentMissing"


@pytest.mark.parametrize(
    ("name", "value"), [("symbol", "PF_NOSUCH"), ("size", "NaN"), ("reduceOnly", "perhaps"), ("triggerSignal", "moon")]
)
def test_an_invalid_argument(venue: DemoVenue, account: DemoAccount, name: str, value: str) -> None:
    wish = {"orderType": "lmt", "symbol": SYMBOL, "side": "buy", "size": "0.01", "limitPrice": "60000"}
    answer = venue.call(account.key, "POST", f"{V3}/sendorder", wish | {name: value})
    assert answer.status_code == 400
    assert answer.json()["errors"] == [{"code": 11, "message": f"Argument invalid: {name}"}]
    assert_shape(answer.json(), "rest_error_bad_request")


def test_a_stop_is_placed_listed_and_cancelled(venue: DemoVenue, account: DemoAccount) -> None:
    mark = venue.ticker(SYMBOL)["markPrice"]
    wish = {"orderType": "stp", "symbol": SYMBOL, "side": "sell", "size": "0.01", "stopPrice": int(mark * 0.9)}
    answer = venue.v3(
        account.key, "POST", "sendorder", **wish, triggerSignal="index", cliOrdId=_name(), reduceOnly="true"
    )
    assert_shape(answer, "rest_sendorder_trigger_placed")
    assert answer["sendStatus"]["orderEvents"][0]["orderTrigger"]["triggerSignal"] == "spot_price"
    (listed,) = venue.v3(account.key, "GET", "openorders")["openOrders"]
    assert (listed["orderType"], listed["triggerSignal"]) == ("stop", "spot")
    status = venue.v3(account.key, "POST", "orders/status", orderIds=listed["order_id"])
    assert_shape(status, "rest_orders_status")
    assert status["orders"][0]["status"] == "TRIGGER_PLACED"
    cancelled = venue.v3(account.key, "POST", "cancelorder", order_id=listed["order_id"])
    assert_shape(cancelled, "rest_cancelorder_trigger")


@pytest.mark.parametrize("kind", ["take_profit", "trailing_stop"])
def test_other_triggers_are_placed(venue: DemoVenue, account: DemoAccount, kind: str) -> None:
    wish: dict[str, Any] = {"orderType": kind, "symbol": SYMBOL, "side": "sell", "size": "0.01"}
    if kind == "take_profit":
        wish["stopPrice"] = int(venue.ticker(SYMBOL)["markPrice"] * 1.1)
    else:
        wish |= {"trailingStopMaxDeviation": "5", "trailingStopDeviationUnit": "PERCENT", "triggerSignal": "last"}
    assert venue.order(account.key, **wish)["status"] == "placed"
    (listed,) = venue.v3(account.key, "GET", "openorders")["openOrders"]
    assert listed["orderType"] == kind


def test_an_edit_keeps_the_id(venue: DemoVenue, account: DemoAccount) -> None:
    name = _name()
    placed = _rest(venue, account, cliOrdId=name)
    price = _far(venue) - 100
    answer = venue.v3(account.key, "POST", "editorder", orderId=placed["order_id"], size="0.02", limitPrice=price)
    assert_shape(answer, "rest_editorder")
    assert answer["editStatus"]["orderId"] == placed["order_id"]
    (listed,) = venue.v3(account.key, "GET", "openorders")["openOrders"]
    assert (listed["unfilledSize"], listed["limitPrice"]) == (0.02, price)
    again = venue.v3(account.key, "POST", "editorder", orderId=placed["order_id"], size="0.02", limitPrice=price)
    assert_shape(again, "rest_editorder_no_effect", extra=("cliOrdId",))
    assert again["editStatus"]["status"] == "edited"
    assert again["editStatus"]["orderEvents"][0]["reason"] == "EDIT_HAS_NO_EFFECT"


def test_editing_what_is_not_there(venue: DemoVenue, account: DemoAccount) -> None:
    answer = venue.v3(account.key, "POST", "editorder", orderId=str(uuid.uuid4()), size="0.02", limitPrice="60000")
    assert answer["editStatus"]["status"] == "orderForEditNotFound"
    assert_shape(answer, "rest_editorder_not_found")


def test_cancel_all_of_one_symbol_and_of_all(venue: DemoVenue, account: DemoAccount) -> None:
    nothing = venue.v3(account.key, "POST", "cancelallorders", symbol=SYMBOL)
    assert_shape(nothing, "rest_cancelallorders_none")
    first = _rest(venue, account)["order_id"]
    other = int(venue.ticker("PF_ETHUSD")["markPrice"] * 0.97)
    second = _rest(venue, account, symbol="PF_ETHUSD", limitPrice=other)["order_id"]
    answer = venue.v3(account.key, "POST", "cancelallorders", symbol=SYMBOL.lower())
    assert_shape(answer, "rest_cancelallorders")
    assert [row["order_id"] for row in answer["cancelStatus"]["cancelledOrders"]] == [first]
    rest = venue.v3(account.key, "POST", "cancelallorders")
    assert rest["cancelStatus"]["cancelOnly"] == "all"
    assert [row["order_id"] for row in rest["cancelStatus"]["cancelledOrders"]] == [second]


def test_the_dead_mans_switch(venue: DemoVenue, account: DemoAccount) -> None:
    _rest(venue, account)
    armed = venue.v3(account.key, "POST", "cancelallordersafter", timeout=1)
    assert_shape(armed, "rest_cancelallordersafter_armed")
    time.sleep(1.5)
    assert venue.v3(account.key, "GET", "openorders")["openOrders"] == []
    off = venue.v3(account.key, "POST", "cancelallordersafter", timeout=0)
    assert_shape(off, "rest_cancelallordersafter_off")
    assert off["status"]["triggerTime"] == "0"


def test_order_status_knows_open_and_just_closed_orders(venue: DemoVenue, account: DemoAccount) -> None:
    name = _name()
    resting = _rest(venue, account, cliOrdId=name)["order_id"]
    gone = _rest(venue, account)["order_id"]
    venue.v3(account.key, "POST", "cancelorder", order_id=gone)
    path = f"{V3}/orders/status"
    params = [("orderIds", gone), ("orderIds", str(uuid.uuid4())), ("cliOrdIds", name)]
    for method in ("POST", "GET"):
        answer = venue.call(account.key, method, path, params).json()
        assert_shape(answer, "rest_orders_status", optional=("updateReason",))
        states = {row["order"]["orderId"]: row["status"] for row in answer["orders"]}
        assert states == {gone: "CANCELLED", resting: "ENTERED_BOOK"}
    everything = venue.v3(account.key, "GET", "orders/status")["orders"]
    assert {resting, gone} <= {row["order"]["orderId"] for row in everything}


def _batch(venue: DemoVenue, account: DemoAccount, lines: list[dict[str, Any]], **more: Any) -> Any:
    return venue.v3(account.key, "POST", "batchorder", json=json.dumps({"batchOrder": lines}), **more)


def test_a_batch_answers_line_by_line(venue: DemoVenue, account: DemoAccount) -> None:
    old = _rest(venue, account)["order_id"]
    edited = _rest(venue, account)["order_id"]
    send = {
        "order": "send",
        "orderType": "lmt",
        "symbol": SYMBOL,
        "side": "buy",
        "size": 0.01,
        "limitPrice": _far(venue),
    }
    crossing = int(venue.ticker(SYMBOL)["ask"] * 1.002)
    answer = _batch(
        venue,
        account,
        [
            send | {"order_tag": "1", "cliOrdId": _name(), "reduceOnly": False},
            {"order": "edit", "order_id": edited, "size": 0.02, "limitPrice": _far(venue), "qtyMode": "ABSOLUTE"},
            {"order": "cancel", "order_id": old},
            send | {"order_tag": "2", "orderType": "post", "limitPrice": crossing},
            {"order": "send", "order_tag": "3", "symbol": SYMBOL},
            {"order": "cancel", "order_id": str(uuid.uuid4())},
        ],
    )
    assert [row["status"] for row in answer["batchStatus"]] == [
        "placed",
        "edited",
        "cancelled",
        "postWouldExecute",
        "requiredArgumentMissing",
        "notFound",
    ]
    assert answer["batchStatus"][0]["order_tag"] == "1"
    recorded = {**answer, "batchStatus": answer["batchStatus"][:4]}
    assert_shape(recorded, "rest_batchorder", optional=("order_id", "cliOrdId", "dateTimeReceived"), extra=("reason",))


def test_a_batch_without_sense(venue: DemoVenue, account: DemoAccount) -> None:
    assert venue.v3(account.key, "POST", "batchorder")["error"] == "requiredArgumentMissing"
    assert venue.v3(account.key, "POST", "batchorder", json="{")["error"] == "Json Parse Error"
    assert venue.v3(account.key, "POST", "batchorder", json="7")["error"] == "requiredArgumentMissing"
    empty = _batch(venue, account, [{"order": "send", "order_tag": "1"}])
    assert empty["batchStatus"][0]["status"] == "requiredArgumentMissing"


def test_the_deadline_of_a_batch(venue: DemoVenue, account: DemoAccount) -> None:
    send = {"order": "send", "order_tag": "1", "orderType": "lmt", "symbol": SYMBOL, "side": "buy", "size": 0.01}
    late = (datetime.now(UTC) - timedelta(minutes=1)).isoformat(timespec="milliseconds")
    answer = _batch(venue, account, [send | {"limitPrice": _far(venue)}], processBefore=late)
    assert answer["batchStatus"][0]["status"] == "wouldProcessAfterSpecifiedTime"
    assert venue.v3(account.key, "GET", "openorders")["openOrders"] == []
