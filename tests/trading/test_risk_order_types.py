"""Every type of order through the same door, at a real exchange; stops and targets that go with one."""

from __future__ import annotations

import time
from decimal import Decimal as D
from typing import Any

import pytest

from accounts.models import User
from accounts.rules import NotAllowed
from krakenfutures.values import OrderType, Side, TriggerSignal
from tests.trading.desk import buy
from tests.trading.risk_venue import There, settle
from trading.actions.attaching import attend_attached, sweep_attached
from trading.actions.cancelling import cancel_all, cancel_order
from trading.actions.editing import edit_order
from trading.actions.intents import Attached
from trading.actions.placing import open_ticket
from trading.models import Order, OrderStatus
from trading.rules import OffStep

S = OrderStatus
pytestmark = pytest.mark.venue


@pytest.mark.parametrize(
    ("type", "side", "prices", "expected"),
    [
        (OrderType.FOK, Side.BUY, {"limit_price": "1.005"}, S.FILLED),
        (OrderType.FOK, Side.BUY, {"limit_price": "0.98"}, S.REJECTED),
        (OrderType.IOC, Side.BUY, {"limit_price": "1.005"}, S.FILLED),
        (OrderType.POST, Side.BUY, {"limit_price": "0.9"}, S.OPEN),
        (OrderType.STOP, Side.SELL, {"stop_price": "0.9"}, S.OPEN),
        (OrderType.STOP, Side.SELL, {"stop_price": "0.9", "limit_price": "0.89"}, S.OPEN),
        (OrderType.TAKE_PROFIT, Side.SELL, {"stop_price": "1.1"}, S.OPEN),
    ],
)
def test_each_type_is_placed_and_known(
    there: There, owner: User, type: OrderType, side: Side, prices: dict[str, str], expected: str
) -> None:
    given = {name: there.price(share) for name, share in prices.items()}
    order = buy(there.account, owner, type=type, side=side, **{"limit_price": None, **given})
    assert order.status == expected, order.reason
    sent = there.ledger().get(str(order.pk))
    assert (sent is None) == (expected == S.REJECTED)
    there.sync()
    order.refresh_from_db()
    assert (order.type, order.status) == (type, expected)
    if "stop_price" in given:
        assert order.stop_price == given["stop_price"]


@pytest.mark.parametrize(("deviation", "unit"), [("2", "percent"), ("500", "quote")])
def test_a_trailing_stop_is_placed_and_its_size_and_deviation_can_be_changed(
    there: There, owner: User, deviation: str, unit: str
) -> None:
    order = buy(
        there.account, owner, type=OrderType.TRAILING_STOP, side=Side.SELL, limit_price=None, reduce_only=True,
        trailing_deviation=D(deviation), trailing_unit=unit, trigger_signal=TriggerSignal.LAST,
    )  # fmt: skip
    assert order.status == S.OPEN, order.reason
    assert order.stop_price is not None and order.stop_price < there.mark()
    assert edit_order(order, by=owner, size=D("0.02")).size == D("0.02")
    trailed = edit_order(order, by=owner, trailing_deviation=D(deviation) * 2)
    assert trailed.trailing_deviation == D(deviation) * 2
    assert trailed.stop_price is not None and trailed.stop_price < order.stop_price
    with pytest.raises(NotAllowed, match=r"between 0\.1 and 50|multiple of"):
        edit_order(order, by=owner, trailing_deviation=D("50.5"))
    with pytest.raises(NotAllowed, match="moves by itself"):
        edit_order(order, by=owner, stop_price=there.price("0.9"))


@pytest.mark.parametrize("wrong", [{"trailing_deviation": None}, {"trailing_deviation": D("0.05")}])
def test_a_trailing_stop_without_a_sensible_deviation_is_refused_by_us(
    there: There, owner: User, wrong: dict[str, Any]
) -> None:
    with pytest.raises(NotAllowed) as refusal:
        buy(
            there.account, owner, type=OrderType.TRAILING_STOP, side=Side.SELL, limit_price=None,
            **{"trailing_unit": "percent", **wrong},
        )  # fmt: skip
    assert refusal.value.field == "trailing_deviation"
    assert not there.ledger()


def test_the_trigger_signal_travels_and_the_trigger_price_can_be_changed(there: There, owner: User) -> None:
    order = buy(
        there.account, owner, type=OrderType.STOP, side=Side.SELL, limit_price=None, stop_price=there.price("0.9"),
        trigger_signal=TriggerSignal.INDEX, reduce_only=True,
    )  # fmt: skip
    row = there.venue.v3(there.person.key, "GET", "openorders")["openOrders"][0]
    assert (row["triggerSignal"], row["reduceOnly"]) == ("spot", True)
    moved = there.price("0.92")
    changed = edit_order(order, by=owner, stop_price=moved)
    assert (changed.status, changed.stop_price, changed.reason) == (S.OPEN, moved, "")
    with pytest.raises(OffStep) as refusal:
        edit_order(order, by=owner, stop_price=D("50000.5"))
    assert refusal.value.field == "stop_price"


