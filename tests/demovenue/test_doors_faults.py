"""Each fault of the contract does what it says, and the ledger tells the truth about it."""

from __future__ import annotations

import time
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from websockets.exceptions import ConnectionClosed

from tests.demovenue.listener import Listener
from tests.venue_process import DemoAccount, DemoVenue

pytestmark = pytest.mark.venue
SYMBOL = "PF_XBTUSD"


def _wish(venue: DemoVenue, **more: Any) -> dict[str, Any]:
    price = int(venue.ticker(SYMBOL)["markPrice"] * 0.97)
    return {"orderType": "lmt", "symbol": SYMBOL, "side": "buy", "size": "0.01", "limitPrice": price} | more


def _v3(name: str) -> str:
    return f"/derivatives/api/v3/{name}"


def test_a_dropped_answer_was_an_order_all_the_same(venue: DemoVenue, account: DemoAccount) -> None:
    armed = venue.fault("drop_response", key=account.key.public)
    assert [(one["fault"], one["count"]) for one in armed] == [("drop_response", 1)]
    name = f"lost-{uuid.uuid4().hex[:12]}"
    assert venue.v3(account.key, "GET", "openorders")["openOrders"] == []
    with pytest.raises(requests.ConnectionError):
        venue.order(account.key, **_wish(venue, cliOrdId=name))
    assert venue.faults() == []
    (order,) = venue.v3(account.key, "GET", "openorders")["openOrders"]
    assert order["cliOrdId"] == name
    (truth,) = venue.ledger(account)["orders"]
    assert (truth["cli_ord_id"], truth["status"], truth["answered"]) == (name, "open", False)
    assert venue.order(account.key, **_wish(venue))["status"] == "placed"
    assert {one["answered"] for one in venue.ledger(account)["orders"]} == {True, False}


def test_a_dropped_withdrawal_left_all_the_same(venue: DemoVenue, account: DemoAccount) -> None:
    venue.fault("drop_response", key=account.key.public)
    with pytest.raises(requests.ConnectionError):
        venue.v3(account.key, "POST", "withdrawal", currency="usd", amount="1")
    (truth,) = venue.ledger(account)["withdrawals"]
    assert truth["answered"] is False


def test_another_keys_fault_spares_mine(venue: DemoVenue, account: DemoAccount) -> None:
    venue.fault("drop_response", key=venue.signup().key.public)
    assert venue.order(account.key, **_wish(venue))["status"] == "placed"


def test_a_delayed_order_comes_after_its_deadline(venue: DemoVenue, account: DemoAccount) -> None:
    venue.fault("delay", seconds=1.5)
    now = datetime.fromisoformat(venue.control("GET", "/demo/clock")["now"])
    deadline = datetime.fromtimestamp(now.timestamp() + 1, now.tzinfo).isoformat(timespec="milliseconds")
    started = time.monotonic()
    answer = venue.order(account.key, **_wish(venue, processBefore=deadline))
    assert time.monotonic() - started > 1.4
    assert answer["status"] == "wouldProcessAfterSpecifiedTime"
    assert venue.v3(account.key, "GET", "openorders")["openOrders"] == []


@pytest.mark.parametrize(("fault", "status"), [("http_500", 500), ("http_503", 503)])
def test_a_broken_answer_means_nothing_was_done(
    venue: DemoVenue, account: DemoAccount, fault: str, status: int
) -> None:
    venue.fault(fault, count=2)
    for _ in range(2):
        assert venue.call(account.key, "POST", _v3("sendorder"), _wish(venue)).status_code == status
    assert venue.ledger(account)["orders"] == []
    assert venue.order(account.key, **_wish(venue))["status"] == "placed"


def test_an_outage_meets_reads_too_and_ends(venue: DemoVenue) -> None:
    venue.fault("http_503", seconds=1)
    assert venue.get(_v3("tickers")).status_code == 503
    time.sleep(1.1)
    assert venue.get(_v3("tickers")).status_code == 200


@pytest.mark.parametrize(("fault", "error"), [("rate_limit", "apiLimitExceeded"), ("nonce", "nonceBelowThreshold")])
def test_a_refusal_on_purpose(venue: DemoVenue, account: DemoAccount, fault: str, error: str) -> None:
    venue.fault(fault)
    assert venue.v3(account.key, "POST", "sendorder", **_wish(venue))["error"] == error
    assert venue.ledger(account)["orders"] == []


def test_a_hidden_order_is_seen_by_status_only(venue: DemoVenue, account: DemoAccount) -> None:
    venue.fault("hide_from_open_orders")
    with Listener(venue) as client:
        client.subscribe_private(account.key, "open_orders")
        client.feed("open_orders_snapshot")
        hidden = venue.order(account.key, **_wish(venue))["order_id"]
        seen = venue.order(account.key, **_wish(venue))["order_id"]
        assert client.feed("open_orders")["order"]["order_id"] == seen
    listed = [one["order_id"] for one in venue.v3(account.key, "GET", "openorders")["openOrders"]]
    assert listed == [seen]
    status = venue.v3(account.key, "POST", "orders/status", orderIds=hidden)["orders"]
    assert status[0]["status"] == "ENTERED_BOOK"
    venue.clear_faults()
    assert len(venue.v3(account.key, "GET", "openorders")["openOrders"]) == 2


