"""Maker protection: held orders are invisible, released after their moment, and as they stand then."""

from __future__ import annotations

import asyncio
from decimal import Decimal as D

import pytest

from demovenue.events import BookDelta, OrderChanged
from demovenue.exchange import Exchange
from demovenue.values import CancelWish, EditWish, OrderResult, OrderWish, Refused
from tests.demovenue.engine_world import BTC, ETH, World

MS = 20


@pytest.fixture
def world():
    world = World()
    world.exchange.set_maker_protection(BTC, MS)
    world.told = []
    yield world
    world.exchange.close()


def submit(world, order_type, side, size, limit=None, symbol=BTC, **more):
    wish = OrderWish(
        order_type=order_type,
        symbol=symbol,
        side=side,
        size=D(size),
        limit_price=None if limit is None else D(limit),
        **more,
    )
    return world.exchange.submit_order(world.trader, wish, told=world.told.append)


def release(world):
    world.exchange.advance(D(MS) / 1000)


def test_an_order_is_held_and_seen_nowhere_until_its_moment(world):
    world.heard.clear()
    assert submit(world, "lmt", "buy", "0.1", "70000", cli_ord_id="mine") is None
    world.exchange.advance(D("0.019"))
    assert world.told == []
    assert world.exchange.open_orders(world.trader) == []
    assert world.exchange.order_status(world.trader, [], ["mine"]) == []
    assert world.exchange.history(world.trader, "orders").events == ()
    assert D(70000) not in dict(world.exchange.book(BTC).bids)
    assert not [e for e in world.heard if isinstance(e, OrderChanged)]
    world.exchange.advance(D("0.001"))
    (result,) = world.told
    assert result.status == "placed"
    assert [o.id for o in world.exchange.open_orders(world.trader)] == [result.order_id]
    assert [e.price for e in world.heard if isinstance(e, BookDelta) and e.size == D("0.1")] == [70000]


@pytest.mark.parametrize(
    ("order_type", "limit", "symbol", "more"),
    [("post", "70000", BTC, {}), ("lmt", "2000", ETH, {}), ("lmt", None, BTC, {}), ("nope", "70000", BTC, {})],
)
def test_post_only_other_markets_and_nonsense_are_answered_at_once(world, order_type, limit, symbol, more):
    assert isinstance(submit(world, order_type, "buy", "0.1", limit, symbol, **more), OrderResult)
    assert world.told == []


def test_without_protection_nothing_waits(world):
    world.exchange.set_maker_protection(BTC, 0)
    assert submit(world, "mkt", "buy", "0.1").status == "placed"
    for wrong in (-1, 10_001):
        with pytest.raises(Refused, match="invalidArgument"):
            world.exchange.set_maker_protection(BTC, wrong)


def test_held_orders_are_released_in_the_order_they_came(world):
    names = [str(number) for number in range(5)]
    for name in names:
        submit(world, "lmt", "buy", "0.1", "70000", cli_ord_id=name)
    release(world)
    assert [result.cli_ord_id for result in world.told] == names
    ids = [result.order_id for result in world.told]
    assert ids == sorted(ids)


def test_cancelling_a_held_order_is_acknowledged_and_sends_it_as_ioc(world):
    submit(world, "lmt", "buy", "0.1", "90000", cli_ord_id="fills")
    submit(world, "lmt", "buy", "0.1", "70000", cli_ord_id="rests")
    submit(world, "stp", "sell", "0.1", stop_price=D(70000), cli_ord_id="sleeps")
    for name in ("fills", "rests", "sleeps"):
        gone = world.exchange.cancel_order(world.trader, CancelWish(cli_ord_id=name))
        assert (gone.status, gone.order_id, gone.events) == ("cancelled", None, ())
    assert world.position() == 0
    release(world)
    assert [r.status for r in world.told] == ["filled", "iocWouldNotExecute", "cancelled"]
    assert world.position() == D("0.1")
    assert world.exchange.open_orders(world.trader) == []


def test_what_a_cancelled_held_order_fills_all_the_same_is_its_status(world):
    depth = sum(size for _, size in world.exchange.book(BTC).asks)
    submit(world, "lmt", "buy", str(depth + 5), "90000", cli_ord_id="part")
    world.exchange.cancel_order(world.trader, CancelWish(cli_ord_id="part"))
    release(world)
    assert world.told[0].status == "partiallyFilled"
    assert 0 < world.position() < depth + 5
    assert world.exchange.open_orders(world.trader) == []


