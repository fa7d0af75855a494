"""Orders on the engine: what is accepted, what is refused, and in which words."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from decimal import Decimal as D

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from demovenue.events import Filled, OrderChanged
from demovenue.values import CancelWish, EditWish, OrderWish, Refused
from tests.demovenue.engine_world import BTC, World, balances_of


@pytest.fixture
def world():
    world = World()
    yield world
    world.exchange.close()


def reasons(world):
    return [(e.reason, e.gone) for e in world.heard if isinstance(e, OrderChanged)]


# --- resting and trading ---


def test_a_limit_order_rests_in_the_book_and_is_open(world):
    before = world.exchange.book(BTC).seq
    result = world.send("lmt", "buy", "0.5", "83000", cli_ord_id="mine")
    assert result.status == "placed"
    assert [event.type for event in result.events] == ["PLACE"]
    assert [order.id for order in world.exchange.open_orders(world.trader)] == [result.order_id]
    level = dict(world.exchange.book(BTC).bids)[D(83000)]
    assert level >= D("0.5")
    assert world.exchange.book(BTC).seq == before + 1
    assert reasons(world) == [("new_placed_order_by_user", False)]
    assert result.order_id in world.exchange._parts.floor.owners


def test_a_market_order_fills_at_the_makers_prices_within_one_percent(world):
    ask = world.best("sell")
    result = world.send("mkt", "buy", "0.01")
    assert result.status == "placed"
    executed = [event for event in result.events if event.type == "EXECUTION"]
    assert sum(event.amount for event in executed) == D("0.01")
    assert executed[0].price == ask
    assert executed[0].order.type == "ioc"
    assert executed[0].order.limit_price == (ask * D("1.01")).to_integral_value(rounding="ROUND_DOWN")
    assert world.position() == D("0.01")
    assert world.exchange.open_orders(world.trader) == []


def test_a_taker_that_is_partly_filled_rests_with_what_is_left(world):
    ask, size = world.exchange.book(BTC).asks[0]
    result = world.send("lmt", "buy", str(size + 1), ask)
    assert [event.type for event in result.events] == ["EXECUTION", "PLACE"]
    assert result.events[0].order.filled == 0
    assert result.events[1].order.filled == size
    assert world.best("buy") == ask
    (fill,) = world.exchange.fills(world.trader)
    assert (fill.fill_type, fill.remaining, fill.size) == ("taker", 1, size)


def test_people_trade_with_each_other_by_price_and_time(world):
    other = world.exchange.sign_up().account.uid
    ask, bid = world.best("sell"), world.best("buy")
    inside = bid + 1
    assert inside < ask, "the spread has room"
    first = world.send("lmt", "buy", "0.1", inside)
    second = world.send("lmt", "buy", "0.1", inside, who=other)
    third = world.exchange.sign_up().account.uid
    result = world.send("ioc", "sell", "0.15", inside, who=third)
    assert [event.amount for event in result.events] == [D("0.1"), D("0.05")]
    assert world.position(who=world.trader) == D("0.1")
    assert world.position(who=other) == D("0.05")
    assert world.exchange.order_status(world.trader, [first.order_id], [])[0].status == "FULLY_EXECUTED"
    left = world.exchange.order_status(other, [second.order_id], [])[0]
    assert (left.status, left.update_reason, left.filled) == ("ENTERED_BOOK", "PARTIAL_FILL", D("0.05"))
    fills = [e.fill for e in world.heard if isinstance(e, Filled)]
    assert [fill.fill_type for fill in fills] == ["taker", "maker", "taker", "maker"]
    assert fills[0].fill_id == fills[1].fill_id
    assert fills[1].fee == fills[1].size * fills[1].price * D("0.0002")


@pytest.mark.parametrize(
    ("order_type", "status", "reason"),
    [("post", "postWouldExecute", "POST_WOULD_EXECUTE"), ("fok", "iocWouldNotExecute", "IOC_WOULD_NOT_EXECUTE")],
)
def test_orders_that_must_not_trade_like_this_are_rejected_whole(world, order_type, status, reason):
    result = world.send(order_type, "buy", "50", world.best("sell"))
    assert result.status == status
    assert [(event.type, event.reason) for event in result.events] == [("REJECT", reason)]
    rejected = world.exchange.order_status(world.trader, [result.order_id], [])[0]
    assert (rejected.status, rejected.error) == ("REJECTED", reason)
    assert world.position() == 0


def test_an_ioc_drops_what_the_book_does_not_give(world):
    ask, size = world.exchange.book(BTC).asks[0]
    nothing = world.send("ioc", "buy", "0.1", ask - 100)
    assert nothing.status == "iocWouldNotExecute"
    some = world.send("ioc", "buy", str(size + 1), ask)
    assert some.status == "placed"
    assert world.position() == size
    assert world.exchange.open_orders(world.trader) == []
    assert world.exchange.order_status(world.trader, [some.order_id], [])[0].status == "CANCELLED"


# --- refusals ---


@pytest.mark.parametrize(
    ("type_", "side", "size", "limit", "more", "status"),
    [
        ("lmt", "buy", "0.1", "83000.5", {}, "invalidPrice"),
        ("lmt", "buy", "0.1", "-1", {}, "invalidPrice"),
        ("lmt", "buy", "0.1", None, {}, "invalidPrice"),
        ("lmt", "buy", "0", "83000", {}, "invalidSize"),
        ("lmt", "buy", "0.00005", "83000", {}, "invalidSize"),
        ("lmt", "buy", "1300", "83000", {}, "maxPositionViolation"),
        ("lmt", "buy", "1000", "83000", {}, "insufficientAvailableFunds"),
        ("lmt", "buy", "0.1", "120000", {}, "outsidePriceCollar"),
        ("lmt", "buy", "0.1", "83000", {"reduce_only": True}, "wouldNotReducePosition"),
        ("lmt", "up", "0.1", "83000", {}, "invalidSide"),
        ("limit", "buy", "0.1", "83000", {}, "invalidOrderType"),
        ("lmt", "buy", "0.1", "83000", {"cli_ord_id": "x" * 101}, "clientOrderIdTooLong"),
        ("stp", "buy", "0.1", None, {"stop_price": D("0.5")}, "invalidPrice"),
        ("trailing_stop", "sell", "0.1", None, {}, "invalidPrice"),
    ],
)
def test_refusals(world, type_, side, size, limit, more, status):
    assert world.send(type_, side, size, limit, **more).status == status
    assert world.exchange.open_orders(world.trader) == []


def test_an_unknown_market_and_a_closed_one(world):
    with pytest.raises(Refused, match="invalidArgument"):
        world.send("lmt", "buy", "1", "1", symbol="PF_NOPEUSD")
    world.exchange.set_status(BTC, suspended=True)
    assert world.send("lmt", "buy", "0.1", "83000").status == "marketSuspended"
    world.exchange.set_status(BTC, suspended=False, post_only=True)
    assert world.send("lmt", "buy", "0.1", "83000").status == "marketIsPostOnly"
    assert world.send("post", "buy", "0.1", "83000").status == "placed"


def test_a_client_order_id_is_used_once_per_account(world):
    assert world.send("lmt", "buy", "0.1", "83000", cli_ord_id="one").status == "placed"
    assert world.send("lmt", "buy", "0.1", "83000", cli_ord_id="one").status == "clientOrderIdAlreadyExist"
    world.exchange.cancel_order(world.trader, CancelWish(cli_ord_id="one"))
    assert world.send("lmt", "buy", "0.1", "83000", cli_ord_id="one").status == "clientOrderIdAlreadyExist"
    other = world.exchange.sign_up().account.uid
    assert world.send("lmt", "buy", "0.1", "83000", cli_ord_id="one", who=other).status == "placed"


def test_an_order_that_arrives_too_late_is_not_taken(world):
    late = world.exchange.now() - timedelta(milliseconds=1)
    result = world.send("lmt", "buy", "0.1", "83000", process_before=late)
    assert result.status == "wouldProcessAfterSpecifiedTime"
    ahead = world.exchange.now() + timedelta(seconds=5)
    assert world.send("lmt", "buy", "0.1", "83000", process_before=ahead).status == "placed"


def test_own_orders_do_not_trade_with_each_other(world):
    price = world.best("buy") + 1
    world.send("lmt", "buy", "0.1", price)
    assert world.send("ioc", "sell", "0.1", price).status == "selfFill"
    world.exchange.set_self_trade(world.trader, "CANCEL_MAKER_SELF")
    result = world.send("ioc", "sell", "0.1", price - 1)
    assert result.status == "placed"
    assert ("would_execute_self", True) in reasons(world)
    assert world.position() == D("-0.1")


# --- reduce-only ---


def test_reduce_only_is_cut_to_the_position(world):
    world.send("mkt", "buy", "0.1")
    result = world.send("lmt", "sell", "0.5", "90000", reduce_only=True)
    assert result.events[0].reduced_quantity == D("0.4")
    assert result.events[0].order.quantity == D("0.1")
    assert world.send("lmt", "buy", "0.5", "80000", reduce_only=True).status == "wouldNotReducePosition"


def test_reduce_only_orders_leave_when_there_is_nothing_left_to_reduce(world):
    world.send("mkt", "buy", "0.1")
    resting = world.send("lmt", "sell", "0.1", "90000", reduce_only=True)
    world.send("mkt", "sell", "0.1")
    assert world.exchange.open_orders(world.trader) == []
    status = world.exchange.order_status(world.trader, [resting.order_id], [])[0]
    assert status.update_reason == "WOULD_NOT_REDUCE_POSITION"


# --- cancelling ---


def test_cancel_names_what_it_found(world):
    placed = world.send("lmt", "buy", "0.1", "83000", cli_ord_id="a")
    result = world.exchange.cancel_order(world.trader, CancelWish(cli_ord_id="a"))
    assert (result.status, result.order_id) == ("cancelled", placed.order_id)
    assert result.events[0].type == "CANCEL"
    again = world.exchange.cancel_order(world.trader, CancelWish(order_id=placed.order_id))
    assert (again.status, again.order_id, again.events) == ("notFound", None, ())
    filled = world.send("mkt", "buy", "0.01")
    assert world.exchange.cancel_order(world.trader, CancelWish(order_id=filled.order_id)).status == "filled"


def test_a_stranger_cannot_cancel_the_traders_order(world):
    placed = world.send("lmt", "buy", "0.1", "83000")
    stranger = world.exchange.sign_up().account.uid
    assert world.exchange.cancel_order(stranger, CancelWish(order_id=placed.order_id)).status == "notFound"
    assert len(world.exchange.open_orders(world.trader)) == 1


def test_cancel_all_by_market_and_altogether(world):
    world.send("lmt", "buy", "0.1", "83000")
    world.send("lmt", "buy", "1", "3000", symbol="PF_ETHUSD")
    world.send("stp", "sell", "0.1", stop_price=D(70000))
    result = world.exchange.cancel_all(world.trader, "PF_ETHUSD")
    assert (result.status, result.cancel_only, len(result.cancelled)) == ("cancelled", "PF_ETHUSD", 1)
    assert len(world.exchange.cancel_all(world.trader).cancelled) == 2
    assert world.exchange.cancel_all(world.trader).status == "noOrdersToCancel"


def test_the_dead_mans_switch_cancels_when_nobody_renews_it(world):
    world.send("lmt", "buy", "0.1", "70000")
    at = world.exchange.cancel_all_after(world.trader, 60)
    assert at == world.exchange.now() + timedelta(seconds=60)
    world.exchange.advance(D(50))
    world.exchange.cancel_all_after(world.trader, 60)
    world.exchange.advance(D(50))
    assert len(world.exchange.open_orders(world.trader)) == 1
    world.exchange.advance(D(11))
    assert world.exchange.open_orders(world.trader) == []
    assert reasons(world)[-1] == ("dead_man_switch", True)
    assert world.exchange.cancel_all_after(world.trader, 0) is None


def test_finished_orders_are_remembered_for_five_seconds(world):
    placed = world.send("mkt", "buy", "0.01", cli_ord_id="quick")
    assert world.exchange.order_status(world.trader, [], ["quick"])[0].status == "FULLY_EXECUTED"
    world.exchange.advance(D("5.5"))
    assert world.exchange.order_status(world.trader, [placed.order_id], []) == []


# --- editing ---


def edit(world, **what):
    return world.exchange.edit_order(world.trader, EditWish(**what))


def test_an_edit_changes_price_and_size_and_keeps_the_id(world):
    placed = world.send("lmt", "buy", "0.1", "82000")
    result = edit(world, order_id=placed.order_id, size=D("0.2"), limit_price=D(82100))
    assert (result.status, result.order_id) == ("edited", placed.order_id)
    assert result.events[0].type == "EDIT"
    (order,) = world.exchange.open_orders(world.trader)
    assert (order.quantity, order.limit_price) == (D("0.2"), 82100)
    levels = world.exchange.book(BTC).bids
    assert any(price == 82100 and size >= D("0.2") for price, size in levels)


def test_an_edit_without_effect_says_so(world):
    placed = world.send("lmt", "buy", "0.1", "82000")
    result = edit(world, order_id=placed.order_id, size=D("0.1"), limit_price=D(82000))
    assert result.status == "edited"
    assert result.events[0].reason == "EDIT_HAS_NO_EFFECT"


@pytest.mark.parametrize(
    ("what", "status"),
    [
        ({"size": D("0.00001")}, "invalidSize"),
        ({"limit_price": D("82000.5")}, "invalidPrice"),
        ({"stop_price": D(81000)}, "orderForEditNotAStop"),
        ({"size": D(1100)}, "insufficientAvailableFunds"),
    ],
)
def test_edits_that_cannot_be(world, what, status):
    placed = world.send("lmt", "buy", "0.1", "82000")
    assert edit(world, order_id=placed.order_id, **what).status == status
    (order,) = world.exchange.open_orders(world.trader)
    assert (order.quantity, order.limit_price) == (D("0.1"), 82000)
    assert edit(world, order_id="nobody", size=D(1)).status == "orderForEditNotFound"


def test_an_edit_across_the_spread_trades_as_taker_after_edit(world):
    placed = world.send("lmt", "buy", "0.01", "82000")
    result = edit(world, order_id=placed.order_id, limit_price=world.best("sell"))
    assert [event.type for event in result.events] == ["EDIT", "EXECUTION"]
    assert result.events[1].order_prior_edit.limit_price == 82000
    assert world.exchange.fills(world.trader)[0].fill_type == "takerAfterEdit"
    post = world.send("post", "buy", "0.01", "82000")
    assert edit(world, order_id=post.order_id, limit_price=world.best("sell")).status == "postWouldExecute"


def test_an_edits_size_is_open_or_total_as_asked(world):
    ask, size = world.exchange.book(BTC).asks[0]
    placed = world.send("lmt", "buy", str(size + 1), ask)
    edit(world, order_id=placed.order_id, size=D("0.5"))
    assert world.exchange.open_orders(world.trader)[0].remaining == D("0.5")
    edit(world, order_id=placed.order_id, size=size + D("0.25"), qty_mode="ABSOLUTE")
    assert world.exchange.open_orders(world.trader)[0].remaining == D("0.25")
    too_small = edit(world, order_id=placed.order_id, size=size, qty_mode="ABSOLUTE")
    assert too_small.status == "invalidSize"


# --- batch and faults ---


def test_a_batch_is_done_in_order_and_line_by_line(world):
    wishes = [
        OrderWish(order_type="lmt", symbol=BTC, side="buy", size=D("0.1"), limit_price=D(82000), cli_ord_id="x"),
        OrderWish(order_type="lmt", symbol=BTC, side="buy", size=D("0.1"), limit_price=D("0.5")),
        EditWish(cli_ord_id="x", size=D("0.2")),
        CancelWish(cli_ord_id="x"),
        CancelWish(cli_ord_id="x"),
    ]
    results = world.exchange.batch(world.trader, wishes)
    assert [r.status for r in results] == ["placed", "invalidPrice", "edited", "cancelled", "notFound"]


def test_the_faults_that_fill(world):
    at_once = world.send("lmt", "buy", "0.1", "80000", fault="fill_at_once")
    assert at_once.status == "placed"
    assert world.exchange.order_status(world.trader, [at_once.order_id], [])[0].status == "FULLY_EXECUTED"
    assert world.exchange.fills(world.trader)[0].price == 80000
    partly = world.send("lmt", "buy", "0.1", "80000", fault="partial_fill")
    assert world.exchange.order_status(world.trader, [partly.order_id], [])[0].filled == D("0.05")
    world.send("mkt", "buy", "0.01", fault="unknown_fill_type")
    assert world.exchange.fills(world.trader)[0].fill_type == "novelFill"


NUMBERS = st.one_of(
    st.decimals(allow_nan=True, allow_infinity=True),
    st.sampled_from([D("1e400"), D("1e-300"), D("-0"), D("84000"), D("0.0001"), D("1e12"), D("99999999999999.5")]),
)


@given(
    st.sampled_from(["lmt", "post", "ioc", "fok", "mkt", "stp", "take_profit", "trailing_stop"]),
    st.sampled_from([BTC, "PI_XBTUSD", "PF_XRPUSD"]),
    NUMBERS,
    NUMBERS,
    NUMBERS,
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_sent_there_is_an_answer(world, order_type, symbol, size, price, other):
    before = set(balances_of(world.exchange, world.trader).items()), world.exchange.positions(world.trader)
    result = world.exchange.send_order(
        world.trader,
        OrderWish(
            order_type=order_type,
            symbol=symbol,
            side="buy",
            size=size,
            limit_price=price,
            stop_price=other,
            trailing_max_deviation=other,
            trailing_unit="PERCENT",
            limit_offset_value=None if order_type != "stp" else other,
            limit_offset_unit="PERCENT",
        ),
    )
    assert result.status
    if result.status != "placed":
        assert before == (
            set(balances_of(world.exchange, world.trader).items()),
            world.exchange.positions(world.trader),
        )
    with suppress(Refused):
        world.exchange.transfer(world.trader, source="cash", target="flex", unit="usd", amount=size)
    with suppress(Refused):
        world.exchange.set_max_leverage(world.trader, BTC, price)
    world.exchange.set_max_leverage(world.trader, BTC, None)
    world.exchange.cancel_all(world.trader)