@pytest.mark.parametrize(("fault", "filled"), [("fill_at_once", "0.01"), ("partial_fill", None)])
def test_an_order_is_filled_on_purpose(venue: DemoVenue, account: DemoAccount, fault: str, filled: str | None) -> None:
    venue.fault(fault)
    order_id = venue.order(account.key, **_wish(venue))["order_id"]
    (truth,) = venue.ledger(account)["orders"]
    assert truth["order_id"] == order_id
    if filled is not None:
        assert (truth["status"], truth["filled"]) == ("filled", filled)
    else:
        assert truth["status"] == "open"
        assert 0 < float(truth["filled"]) < 0.01
    assert venue.ledger(account)["fills"]


def test_a_fill_type_nobody_knows(venue: DemoVenue, account: DemoAccount) -> None:
    venue.fault("unknown_fill_type")
    venue.order(account.key, orderType="mkt", symbol=SYMBOL, side="buy", size="0.01")
    known = {"maker", "taker", "liquidation", "partialLiquidation", "assignor", "assignee", "takerAfterEdit"}
    (fill, *_) = venue.v3(account.key, "GET", "fills")["fills"]
    assert fill["fillType"] not in known
    assert venue.ledger(account)["fills"][0]["fill_type"] == fill["fillType"]


def test_a_skewed_clock_goes_wrong_until_cleared(venue: DemoVenue, account: DemoAccount) -> None:
    def server_time() -> datetime:
        return datetime.fromisoformat(venue.get(_v3("instruments/status")).json()["serverTime"])

    right = server_time()
    venue.fault("clock_skew", seconds=-120)
    assert -121 < (server_time() - right).total_seconds() < -115
    venue.clear_faults()
    assert 0 <= (server_time() - right).total_seconds() < 5


def test_a_fast_clock_judges_deadlines_too(venue: DemoVenue, account: DemoAccount) -> None:
    venue.fault("clock_skew", seconds=120)
    soon = datetime.fromtimestamp(time.time() + 60, UTC).isoformat(timespec="milliseconds")
    assert venue.order(account.key, **_wish(venue, processBefore=soon))["status"] == "wouldProcessAfterSpecifiedTime"
    venue.clear_faults()
    assert venue.order(account.key, **_wish(venue, processBefore=soon))["status"] == "placed"


def test_a_frozen_socket_stays_open_and_catches_up(venue: DemoVenue) -> None:
    with Listener(venue) as client:
        client.subscribe("book", SYMBOL)
        client.feed("book_snapshot")
        client.feed("book")
        venue.fault("ws_freeze", seconds=2)
        quiet_since = time.monotonic()
        while time.monotonic() - quiet_since < 0.3:  # what was on its way already
            try:
                client.next(timeout=0.1)
            except TimeoutError:
                break
        with pytest.raises(TimeoutError):
            client.next(timeout=1)
        seq = client.heard[-1]["seq"]
        assert client.feed("book")["seq"] == seq + 1


def test_a_dropped_socket_is_gone_at_once(venue: DemoVenue) -> None:
    with Listener(venue) as client:
        client.next()
        venue.fault("ws_drop")
        with pytest.raises(ConnectionClosed):
            client.next()
    with Listener(venue) as again:
        assert again.next()["event"] == "info"


def test_a_fault_of_a_key_spares_the_public_socket(venue: DemoVenue, account: DemoAccount) -> None:
    with Listener(venue) as public, Listener(venue) as private:
        public.subscribe("ticker", SYMBOL)
        private.subscribe_private(account.key, "fills")
        private.feed("fills_snapshot")
        venue.fault("ws_drop", key=account.key.public)
        with pytest.raises(ConnectionClosed):
            private.next()
        public.feed("ticker")


def test_a_gap_skips_one_number(venue: DemoVenue) -> None:
    with Listener(venue) as client:
        client.subscribe("book", SYMBOL)
        seq = client.feed("book_snapshot")["seq"]
        venue.fault("ws_gap")
        jumps = []
        for _ in range(40):
            number = client.feed("book")["seq"]
            jumps.append(number - seq)
            seq = number
        assert sorted(jumps)[-2:] == [1, 2]


def test_a_duplicate_is_told_twice(venue: DemoVenue, account: DemoAccount) -> None:
    with Listener(venue) as client:
        client.subscribe_private(account.key, "fills")
        client.feed("fills_snapshot")
        venue.fault("ws_duplicate", key=account.key.public)
        venue.order(account.key, orderType="mkt", symbol=SYMBOL, side="buy", size="0.01")
        first, second = client.feed("fills"), client.feed("fills")
        assert first == second


def test_a_probability_is_kept_roughly(venue: DemoVenue, account: DemoAccount) -> None:
    venue.fault("http_500", count=100, probability=0.5)
    answers = [venue.call(account.key, "PUT", _v3("pnlpreferences"), {}).status_code for _ in range(30)]
    assert 4 < answers.count(500) < 26


@pytest.mark.parametrize(
    "body",
    [
        {"fault": "nosuch"},
        {},
        {"fault": "delay", "count": 0},
        {"fault": "delay", "count": 1.5},
        {"fault": "delay", "seconds": -1},
        {"fault": "delay", "probability": 2},
        {"fault": "delay", "key": 7},
        {"fault": "delay", "count": "many"},
    ],
    ids=str,
)
def test_a_fault_that_makes_no_sense(venue: DemoVenue, body: dict[str, Any]) -> None:
    answer = venue.session.post(venue.url + "/demo/faults", json=body)
    assert answer.status_code == 400
    assert answer.json().keys() == {"error", "message"}
    assert venue.faults() == []
