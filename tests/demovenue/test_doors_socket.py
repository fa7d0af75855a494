"""The socket: handshake, acknowledgements, alerts, every feed with snapshot and updates, and its limits."""

from __future__ import annotations

import time
import uuid
from decimal import Decimal
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from tests.demovenue.listener import Listener
from tests.demovenue.shape import assert_shape, sample
from tests.venue_process import DemoAccount, DemoVenue, start_demovenue

pytestmark = pytest.mark.venue
SYMBOL = "PF_XBTUSD"
# Left out when zero, or when never traded.
RATES = (
    "funding_rate",
    "funding_rate_prediction",
    "relative_funding_rate",
    "relative_funding_rate_prediction",
)


def _alert(name: str) -> str:
    return str(sample(f"ws_alert_{name}")["message"])


def test_the_first_word_is_info(venue: DemoVenue) -> None:
    with Listener(venue) as client:
        assert client.next() == sample("ws_info")


def test_one_acknowledgement_a_product_before_the_first_snapshot(venue: DemoVenue) -> None:
    with Listener(venue) as client:
        client.next()
        client.subscribe("book", "pf_xbtusd", "PI_XBTUSD", "PF_ETHUSD")
        heard = [client.next() for _ in range(3)]
        assert [one["product_ids"] for one in heard] == [["PF_XBTUSD"], ["PI_XBTUSD"], ["PF_ETHUSD"]]
        for one in heard:
            assert_shape(one, "ws_subscribed_public")
        snapshots = [client.feed("book_snapshot") for _ in range(3)]
        assert [one["product_id"] for one in snapshots] == ["PF_XBTUSD", "PI_XBTUSD", "PF_ETHUSD"]


@pytest.mark.parametrize(
    ("said", "alert"),
    [
        ('{"event":"ping"}', "bad_message"),
        ("hello", "bad_message"),
        ("[" * 5000, "bad_message"),
        ("{}", "bad_request"),
        ("[]", "bad_request"),
        ('{"event":"subscribe"}', "bad_request"),
        ('{"event":"subscribe","feed":7}', "bad_request"),
        ('{"event":"subscribe","feed":"book"}', "bad_request"),
        ('{"event":"subscribe","feed":"book","product_ids":"PF_XBTUSD"}', "bad_request"),
        ('{"event":"subscribe","feed":"book","product_ids":[1]}', "bad_request"),
        ('{"event":"challenge"}', "bad_request"),
        ('{"event":"subscribe","feed":"nosuch","product_ids":["PF_XBTUSD"]}', "invalid_feed"),
        ('{"event":"subscribe","feed":"ticker","product_ids":["NOT_REAL"]}', "invalid_product"),
        ('{"event":"unsubscribe","feed":"ticker","product_ids":["PF_XBTUSD"]}', "not_subscribed"),
        ('{"event":"subscribe","feed":"fills"}', "auth"),
        ('{"event":"unsubscribe","feed":"fills"}', "auth"),
    ],
)
def test_what_is_not_understood_gets_its_alert(venue: DemoVenue, said: str, alert: str) -> None:
    with Listener(venue) as client:
        client.next()
        client.socket.send(said)
        assert client.next() == {"event": "alert", "message": _alert(alert)}
        client.subscribe("ticker", SYMBOL)
        assert client.event("subscribed")["feed"] == "ticker"


def test_subscribing_twice_brings_the_snapshot_again(venue: DemoVenue) -> None:
    with Listener(venue) as client:
        client.subscribe("book", SYMBOL)
        first = client.feed("book_snapshot")
        client.subscribe("book", SYMBOL)
        assert client.event("alert")["message"] == _alert("already")
        assert client.feed("book_snapshot")["seq"] >= first["seq"]


def test_unsubscribing_is_acknowledged_and_ends_the_feed(venue: DemoVenue) -> None:
    with Listener(venue) as client:
        client.subscribe("book", SYMBOL)
        client.feed("book_snapshot")
        client.say(event="unsubscribe", feed="book", product_ids=[SYMBOL])
        assert_shape(client.event("unsubscribed"), "ws_unsubscribed_public")
        with pytest.raises(TimeoutError):
            client.next(timeout=1.5)


def test_the_book_follows_its_snapshot_without_a_gap_and_equals_rest(venue: DemoVenue) -> None:
    with Listener(venue) as client:
        client.subscribe("book", SYMBOL)
        snapshot = client.feed("book_snapshot")
        assert_shape(snapshot, "ws_book_snapshot")
        sides = {
            "buy": {Decimal(str(one["price"])): Decimal(str(one["qty"])) for one in snapshot["bids"]},
            "sell": {Decimal(str(one["price"])): Decimal(str(one["qty"])) for one in snapshot["asks"]},
        }
        seq = snapshot["seq"]
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            delta = client.feed("book")
            assert_shape(delta, "ws_book_delta")
            seq += 1
            assert delta["seq"] == seq
            _apply(sides[delta["side"]], delta)
            if seq - snapshot["seq"] >= 100 and _equals_rest(venue, sides):
                return
        pytest.fail("the replayed book never equalled the one of REST")


