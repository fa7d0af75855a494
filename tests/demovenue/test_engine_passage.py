"""Time leaping over prices at which somebody waits."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D
from time import process_time

import pytest

from demovenue.values import CancelWish
from tests.demovenue.engine_world import BTC, ETH, START, World, balances_by_log, balances_of, sums_by_currency

DAY = D(86400)


@pytest.fixture
def world():
    world = World()
    yield world
    assert set(sums_by_currency(world.exchange).values()) == {D(0)}
    by_log = balances_by_log(world.exchange, world.trader)
    assert by_log == balances_of(world.exchange, world.trader)
    world.exchange.close()


def minutes_of(world, tick_type="mark", symbol=BTC, since=START):
    candles, _ = world.exchange.candles(tick_type, symbol, "1m", since=int(since.timestamp()), until=None, count=5000)
    return candles


@pytest.mark.parametrize("leap", [2 * 3600, 2 * 86400])
def test_a_stop_inside_a_leap_fires_in_its_minute_at_its_price(world, leap):
    """Whether it fires at all is what the candles say afterwards."""
    mark = world.exchange.ticker(BTC).mark
    stops = {}
    for side, sign in (("sell", -1), ("buy", 1)):
        for step in range(1, 13):
            price = (mark * (1 + D(sign * step) / 1000)).quantize(D(1))
            placed = world.send("stp", side, "0.001", stop_price=price)
            stops[placed.order_id] = (side, price)
    world.exchange.advance(D(leap))
    candles = minutes_of(world)
    low, high = min(c.low for c in candles[1:]), max(c.high for c in candles[1:])
    fills = {fill.order_id: fill for fill in world.exchange.fills(world.trader, limit=100)}
    assert fills, "the seed is one where something happens"
    for order_id, (side, price) in stops.items():
        reached = high >= price if side == "buy" else low <= price
        clear = abs((high if side == "buy" else low) - price) > 1
        assert not clear or (order_id in fills) == reached
        if order_id in fills:
            fill = fills[order_id]
            assert abs(fill.price / price - 1) < D("0.0008"), "a spread beside the stop, no more"
            assert START < fill.at <= START + timedelta(seconds=leap)
            minute = next(c for c in candles if c.time <= (fill.at.timestamp() - 0.001) * 1000 < c.time + 60_000)
            assert minute.low - 1 <= price <= minute.high + 1


def test_a_limit_order_fills_in_the_minute_its_price_is_passed(world):
    mark = world.exchange.ticker(BTC).mark
    buy = world.send("lmt", "buy", "0.01", (mark * D("0.995")).quantize(D(1)))
    sell = world.send("lmt", "sell", "0.01", (mark * D("1.005")).quantize(D(1)))
    world.exchange.advance(2 * DAY)
    candles = minutes_of(world)
    fills = {f.order_id: f for f in world.exchange.fills(world.trader)}
    prices = {o.id: o.limit_price for o in world.exchange.ledger(world.trader).orders}
    assert fills
    for placed, reached in (
        (buy, min(c.low for c in candles[1:]) < prices[buy.order_id]),
        (sell, max(c.high for c in candles[1:]) > prices[sell.order_id]),
    ):
        assert (placed.order_id in fills) == reached
        if reached:
            assert fills[placed.order_id].price == prices[placed.order_id]


def test_a_trailing_stop_follows_through_a_leap(world):
    world.send("mkt", "buy", "0.01")
    placed = world.send(
        "trailing_stop", "sell", "0.01", trailing_max_deviation=D("0.5"), trailing_unit="PERCENT", reduce_only=True
    )
    world.exchange.advance(2 * DAY)
    fill = world.exchange.fills(world.trader)[0]
    assert fill.order_id == placed.order_id
    reached = max(c.high for c in minutes_of(world) if c.time < fill.at.timestamp() * 1000)
    assert D("0.9935") < fill.price / reached < D("0.9965")


def test_a_liquidation_inside_a_leap_happens_where_the_margin_gives_way(world):
    world.exchange.transfer(world.trader, source="flex", target="cash", unit="usd", amount=D(50000))
    world.exchange.transfer(world.trader, source="flex", target="cash", unit="eth", amount=D(5))
    world.exchange.set_mark(BTC, price=D(84000))
    world.send("mkt", "buy", "30")
    (held,) = world.exchange.positions(world.trader)
    expected = held.liquidation_price
    assert D("0.95") < expected / 84000 < 1
    world.exchange.release_mark()
    world.exchange._parts.simulation.walk.prices["XBT"] = 78000.0
    world.exchange.advance(D(7200))
    fills = [f for f in world.exchange.fills(world.trader, limit=1000) if "iquidation" in f.fill_type]
    first = fills[-1]
    assert first.fill_type == "partialLiquidation"
    assert abs(first.mark_price / expected - 1) < D("0.002")
    equity = world.exchange.wallets(world.trader).flex
    assert equity.margin_equity >= 0


def test_the_dead_mans_switch_fires_before_what_it_guards_could_fill(world):
    mark = world.exchange.ticker(BTC).mark
    world.send("lmt", "buy", "0.01", (mark * D("0.9999")).quantize(D(1)) - 1)
    world.exchange.cancel_all_after(world.trader, 30)
    world.exchange.advance(2 * DAY)
    assert world.exchange.fills(world.trader) == []
    (order,) = world.exchange.ledger(world.trader).orders
    assert order.updated <= START + timedelta(seconds=120)


def test_a_held_price_wakes_nobody_however_long_it_is_held(world):
    world.exchange.set_mark(BTC, price=D(84000))
    world.send("stp", "sell", "0.01", stop_price=D(83999))
    world.send("lmt", "buy", "0.01", "83900")
    world.exchange.advance(3 * DAY)
    assert world.exchange.fills(world.trader) == []
    assert len(world.exchange.open_orders(world.trader)) == 2


def test_after_a_leap_prices_books_and_last_trades_agree(world):
    world.send("stp", "sell", "0.01", stop_price=D(83000))
    for hours in (1, 30):
        world.exchange.advance(D(hours * 3600))
        for ticker in world.exchange.tickers():
            assert ticker.bid < ticker.ask
            assert abs(ticker.last / ticker.mark - 1) < D("0.01")
            assert ticker.last_at > world.exchange.now() - timedelta(minutes=1)
            assert abs(ticker.mark / ticker.index - 1) < D("0.05")


def test_a_busy_account_leaps_a_week_in_bounded_work(world):
    for symbol in (BTC, ETH, "PI_XBTUSD"):
        market = world.exchange._parts.floor.markets[symbol]
        for step in range(1, 30):
            price = market.price(market.ticks(market.mark * (1 - D(step) / 500)))
            size = "10" if symbol.startswith("PI") else "0.01"
            world.send("lmt", "buy", size, price, symbol=symbol)
            world.send("stp", "sell", size, stop_price=price, symbol=symbol)
    started = process_time()
    world.exchange.advance(7 * DAY)
    assert process_time() - started < 10
    assert world.exchange.fills(world.trader)
    assert world.exchange.cancel_order(world.trader, CancelWish(order_id="nobody")).status == "notFound"
