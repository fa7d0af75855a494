"""Orders that wait for a price."""

from __future__ import annotations

from decimal import Decimal as D

import pytest

from demovenue.events import OrderChanged
from demovenue.values import CancelWish, EditWish
from tests.demovenue.engine_world import BTC, World


@pytest.fixture
def world():
    world = World()
    yield world
    world.exchange.close()


def reasons(world):
    return [e.reason for e in world.heard if isinstance(e, OrderChanged)]


def test_a_stop_wakes_when_the_mark_reaches_it_and_sells_at_the_market(world):
    world.send("mkt", "buy", "0.1")
    placed = world.send("stp", "sell", "0.1", stop_price=D(83000), reduce_only=True)
    assert placed.events[0].order.is_trigger
    assert placed.events[0].order.type == "ioc"
    world.heard.clear()
    world.exchange.set_mark(BTC, price=D(82990))
    assert world.position() == 0
    assert reasons(world) == ["stop_order_triggered", "full_fill"]
    assert world.exchange.fills(world.trader)[0].order_id == placed.order_id


def test_a_stop_with_a_limit_rests_when_the_price_has_run_away(world):
    placed = world.send("stp", "sell", "0.1", "83500", stop_price=D(83600), trigger_signal="index")
    world.exchange.set_mark(BTC, price=D(82000))
    (order,) = world.exchange.open_orders(world.trader)
    assert (order.id, order.is_trigger, order.limit_price) == (placed.order_id, False, 83500)
    assert "limit_order_from_stop" in reasons(world)


@pytest.mark.parametrize(
    ("type_", "side", "stop", "sleeps_at", "wakes_at"),
    [
        ("stp", "buy", 85000, 84900, 85001),
        ("stp", "sell", 83000, 83100, 82999),
        ("take_profit", "buy", 83000, 83100, 82999),
        ("take_profit", "sell", 85000, 84900, 85001),
    ],
)
def test_which_side_of_the_price_wakes_what(world, type_, side, stop, sleeps_at, wakes_at):
    world.send(type_, side, "0.1", stop_price=D(stop))
    world.exchange.set_mark(BTC, price=D(sleeps_at))
    assert world.position() == 0
    world.exchange.set_mark(BTC, price=D(wakes_at))
    assert abs(world.position()) == D("0.1")


def test_a_trailing_stop_follows_the_price_and_never_goes_back(world):
    world.exchange.set_mark(BTC, price=D(84000))
    world.send("trailing_stop", "sell", "0.1", trailing_max_deviation=D(2), trailing_unit="PERCENT")
    stop = lambda: world.exchange.open_orders(world.trader)[0].trigger_price  # noqa: E731
    assert stop() == 82320
    world.exchange.set_mark(BTC, price=D(85000))
    assert stop() == 83300
    world.exchange.set_mark(BTC, price=D(84000))
    assert stop() == 83300
    world.exchange.set_mark(BTC, price=D(83300))
    assert world.position() == D("-0.1")


def test_a_limit_relative_to_the_trigger(world):
    world.send(
        "stp", "buy", "0.1", stop_price=D(85000), limit_offset_value=D(-100), limit_offset_unit="QUOTE_CURRENCY"
    )
    world.exchange.set_mark(BTC, price=D(85500))
    (order,) = world.exchange.open_orders(world.trader)
    assert order.limit_price == 84900


def test_a_reduce_only_trigger_needs_no_position_to_be_placed_but_one_to_act(world):
    placed = world.send("stp", "sell", "0.1", stop_price=D(83000), reduce_only=True)
    assert placed.status == "placed"
    world.exchange.set_mark(BTC, price=D(82900))
    failed = world.exchange.order_status(world.trader, [placed.order_id], [])[0]
    assert (failed.status, failed.error) == ("TRIGGER_ACTIVATION_FAILURE", "WOULD_NOT_REDUCE_POSITION")
    assert world.exchange.open_orders(world.trader) == []


def test_triggers_are_edited_and_cancelled_like_orders(world):
    placed = world.send("stp", "sell", "0.1", stop_price=D(80000))
    result = world.exchange.edit_order(world.trader, EditWish(order_id=placed.order_id, stop_price=D(81000)))
    assert result.events[0].order.trigger_price == 81000
    assert world.exchange.cancel_order(world.trader, CancelWish(order_id=placed.order_id)).status == "cancelled"
    keys = [e.key for e in world.exchange.history(world.trader, "triggers", ascending=True).events]
    assert keys == ["OrderTriggerPlaced", "OrderTriggerUpdated", "OrderTriggerCancelled"]


def test_a_trailing_stop_takes_no_stop_price_by_edit(world):
    placed = world.send("trailing_stop", "sell", "0.1", trailing_max_deviation=D(2), trailing_unit="PERCENT")
    refused = world.exchange.edit_order(world.trader, EditWish(order_id=placed.order_id, stop_price=D(81000)))
    assert refused.status == "cannotEditTriggerPriceOfTrailingStop"