def test_reduce_only_without_a_position_is_the_venues_refusal(there: There, owner: User) -> None:
    order = buy(there.account, owner, side=Side.SELL, type=OrderType.MARKET, limit_price=None, reduce_only=True)
    assert (order.status, order.reason_code) == (S.REJECTED, "wouldNotReducePosition")


def with_stops(there: There, owner: User, **changes: Any) -> Order:
    stops = {
        "stop_loss": Attached(stop_price=there.price("0.95")),
        "take_profit": Attached(stop_price=there.price("1.05"), trigger_signal=TriggerSignal.LAST),
    }
    return buy(there.account, owner, **{**stops, **changes})


def children(parent: Order) -> dict[str, Order]:
    return {one.type: one for one in Order.objects.filter(parent=parent)}


def test_attached_orders_wait_for_the_fill_and_are_sent_once_to_reduce_only(there: There, owner: User) -> None:
    intent = open_ticket()
    parent = with_stops(there, owner, intent=intent, limit_price=there.price("0.9"))
    assert [one.status for one in children(parent).values()] == [S.DRAFT, S.DRAFT]
    sweep_attached()
    assert set(there.ledger()) == {str(parent.pk)}
    edit_order(parent, by=owner, limit_price=there.price("1.005"))
    for _ in range(3):
        attend_attached(parent.pk)
        sweep_attached()
    stop, target = children(parent)["stop"], children(parent)["take_profit"]
    assert (stop.status, target.status) == (S.OPEN, S.OPEN), (stop.reason, target.reason)
    assert (stop.side, stop.reduce_only, target.trigger_signal) == ("sell", True, "last")
    assert set(there.ledger()) == {str(one.pk) for one in (parent, stop, target)}
    assert with_stops(there, owner, intent=intent).pk == parent.pk  # the ticket again: nothing new
    assert len(there.ledger()) == 3


def test_when_one_has_filled_the_other_is_cancelled(there: There, owner: User) -> None:
    parent = with_stops(there, owner, type=OrderType.MARKET, limit_price=None)
    attend_attached(parent.pk)
    there.venue.mark("PF_XBTUSD", price=str(there.price("0.94")))
    end = time.monotonic() + 10
    while there.position("PF_XBTUSD") and time.monotonic() < end:
        time.sleep(0.2)
    there.sync()
    sweep_attached()
    states = {name: one.status for name, one in children(parent).items()}
    assert states == {"stop": S.FILLED, "take_profit": S.CANCELLED}
    assert there.position("PF_XBTUSD") == 0


def test_attached_orders_of_an_order_that_comes_to_nothing_are_never_sent(there: There, owner: User) -> None:
    parent = with_stops(there, owner, limit_price=there.price("0.9"))
    cancel_order(parent, by=owner)
    attend_attached(parent.pk)
    assert {one.status for one in children(parent).values()} == {S.CANCELLED}
    assert set(there.ledger()) == {str(parent.pk)}


def test_a_draft_is_cancelled_without_asking_the_venue_also_by_cancel_all(there: There, owner: User) -> None:
    parent = with_stops(there, owner, limit_price=there.price("0.9"))
    assert cancel_order(children(parent)["stop"], by=owner).status == S.CANCELLED
    cancel_all(there.account, by=owner)
    assert children(parent)["take_profit"].status == S.CANCELLED


def test_a_lost_answer_of_an_attached_order_is_proven_and_not_sent_again(there: There, owner: User) -> None:
    parent = with_stops(there, owner, type=OrderType.MARKET, limit_price=None)
    there.venue.fault("drop_response", path="sendorder", count=2)
    attend_attached(parent.pk)
    assert {one.status for one in children(parent).values()} == {S.UNCERTAIN}
    attend_attached(parent.pk)
    settle()
    assert {one.status for one in children(parent).values()} == {S.OPEN}
    assert len(there.ledger()) == 3


def test_attached_orders_keep_the_rules_and_blame_their_own_field(there: There, owner: User) -> None:
    with pytest.raises(NotAllowed) as refusal:
        with_stops(there, owner, stop_loss=Attached(stop_price=D("50000.5")))
    assert refusal.value.field == "stop_loss"
    with pytest.raises(NotAllowed) as refusal:
        with_stops(there, owner, side=Side.SELL, reduce_only=True)
    assert refusal.value.field == "reduce_only"
    assert not Order.objects.exists() and not there.ledger()
