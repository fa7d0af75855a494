"""A long day of ccxt, sync and pro, on demovenue; at its end its picture and the exchange's own ledger agree."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.demovenue.test_ccxt_sync import INVERSE, LINEAR, addresses
from tests.venue_process import DemoAccount, DemoVenue

ccxt = pytest.importorskip("ccxt")
pro = pytest.importorskip("ccxt.pro")
pytestmark = [pytest.mark.venue, pytest.mark.clients, pytest.mark.timeout(240)]

ETHER = "ETH/USD:USD"


def _options(account: DemoAccount) -> dict[str, Any]:
    return {"apiKey": account.key.public, "secret": account.key.private, "rateLimit": 20}


def _agree(truth: dict[str, Any], *, ended: dict[str, str], fills: set[str]) -> None:
    """`ended`: what ccxt believes became of each order, in its words (open, closed, canceled)."""
    words = {"open": "open", "filled": "closed", "cancelled": "canceled"}
    assert ended == {one["order_id"]: words[one["status"]] for one in truth["orders"] if one["status"] in words}
    assert fills == {one["fill_id"] for one in truth["fills"]}
    assert all(one["answered"] for one in truth["orders"])


@pytest.fixture
def client(venue: DemoVenue, account: DemoAccount) -> Any:
    made = ccxt.krakenfutures(_options(account))
    made.urls["api"] = addresses(venue)
    made.load_markets()
    return made


def test_a_long_day_of_the_sync_client(client: Any, venue: DemoVenue, account: DemoAccount) -> None:
    _look_around(client)
    made = _orders_of_every_kind(client)
    made |= _a_batch(client)
    _round_trip(client, made)
    _money(client)
    truth = venue.ledger(account)
    client.cancel_all_orders()
    open_now = {one["id"] for one in client.fetch_open_orders()}
    assert open_now == set()
    truth = venue.ledger(account)
    mine = client.fetch_my_trades()
    assert {one["id"] for one in truth_orders(truth)} == set(made)
    believed = {uid: _fate(client, uid, mine) for uid in made}
    _agree(truth, ended=believed, fills={one["id"] for one in mine})
    for trade in mine:
        booked = next(one for one in truth["fills"] if one["fill_id"] == trade["id"])
        assert (trade["order"], trade["side"]) == (booked["order_id"], booked["side"])
        assert float(booked["price"]) == trade["price"]
        assert booked["size"] == trade["info"]["size"]  # ccxt gives inverse trades no amount


def truth_orders(truth: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"id": one["order_id"]} for one in truth["orders"] if one["status"] != "rejected"]


def _fate(client: Any, uid: str, mine: list[dict[str, Any]]) -> str:
    """Filled orders are known by their trades: ccxt asks `orders/status`, which forgets after five seconds."""
    return "closed" if any(one["order"] == uid for one in mine) else "canceled"


def _look_around(client: Any) -> None:
    assert {one["type"] for one in client.fetch_markets()} == {"swap", "future"}
    tickers = client.fetch_tickers([LINEAR, INVERSE, ETHER])
    assert all(one["bid"] < one["ask"] for one in tickers.values())
    for resolution in ("1m", "1h", "1d"):
        candles = client.fetch_ohlcv(LINEAR, resolution, limit=30)
        assert len(candles) in (29, 30)  # nothing has traded yet in a young minute
        step = client.parse_timeframe(resolution) * 1000
        assert all(later[0] - earlier[0] == step for earlier, later in itertools.pairwise(candles))
        assert all(low <= min(first, last) and high >= max(first, last) for _, first, high, low, last, _ in candles)
    for price in ("mark", "spot"):
        assert client.fetch_ohlcv(LINEAR, "1h", limit=5, params={"price": price})
    book = client.fetch_order_book(INVERSE)
    assert book["bids"] == sorted(book["bids"], reverse=True)
    assert book["asks"] == sorted(book["asks"])
    trades = client.fetch_trades(LINEAR, limit=100)
    assert [one["timestamp"] for one in trades] == sorted(one["timestamp"] for one in trades)
    rates = client.fetch_funding_rate_history(LINEAR)
    assert all(later["timestamp"] - earlier["timestamp"] == 3_600_000 for earlier, later in itertools.pairwise(rates))
    assert client.fetch_funding_rate(LINEAR)["fundingRate"] is not None
    tiers = client.fetch_market_leverage_tiers(LINEAR)
    assert tiers[0]["maxLeverage"] == 100


def _low(client: Any, symbol: str = LINEAR) -> float:
    return float(int(client.fetch_ticker(symbol)["bid"] * 0.97))


def _orders_of_every_kind(client: Any) -> dict[str, Any]:
    """Returns the orders that were taken, by id."""
    low = _low(client)
    name = f"day-{uuid.uuid4().hex[:8]}"
    limit = client.create_order(LINEAR, "limit", "buy", 0.01, low, {"clientOrderId": name})
    post = client.create_post_only_order(LINEAR, "limit", "buy", 0.01, low - 5)
    orders = [
        limit,
        post,
        client.create_order(LINEAR, "limit", "buy", 0.01, low * 1.06, {"timeInForce": "ioc"}),
        client.create_order(LINEAR, "fok", "buy", 0.01, low * 1.06),
        client.create_order(LINEAR, "market", "sell", 0.005),
        client.create_order(INVERSE, "market", "buy", 50),
        client.create_order(LINEAR, "market", "sell", 0.01, None, {"stopLossPrice": low - 900}),
        client.create_order(LINEAR, "limit", "sell", 0.01, low * 1.4, {"takeProfitPrice": int(low * 1.4)}),
        client.create_order(LINEAR, "market", "buy", 0.01, None, {"triggerPrice": int(low * 1.5)}),
        client.create_order(
            LINEAR,
            "trailing_stop",
            "sell",
            0.01,
            None,
            {"trailingStopMaxDeviation": 10, "trailingStopDeviationUnit": "PERCENT"},
        ),
    ]
    assert [one["status"] for one in orders[:5]] == ["open", "open", "closed", "closed", "closed"]
    # Of an inverse trade ccxt reads no amount, and so it does not see by itself that the order is filled.
    assert orders[5]["info"]["orderEvents"][0]["type"] == "EXECUTION"
    listed = {one["id"]: one for one in client.fetch_open_orders(LINEAR)}
    assert len(listed) == 6
    assert listed[limit["id"]]["clientOrderId"] == name
    edited = client.edit_order(limit["id"], LINEAR, "limit", "buy", 0.02, low - 1)
    assert edited["id"] == limit["id"]
    seen = client.fetch_order(limit["id"])
    assert (seen["amount"], seen["status"]) == (0.02, "open")
    assert client.cancel_order(post["id"], LINEAR)["id"] == post["id"]
    with pytest.raises(ccxt.InvalidOrder):
        client.create_order(LINEAR, "limit", "buy", 0.01, low, {"clientOrderId": name})
    return {one["id"]: one for one in orders}


def _a_batch(client: Any) -> dict[str, Any]:
    low = _low(client, ETHER)
    wish = {"symbol": ETHER, "type": "limit", "side": "buy", "amount": 0.1, "price": low}
    orders = client.create_orders([wish, wish | {"price": low - 1}, wish | {"type": "market", "price": None}])
    assert [one["status"] for one in orders] == ["open", "open", "closed"]
    client.cancel_orders([one["id"] for one in orders[:2]], ETHER)
    return {one["id"]: one for one in orders}


def _round_trip(client: Any, made: dict[str, Any]) -> None:
    positions = {one["symbol"]: one for one in client.fetch_positions()}
    assert positions[LINEAR]["side"] == "long"
    assert positions[LINEAR]["contracts"] == pytest.approx(0.015)
    assert positions[INVERSE]["contracts"] == 50
    closed = client.create_order(LINEAR, "market", "sell", 0.015, None, {"reduceOnly": True})
    made[closed["id"]] = closed
    assert {one["symbol"] for one in client.fetch_positions()} == {INVERSE, ETHER}
    known = {one["id"] for one in client.fetch_closed_orders(LINEAR)}
    assert closed["id"] in known


def _money(client: Any) -> None:
    client.set_leverage(5, "SOL/USD:USD")
    assert client.fetch_leverages()["SOL/USD:USD"]["longLeverage"] == 5
    before = client.fetch_balance({"type": "cash"})["USD"]["total"]
    moved = client.transfer("USD", 40, "flex", "cash")
    assert (moved["amount"], moved["status"]) == (40, "success")
    assert client.fetch_balance({"type": "cash"})["USD"]["total"] == pytest.approx(before + 40)
    assert client.transfer_out("USD", 10)["status"] == "success"
    log = client.history_get_account_log({"count": 200})["logs"]
    assert {"futures trade", "transfer", "cross-exchange transfer"} <= {row["info"] for row in log}
    with pytest.raises(ccxt.InsufficientFunds):
        client.transfer("USD", 10**9, "flex", "cash")
    assert client.cancel_all_orders_after(60_000)["status"]["triggerTime"] != "0"
    assert client.cancel_all_orders_after(0)["status"]["triggerTime"] == "0"


# --- pro --------------------------------------------------------------------------------------------


@pytest_asyncio.fixture
async def watcher(venue: DemoVenue, account: DemoAccount) -> AsyncIterator[Any]:
    made = pro.krakenfutures(_options(account))
    made.urls["api"] = addresses(venue)
    await made.load_markets()
    yield made
    await made.close()


def _state(order: dict[str, Any]) -> str:
    """ccxt gives an order it heard of without a cancel no status."""
    return "open" if order["remaining"] else "closed"


class Watch:
    """Follows one `watch_…` call in the background and keeps what it told."""

    def __init__(self, call: Any, *arguments: Any) -> None:
        self.told: list[Any] = []
        self._task = asyncio.create_task(self._follow(call, arguments))

    async def _follow(self, call: Any, arguments: Any) -> None:
        while True:
            self.told.append(await call(*arguments))

    async def until(self, what: Any, patience: float = 20) -> None:
        async with asyncio.timeout(patience):
            while not any(what(one) for one in self.told):
                if self._task.done():
                    self._task.result()
                await asyncio.sleep(0.05)

    async def stop(self) -> None:
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task


async def test_a_long_day_of_the_pro_client(watcher: Any, venue: DemoVenue, account: DemoAccount) -> None:
    public = [
        Watch(watcher.watch_tickers, [LINEAR, INVERSE]),
        Watch(watcher.watch_bids_asks, [LINEAR, ETHER]),
        Watch(watcher.watch_order_book_for_symbols, [LINEAR, INVERSE]),
        Watch(watcher.watch_trades_for_symbols, [LINEAR, ETHER]),
    ]
    private = [Watch(call) for call in (watcher.watch_orders, watcher.watch_my_trades, watcher.watch_balance)] + [
        Watch(watcher.watch_positions)
    ]
    orders, trades, balances, positions = private
    await asyncio.sleep(2)
    low = float(int(venue.ticker("PF_XBTUSD")["bid"] * 0.97))
    resting = await watcher.create_order(LINEAR, "limit", "buy", 0.01, low)
    await orders.until(lambda told: any(one["id"] == resting["id"] for one in told))
    await watcher.edit_order(resting["id"], LINEAR, "limit", "buy", 0.02, low - 1)
    await orders.until(lambda told: any(one["id"] == resting["id"] and one["amount"] == 0.02 for one in told))
    taken = await watcher.create_order(LINEAR, "market", "buy", 0.03)
    await trades.until(lambda told: any(one["order"] == taken["id"] for one in told))
    await positions.until(lambda told: any(one["symbol"] == LINEAR and one["contracts"] == 0.03 for one in told))
    await watcher.cancel_order(resting["id"], LINEAR)
    await orders.until(lambda _: {one["id"]: one["status"] for one in watcher.orders}[resting["id"]] == "canceled")
    await balances.until(lambda told: "info" in told)
    for watch in public:
        await watch.until(lambda told: bool(told))
    book, rest = watcher.orderbooks[LINEAR], await watcher.fetch_order_book(LINEAR)
    assert book["bids"][0][0] < book["asks"][0][0]
    assert abs(book["bids"][0][0] - rest["bids"][0][0]) < rest["bids"][0][0] * 0.01
    for watch in (*public, *private):
        await watch.stop()
    # A cancel updates its cache but does not move the order to the end of what `watch_orders` returns.
    believed = {one["id"]: one["status"] or _state(one) for one in watcher.orders}
    fills = {one["id"] for told in trades.told for one in told}
    _agree(venue.ledger(account), ended=believed, fills=fills)