def _apply(levels: dict[Decimal, Decimal], delta: dict[str, Any]) -> None:
    price, size = Decimal(str(delta["price"])), Decimal(str(delta["qty"]))
    if size:
        levels[price] = size
    else:
        levels.pop(price, None)


def _equals_rest(venue: DemoVenue, sides: dict[str, dict[Decimal, Decimal]]) -> bool:
    """REST may be one delta ahead or behind, so this is asked again until it fits."""
    book = venue.get("/derivatives/api/v3/orderbook", symbol=SYMBOL).json()["orderBook"]
    rest = {
        "buy": {Decimal(str(price)): Decimal(str(size)) for price, size in book["bids"]},
        "sell": {Decimal(str(price)): Decimal(str(size)) for price, size in book["asks"]},
    }
    return rest == sides


def test_the_tape_goes_on_from_its_snapshot(venue: DemoVenue, account: DemoAccount) -> None:
    with Listener(venue) as client:
        client.subscribe("trade", SYMBOL)
        snapshot = client.feed("trade_snapshot")
        assert_shape(snapshot, "ws_trade_snapshot")
        numbers = [one["seq"] for one in snapshot["trades"]]
        assert numbers == sorted(numbers, reverse=True)
        venue.order(account.key, orderType="mkt", symbol=SYMBOL, side="buy", size="0.01")
        trade = client.feed("trade")
        assert_shape(trade, "ws_trade")
        assert trade["seq"] == numbers[0] + 1


def test_tickers_come_at_most_once_a_second(venue: DemoVenue) -> None:
    with Listener(venue) as client:
        client.subscribe("ticker", SYMBOL)
        assert_shape(client.feed("ticker"), "ws_ticker", optional=RATES)
        client.feed("ticker")
        started = time.monotonic()
        for _ in range(3):
            assert_shape(client.feed("ticker"), "ws_ticker", optional=RATES)
        assert 2.5 < time.monotonic() - started < 9


def test_a_dated_ticker_and_a_light_one(venue: DemoVenue) -> None:
    rows = venue.get("/derivatives/api/v3/tickers").json()["tickers"]
    dated = next(row["symbol"] for row in rows if row["symbol"].startswith("FI_"))
    with Listener(venue) as client:
        client.subscribe("ticker", dated)
        never_traded = ("last", "open", "high", "low")
        ticker = client.feed("ticker")
        assert_shape(ticker, "ws_ticker_fixed", optional=never_traded)
        assert ticker["maturityTime"] > ticker["time"]
        client.subscribe("ticker_lite", dated, SYMBOL)
        for _ in range(2):
            assert_shape(client.feed("ticker_lite"), "ws_ticker_lite")


def test_heartbeats(venue: DemoVenue) -> None:
    with Listener(venue) as client:
        client.say(event="subscribe", feed="heartbeat")
        assert client.event("subscribed") == {"event": "subscribed", "feed": "heartbeat"}
        first, second = client.feed("heartbeat"), client.feed("heartbeat")
        assert_shape(first, "ws_heartbeat")
        assert 500 < second["time"] - first["time"] < 3000


def test_candles(venue: DemoVenue, account: DemoAccount) -> None:
    with Listener(venue) as client:
        client.subscribe("candles_trade_1m", SYMBOL)
        assert_shape(client.feed("candles_trade_1m_snapshot"), "ws_candles_snapshot")
        venue.order(account.key, orderType="mkt", symbol=SYMBOL, side="buy", size="0.01")
        assert_shape(client.feed("candles_trade_1m"), "ws_candles")


def test_a_challenge_is_handed_out_for_any_key(venue: DemoVenue) -> None:
    with Listener(venue) as client:
        client.say(event="challenge", api_key="whatever")
        answer = client.event("challenge")
        assert_shape(answer, "ws_challenge_response")
        assert uuid.UUID(answer["message"])


def test_a_challenge_does_not_carry_over_to_another_connection(venue: DemoVenue, account: DemoAccount) -> None:
    with Listener(venue) as first, Listener(venue) as second:
        proof = first.prove(account.key)
        second.say(event="subscribe", feed="fills", **proof)
        assert second.event("alert")["message"] == _alert("auth")
        first.say(event="subscribe", feed="fills", **(proof | {"signed_challenge": "AAAA"}))
        assert first.event("alert")["message"] == _alert("auth")
        first.say(event="subscribe", feed="fills", **proof)
        assert_shape(first.event("subscribed"), "ws_subscribed_private")


