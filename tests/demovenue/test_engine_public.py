"""What the market tells about itself besides prices."""

from __future__ import annotations

from decimal import Decimal as D

import pytest

from demovenue.values import Refused
from tests.demovenue.engine_world import BTC, World

FLAT = ["trade-count", "trade-volume", "aggressor-differential", "liquidation-volume", "rolling-volatility"]
SIDED = ["spreads", "liquidity", "slippage", "orderbook"]


@pytest.fixture
def world():
    world = World()
    yield world
    world.exchange.close()


def series(world, kind, hours=12):
    now = int(world.exchange.now().timestamp())
    return world.exchange.analytics(BTC, kind, since=now - hours * 3600, until=now, interval=3600)


def leaves(tree):
    return [tree] if isinstance(tree, list) else [leaf for branch in tree.values() for leaf in leaves(branch)]


@pytest.mark.parametrize("kind", [*FLAT, *SIDED, "cvd", "long-short-ratio", "long-short-info", "top-traders"])
def test_every_series_is_aligned_with_its_timestamps_and_repeats_itself(world, kind):
    found = series(world, kind)
    assert len(found.timestamps) == 12
    assert all(len(leaf) == 12 for leaf in leaves(found.data))
    assert series(world, kind) == found


def test_the_last_row_of_the_book_series_is_the_book(world):
    found = series(world, "orderbook").data
    assert found["bid"]["bestPrice"][-1] == world.best("buy")
    assert found["ask"]["slippage1k"][-1] <= found["ask"]["slippage1m"][-1]
    assert found["bid"]["liquidity005"][-1] <= found["bid"]["liquidity100"][-1]


def test_at_any_time_more_lies_within_a_wider_distance(world):
    book, alone = series(world, "orderbook").data, series(world, "liquidity").data
    for side in ("bid", "ask"):
        columns = [column for name, column in book[side].items() if name.startswith("liquidity")]
        assert columns == list(alone[side].values())  # the same book under two names
        for row in zip(*columns, strict=True):
            assert list(row) == sorted(row)
        assert all(price % 1 == 0 for price in book[side]["bestPrice"])  # a tick is one dollar


def test_bought_and_sold_are_the_volume(world):
    data = series(world, "cvd").data
    volume = series(world, "trade-volume").data
    assert [b + s for b, s in zip(data["buyVolume"], data["sellVolume"], strict=True)] == volume


def test_unknown_series_and_intervals_are_refused(world):
    with pytest.raises(Refused, match="notFound"):
        series(world, "moon-phase")
    with pytest.raises(Refused, match="invalidArgument"):
        world.exchange.analytics(BTC, "cvd", since=0, until=100, interval=77)


def test_orders_of_the_market_are_told_without_names(world):
    placed = world.send("lmt", "buy", "0.1", "70000")
    world.exchange.cancel_all(world.trader)
    gone, came = [row for row in world.exchange.market_orders(BTC) if row.order_id == placed.order_id]
    assert (came.key, gone.key) == ("OrderPlaced", "OrderCancelled")
    assert (came.side, came.price, came.size) == ("buy", 70000, D("0.1"))
    assert all(len(row.order_id) == 36 for row in world.exchange.market_orders(BTC, limit=50))


def test_a_print_knows_both_orders(world):
    ask, size = world.exchange.book(BTC).asks[0]
    result = world.send("ioc", "buy", "0.0001", ask)
    trade = world.exchange.trades(BTC, limit=1)[0]
    assert trade.taker_id == result.order_id
    assert trade.taker_quantity == D("0.0001")
    assert trade.maker_quantity <= size
    assert not trade.limit_filled
    assert trade.mark is not None
