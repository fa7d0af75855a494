"""ccxt, which we did not write, trades on demovenue as it does on the real venue: only the addresses are changed."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from tests.venue_process import DemoAccount, DemoVenue

ccxt = pytest.importorskip("ccxt")
pytestmark = [pytest.mark.venue, pytest.mark.clients]

LINEAR, INVERSE = "BTC/USD:USD", "BTC/USD:BTC"


def addresses(venue: DemoVenue) -> dict[str, str]:
    return {
        "public": f"{venue.url}/derivatives/api/",
        "private": f"{venue.url}/derivatives/api/",
        "charts": f"{venue.url}/api/charts/",
        "history": f"{venue.url}/api/history/",
        "feeschedules": f"{venue.url}/api/feeschedules/",
        "ws": venue.ws_url,
    }


@pytest.fixture
def client(venue: DemoVenue, account: DemoAccount) -> Any:
    made = ccxt.krakenfutures({"apiKey": account.key.public, "secret": account.key.private})
    made.urls["api"] = addresses(venue)
    made.load_markets()
    return made


def _low(client: Any) -> float:
    return float(int(client.fetch_order_book(LINEAR)["bids"][0][0] * 0.97))


def test_markets(client: Any) -> None:
    linear, inverse = client.market(LINEAR), client.market(INVERSE)
    assert (linear["id"], linear["linear"], linear["swap"]) == ("PF_XBTUSD", True, True)
    assert (inverse["id"], inverse["inverse"]) == ("PI_XBTUSD", True)
    dated = [one for one in client.markets.values() if one["future"]]
    assert {one["id"][:3] for one in dated} == {"FI_", "FF_"}
    assert all(one["expiry"] for one in dated)


def test_market_data(client: Any) -> None:
    tickers = client.fetch_tickers([LINEAR, INVERSE])
    assert tickers[LINEAR]["last"] > 0
    book = client.fetch_order_book(LINEAR)
    assert book["bids"][0][0] < book["asks"][0][0]
    candles = client.fetch_ohlcv(LINEAR, "1h", limit=24)
    assert len(candles) >= 20
    trades = client.fetch_trades(LINEAR, limit=20)
    assert len(trades) == 20
    assert {one["side"] for one in trades} <= {"buy", "sell"}
    rates = client.fetch_funding_rate_history(LINEAR)
    assert rates
    assert client.fetch_funding_rates([LINEAR])[LINEAR]["fundingRate"] is not None
    assert client.fetch_leverage_tiers([LINEAR])[LINEAR]


def test_balances(client: Any) -> None:
    cash = client.fetch_balance({"type": "cash"})
    flex = client.fetch_balance({"type": "flex"})
    single = client.fetch_balance()
    assert flex["USD"]["total"] > 0
    assert cash is not None
    assert single is not None


def test_a_limit_order_is_created_edited_seen_and_cancelled(
    client: Any, venue: DemoVenue, account: DemoAccount
) -> None:
    name = f"ccxt-{uuid.uuid4().hex[:12]}"
    order = client.create_order(LINEAR, "limit", "buy", 0.01, _low(client), {"clientOrderId": name})
    assert order["status"] == "open"
    (seen,) = client.fetch_open_orders(LINEAR)
    assert (seen["id"], seen["clientOrderId"], seen["amount"]) == (order["id"], name, 0.01)
    edited = client.edit_order(order["id"], LINEAR, "limit", "buy", 0.02, _low(client))
    assert edited["id"] == order["id"]
    assert client.fetch_order(order["id"])["amount"] == 0.02
    client.cancel_order(order["id"], LINEAR)
    assert client.fetch_open_orders(LINEAR) == []
    assert venue.ledger(account)["orders"][0]["status"] == "cancelled"
    # ccxt counts the placing event of an unfilled order as a cancelled order too.
    assert {one["id"] for one in client.fetch_canceled_orders(LINEAR)} == {order["id"]}


def test_a_market_order_makes_a_fill_and_a_position(client: Any, venue: DemoVenue, account: DemoAccount) -> None:
    order = client.create_order(LINEAR, "market", "buy", 0.01)
    assert (order["status"], order["filled"]) == ("closed", 0.01)
    (position,) = client.fetch_positions()
    assert (position["symbol"], position["side"], position["contracts"]) == (LINEAR, "long", 0.01)
    mine = client.fetch_my_trades(LINEAR)
    truth = venue.ledger(account)["fills"]
    assert {one["id"] for one in mine} == {one["fill_id"] for one in truth}
    closed = client.create_order(LINEAR, "market", "sell", 0.01, None, {"reduceOnly": True})
    assert closed["filled"] == 0.01
    assert client.fetch_positions() == []
    assert order["id"] in [one["id"] for one in client.fetch_closed_orders(LINEAR)]


def test_triggers(client: Any) -> None:
    stop = client.create_order(
        LINEAR, "market", "sell", 0.01, None, {"stopLossPrice": _low(client) - 1000, "reduceOnly": True}
    )
    profit = client.create_order(
        LINEAR, "limit", "sell", 0.01, _low(client) * 1.2, {"takeProfitPrice": int(_low(client) * 1.2)}
    )
    assert {one["id"] for one in client.fetch_open_orders()} == {stop["id"], profit["id"]}
    client.cancel_all_orders()
    assert client.fetch_open_orders() == []


def test_a_batch(client: Any) -> None:
    price = _low(client)
    wish = {"symbol": LINEAR, "type": "limit", "side": "buy", "amount": 0.01, "price": price}
    orders = client.create_orders([wish, wish | {"price": price - 10}])
    assert [one["status"] for one in orders] == ["open", "open"]
    client.cancel_orders([one["id"] for one in orders], LINEAR)
    assert client.fetch_open_orders() == []


def test_refusals_have_ccxts_own_names(client: Any) -> None:
    with pytest.raises(ccxt.InsufficientFunds):
        client.create_order(LINEAR, "limit", "buy", 900, _low(client))
    with pytest.raises(ccxt.OrderImmediatelyFillable):
        client.create_order(LINEAR, "limit", "buy", 0.01, _low(client) * 1.05, {"postOnly": True})
    with pytest.raises(ccxt.OrderNotFound):
        client.cancel_order(str(uuid.uuid4()), LINEAR)
    client.secret = "A" * 86 + "=="
    with pytest.raises(ccxt.AuthenticationError):
        client.fetch_open_orders()


def test_leverage_and_transfers(client: Any) -> None:
    client.set_leverage(5, LINEAR)
    assert client.fetch_leverage(LINEAR)["longLeverage"] == 5
    wish = {"fromAccount": "flex", "toAccount": "cash", "unit": "usd", "amount": "10"}
    moved = client.private_post_transfer(wish)
    assert moved["result"] == "success"


def test_the_dead_mans_switch(client: Any) -> None:
    assert client.cancel_all_orders_after(60_000)["result"] == "success"
    assert client.cancel_all_orders_after(0)["status"]["triggerTime"] == "0"