def test_a_read_only_key_may_listen_and_a_key_without_access_may_not(venue: DemoVenue) -> None:
    for general, word in (("read", "subscribed"), ("none", "alert")):
        with Listener(venue) as client:
            client.subscribe_private(venue.signup(general=general).key, "open_orders")
            client.wait(lambda one, word=word: one.get("event") == word)  # type: ignore[misc]


def test_the_life_of_an_order(venue: DemoVenue, account: DemoAccount) -> None:
    name = f"ws-{uuid.uuid4().hex[:12]}"
    price = int(venue.ticker(SYMBOL)["markPrice"] * 0.97)
    with Listener(venue) as client:
        proof = client.subscribe_private(account.key, "open_orders", "open_orders_verbose")
        assert_shape(client.feed("open_orders_snapshot"), "ws_open_orders_snapshot")
        assert_shape(client.feed("open_orders_verbose_snapshot"), "ws_open_orders_verbose_snapshot")
        wish = {"orderType": "lmt", "symbol": SYMBOL, "side": "buy", "size": "0.01", "limitPrice": price}
        order_id = venue.order(account.key, **wish, cliOrdId=name)["order_id"]
        placed = client.feed("open_orders")
        assert_shape(placed, "ws_open_orders_new")
        assert (placed["order"]["order_id"], placed["reason"]) == (order_id, "new_placed_order_by_user")
        venue.v3(account.key, "POST", "editorder", orderId=order_id, size="0.02", limitPrice=price)
        assert_shape(client.feed("open_orders"), "ws_open_orders_edited")
        client.say(event="subscribe", feed="open_orders", **proof)
        (again,) = client.feed("open_orders_snapshot")["orders"]
        assert again["qty"] == 0.02
        venue.v3(account.key, "POST", "cancelorder", order_id=order_id)
        gone = client.feed("open_orders")
        assert_shape(gone, "ws_open_orders_cancelled")
        assert gone["reason"] == "cancelled_by_user"


def test_a_rejected_post_only_order_is_only_told_verbosely(venue: DemoVenue, account: DemoAccount) -> None:
    price = int(venue.ticker(SYMBOL)["ask"] * 1.002)
    with Listener(venue) as client:
        client.subscribe_private(account.key, "open_orders", "open_orders_verbose")
        client.feed("open_orders_verbose_snapshot")
        wish = {"orderType": "post", "symbol": SYMBOL, "side": "buy", "size": "0.01", "limitPrice": price}
        assert venue.order(account.key, **wish)["status"] == "postWouldExecute"
        told = client.feed("open_orders_verbose")
        assert_shape(told, "ws_open_orders_verbose_post_rejected")
        assert told["reason"] == sample("ws_open_orders_verbose_post_rejected")["reason"]
        assert not [one for one in client.heard if one.get("feed") == "open_orders" and "event" not in one]


def test_triggers_in_the_snapshot(venue: DemoVenue, account: DemoAccount) -> None:
    mark = venue.ticker(SYMBOL)["markPrice"]
    wish = {"symbol": SYMBOL, "side": "sell", "size": "0.01", "reduceOnly": "true"}
    venue.order(account.key, orderType="stp", stopPrice=int(mark * 0.9), triggerSignal="mark", **wish)
    trailing = {"trailingStopMaxDeviation": 4, "trailingStopDeviationUnit": "PERCENT", "triggerSignal": "last"}
    venue.order(account.key, orderType="trailing_stop", **trailing, **wish)
    with Listener(venue) as client:
        client.subscribe_private(account.key, "open_orders")
        snapshot = client.feed("open_orders_snapshot")
        assert_shape(snapshot, "ws_open_orders_snapshot")
        assert [one["type"] for one in snapshot["orders"]] == ["stop", "trailing_stop"]


def test_a_trade_is_told_on_every_private_feed(venue: DemoVenue, account: DemoAccount) -> None:
    with Listener(venue) as client:
        client.subscribe_private(
            account.key, "fills", "open_positions", "balances", "account_log", "notifications_auth"
        )
        assert_shape(client.feed("fills_snapshot"), "ws_fills_snapshot")
        assert client.feed("open_positions")["positions"] == []
        balances = client.feed("balances_snapshot")
        names = ("F-ETH:USD", "F-XRP:USD", "F-LTC:USD")
        assert_shape(balances, "ws_balances_snapshot", extra=names)
        assert balances["seq"] == 0
        assert_shape(client.feed("account_log_snapshot"), "ws_account_log_snapshot", extra=("contract",))
        assert_shape(client.feed("notifications_auth"), "ws_notifications_auth")
        order_id = venue.order(account.key, orderType="mkt", symbol=SYMBOL, side="buy", size="0.01")["order_id"]
        wanted = {"fills", "open_positions", "balances", "account_log"}
        told: dict[str, dict[str, Any]] = {}
        while wanted - told.keys():
            message = client.wait(lambda one: one.get("feed") in wanted)
            if message["feed"] != "open_positions" or message["positions"]:
                told.setdefault(message["feed"], message)
        assert_shape(told["fills"], "ws_fills")
        assert told["fills"]["username"] == account.uid
        assert told["fills"]["fills"][0]["order_id"] == order_id
        assert_shape(told["open_positions"], "ws_open_positions")
        assert_shape(told["balances"], "ws_balances_flex")
        assert told["balances"]["seq"] > 0
        assert_shape(told["account_log"], "ws_account_log", extra=("contract",))