def test_cancel_all_and_the_dead_mans_switch_reach_what_is_held(world):
    submit(world, "lmt", "buy", "0.1", "70000")
    assert world.exchange.cancel_all(world.trader, ETH).status == "noOrdersToCancel"
    everything = world.exchange.cancel_all(world.trader)
    assert (everything.status, everything.cancelled) == ("cancelled", ())
    release(world)
    assert world.exchange.open_orders(world.trader) == []


def test_a_resting_order_that_is_cancelled_leaves_nothing_for_a_held_edit(world):
    placed = world.send("lmt", "buy", "0.1", "70000")
    edit = EditWish(order_id=placed.order_id, limit_price=D(71000))
    assert world.exchange.submit_edit(world.trader, edit, told=world.told.append) is None
    assert world.exchange.open_orders(world.trader)[0].limit_price == 70000
    assert world.exchange.cancel_order(world.trader, CancelWish(order_id=placed.order_id)).status == "cancelled"
    release(world)
    assert world.told[0].status == "orderForEditNotFound"


def test_an_edit_is_held_unless_the_order_is_post_only(world):
    lmt = world.send("lmt", "buy", "0.1", "70000")
    post = world.send("post", "buy", "0.1", "70500")
    for placed, held in ((lmt, True), (post, False)):
        edit = EditWish(order_id=placed.order_id, limit_price=D(71000))
        assert (world.exchange.submit_edit(world.trader, edit, told=world.told.append) is None) == held
    release(world)
    assert [r.status for r in world.told] == ["edited"]
    assert {o.limit_price for o in world.exchange.open_orders(world.trader)} == {D(71000)}


def test_at_most_two_hundred_and_fifty_requests_wait(world):
    for _ in range(250):
        assert submit(world, "lmt", "buy", "0.0001", "70000") is None
    assert submit(world, "lmt", "buy", "0.0001", "70000").status == "tooManyOrders"
    assert submit(world, "post", "buy", "0.0001", "70000").status == "placed"
    release(world)
    assert submit(world, "lmt", "buy", "0.0001", "70000") is None


def test_leverage_does_not_change_while_something_is_held(world):
    submit(world, "lmt", "buy", "0.1", "70000")
    with pytest.raises(Refused, match="Unavailable"):
        world.exchange.set_max_leverage(world.trader, ETH, D(5))
    release(world)
    world.exchange.set_max_leverage(world.trader, ETH, D(5))


def test_a_released_order_cancels_its_owners_resting_one(world):
    world.exchange.set_mark(BTC, price=D(84000))
    price = world.best("sell") - 1
    mine = world.send("post", "sell", "0.1", price)
    submit(world, "lmt", "buy", "0.1", price)
    release(world)
    assert world.told[0].status == "placed"
    old = next(o for o in world.exchange.ledger(world.trader).orders if o.id == mine.order_id)
    assert (old.status, old.update_reason) == ("CANCELLED", "CANCELLED_BY_SELF_TRADE")
    assert world.position() == 0
    # Not held, the same is refused.
    world.exchange.set_maker_protection(BTC, 0)
    assert submit(world, "lmt", "sell", "0.1", price).status == "selfFill"


def test_a_batch_is_answered_when_its_last_line_is_released(world):
    def wish(kind, name, **more):
        return OrderWish(
            order_type=kind, symbol=BTC, side="buy", size=D("0.1"), limit_price=D(70000), cli_ord_id=name, **more
        )

    told = []
    lines = [wish("post", "a"), wish("lmt", "b"), CancelWish(cli_ord_id="b"), CancelWish(cli_ord_id="a")]
    assert world.exchange.submit_batch(world.trader, lines, told=told.append) is None
    release(world)
    assert [r.status for r in told[0]] == ["placed", "iocWouldNotExecute", "cancelled", "cancelled"]
    assert world.exchange.submit_batch(world.trader, lines[:1], told=told.append)[0].status is not None


async def test_a_running_exchange_wakes_for_the_release():
    exchange = Exchange(None, seed=3)
    trader = exchange.sign_up().account.uid
    exchange.set_maker_protection(BTC, MS)
    running = asyncio.create_task(exchange.run())
    await asyncio.sleep(0.06)
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[OrderResult] = loop.create_future()
    wish = OrderWish(order_type="mkt", symbol=BTC, side="buy", size=D("0.001"))
    started = loop.time()
    assert exchange.submit_order(trader, wish, told=answer.set_result) is None
    result = await asyncio.wait_for(answer, 2)
    assert result.status == "placed"
    assert loop.time() - started >= MS / 1000 - 0.001
    running.cancel()
    exchange.close()
