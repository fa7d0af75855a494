"""Looking back: pages, filters, cursors, and the truth for tests."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D

import pytest

from demovenue.values import CancelWish, EditWish
from tests.demovenue.engine_world import BTC, World


@pytest.fixture
def world():
    world = World()
    for number in range(6):
        world.send("mkt", "buy" if number % 3 else "sell", "0.01", cli_ord_id=f"n{number}")
        world.exchange.advance(D(10))
    world.send("lmt", "buy", "0.1", "70000", cli_ord_id="resting")
    world.exchange.edit_order(world.trader, EditWish(cli_ord_id="resting", size=D("0.2")))
    world.exchange.cancel_order(world.trader, CancelWish(cli_ord_id="resting"))
    world.send("post", "buy", "0.1", world.best("sell"))
    yield world
    world.exchange.close()


def everything(world, family, **how):
    found, cursor = [], None
    while True:
        page = world.exchange.history(world.trader, family, cursor=cursor, **how)
        found += page.events
        if page.cursor is None:
            return found
        cursor = page.cursor


def test_pages_join_to_the_whole_in_both_directions(world):
    whole = everything(world, "orders")
    assert everything(world, "orders", count=2) == whole
    assert everything(world, "orders", count=3, ascending=True) == whole[::-1]
    assert [e.seq for e in whole] == sorted((e.seq for e in whole), reverse=True)


def test_the_life_of_an_order_is_told(world):
    mine = [e for e in everything(world, "orders", ascending=True) if e.order.cli_ord_id == "resting"]
    assert [(e.key, e.reason) for e in mine] == [
        ("OrderPlaced", "new_user_order"),
        ("OrderUpdated", "edited_by_user"),
        ("OrderCancelled", "cancelled_by_user"),
    ]
    assert (mine[1].old.quantity, mine[1].order.quantity) == (D("0.1"), D("0.2"))
    market = [e for e in everything(world, "orders", ascending=True) if e.order.cli_ord_id == "n0"]
    assert (market[0].key, market[-1].key, market[-1].reason) == ("OrderPlaced", "OrderUpdated", "full_fill")
    rejected = everything(world, "orders")[0]
    assert (rejected.key, rejected.error) == ("OrderRejected", "POST_WOULD_EXECUTE")


def test_time_bounds_are_from_and_before(world):
    fills = everything(world, "executions")
    middle = fills[3].at
    after = everything(world, "executions", since=middle)
    before = everything(world, "executions", before=middle)
    assert [*after, *before] == fills
    assert all(e.at >= middle for e in after)
    assert everything(world, "executions", since=world.exchange.now() + timedelta(seconds=1)) == []


def test_positions_filter_by_change_and_reason(world):
    world.exchange.advance(D(3600))
    kinds = {e.position.change for e in everything(world, "positions")}
    assert kinds >= {"open", "increase", "noChange"} or kinds >= {"open", "reverse", "noChange"}
    fundings = everything(world, "positions", reasons=["fundingRealisation"])
    assert {e.position.change for e in fundings} == {"noChange"}
    opened = everything(world, "positions", changes=["open"])
    assert {e.position.change for e in opened} == {"open"}


def test_orders_filter_by_opened_and_closed(world):
    assert {e.key for e in everything(world, "orders", opened=True)} == {"OrderPlaced"}
    assert all(e.closed for e in everything(world, "orders", closed=True))
    assert not any(e.closed for e in everything(world, "orders", closed=False))


def test_executions_carry_the_order_before_and_what_it_cost(world):
    event = everything(world, "executions")[0]
    assert event.fill.order.remaining - event.fill.size == event.fill.remaining
    assert event.fill.fee == event.fill.size * event.fill.price * D("0.0005")
    assert event.fill.position == world.position()
    assert event.fill.fee_percent == D("0.05")


def test_fills_page_backwards_by_time(world):
    fills = world.exchange.fills(world.trader)
    older = world.exchange.fills(world.trader, before=fills[2].at)
    assert older == [f for f in fills if f.at < fills[2].at]


def test_the_ledger_knows_orders_that_were_accepted_and_only_those(world):
    ledger = world.exchange.ledger(world.trader)
    assert [o.cli_ord_id for o in ledger.orders] == [f"n{n}" for n in range(6)] + ["resting"]
    assert {o.status for o in ledger.orders} == {"FULLY_EXECUTED", "CANCELLED"}
    assert sum((f.size for f in ledger.fills), D(0)) == D("0.06")


def test_volume_counts_thirty_days(world):
    volume = world.exchange.volume_30d(world.trader)
    assert abs(volume - D("0.06") * world.exchange.ticker(BTC).mark) < 50
    world.exchange.advance(D(31 * 86400))
    assert world.exchange.volume_30d(world.trader) == 0