def test_notices_are_told_as_they_come(venue: DemoVenue, account: DemoAccount) -> None:
    with Listener(venue) as client:
        client.subscribe_private(account.key, "notifications_auth")
        before = client.feed("notifications_auth")["notifications"]
        venue.control("POST", "/demo/notifications", {"note": "Hear, hear", "priority": "high"})
        later = client.feed("notifications_auth")["notifications"]
        assert {one["note"] for one in later} - {one["note"] for one in before} == {"Hear, hear"}


def test_the_acknowledgement_of_balances_does_not_echo(venue: DemoVenue, account: DemoAccount) -> None:
    with Listener(venue) as client:
        client.subscribe_private(account.key, "balances")
        assert client.event("subscribed") == sample("ws_subscribed_balances")


def test_balances_tell_only_the_section_that_changed(venue: DemoVenue, account: DemoAccount) -> None:
    with Listener(venue) as client:
        client.subscribe_private(account.key, "balances")
        client.feed("balances_snapshot")
        venue.control("POST", "/demo/fund", {"wallet": "cash", "currency": "usd", "amount": "7"}, account)
        told = client.wait(lambda one: one.get("feed") == "balances" and bool(one.get("holding")))
        assert_shape(told, "ws_balances_holding")
        assert list(told["holding"]) == ["USD"]
        venue.order(account.key, orderType="mkt", symbol="PI_XBTUSD", side="buy", size=100)
        told = client.wait(lambda one: one.get("feed") == "balances" and bool(one.get("futures")))
        assert_shape(told, "ws_balances_single")
        assert list(told["futures"]) == ["F-XBT:USD"]


def test_fills_of_some_products(venue: DemoVenue, account: DemoAccount) -> None:
    with Listener(venue) as client:
        proof = client.prove(account.key)
        client.say(event="subscribe", feed="fills", product_ids=["PI_XBTUSD"], **proof)
        client.feed("fills_snapshot")
        venue.order(account.key, orderType="mkt", symbol=SYMBOL, side="buy", size="0.01")
        venue.order(account.key, orderType="mkt", symbol="PI_XBTUSD", side="buy", size=100)
        assert client.feed("fills")["fills"][0]["instrument"] == "PI_XBTUSD"


def test_nobody_hears_another_account(venue: DemoVenue, account: DemoAccount) -> None:
    stranger = venue.signup()
    with Listener(venue) as client:
        client.subscribe_private(stranger.key, "fills", "open_orders", "account_log")
        client.feed("account_log_snapshot")
        venue.order(account.key, orderType="mkt", symbol=SYMBOL, side="buy", size="0.01")
        with pytest.raises(TimeoutError):
            client.next(timeout=1.5)


def test_a_revoked_key_loses_its_socket(venue: DemoVenue, account: DemoAccount) -> None:
    spare = venue.new_key(account)
    with Listener(venue) as client:
        client.subscribe_private(spare, "fills")
        client.feed("fills_snapshot")
        venue.control("DELETE", f"/demo/keys/{spare.public}", None, account)
        with pytest.raises(ConnectionClosed):
            client.next()


def test_too_many_requests_end_the_connection(venue: DemoVenue) -> None:
    with Listener(venue) as client, pytest.raises(ConnectionClosed) as caught:
        for _ in range(1000):
            client.say(event="subscribe", feed="nosuch")
        while True:
            client.next()
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == 1008


def test_too_many_sockets_of_one_client_are_refused(tmp_path_factory: pytest.TempPathFactory) -> None:
    venue = start_demovenue(tmp_path_factory.mktemp("sockets"), options=("--sockets", "3"))
    try:
        clients = [Listener(venue) for _ in range(3)]
        with pytest.raises(InvalidStatus) as caught, connect(venue.ws_url):
            pass
        assert caught.value.response.status_code == 429
        clients[0].close()
        time.sleep(0.2)
        with Listener(venue) as again:
            assert again.next()["event"] == "info"
        for client in clients:
            client.close()
    finally:
        assert venue.stop() == 0
