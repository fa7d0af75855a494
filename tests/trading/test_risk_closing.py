"""Cancelling many, closing, reversing and flattening at a real exchange: a result for each leg, come what may."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied

from accounts.actions.people import create_person
from accounts.broker import CAPACITY, RESERVE, Broker
from accounts.models import Account, AuditRow, Desk, Membership, Role, User
from accounts.rules import NotAllowed
from krakenfutures.errors import Throttled
from krakenfutures.values import OrderType, Side
from tests.trading.desk import buy
from tests.trading.paper import PaperWire
from tests.trading.risk_venue import There, settle
from trading.actions.closing import (
    SOMEBODY_ELSE,
    cancel_many,
    close_position,
    flatten,
    orders_hit,
    positions_hit,
    reverse_position,
)
from trading.actions.halting import halt
from trading.actions.placing import open_ticket
from trading.models import Order, OrderStatus

S = OrderStatus
REFUSED = (NotAllowed, PermissionDenied)


def resting(there: There, by: User, side: Side = Side.BUY, **changes: Any) -> Order:
    share = "0.9" if side is Side.BUY else "1.1"
    return buy(there.account, by, side=side, limit_price=there.price(share), **changes)


def at_market(there: There, by: User, side: Side = Side.BUY, size: str = "0.05", symbol: str = "PF_XBTUSD") -> Order:
    wish = {"type": OrderType.MARKET, "limit_price": None, "symbol": symbol, "size": D(size), "side": side}
    return buy(there.account, by, **wish)


def test_the_preview_says_how_many_how_much_and_whose(account: Account, owner: User, trader: User) -> None:
    buy(account, owner, size=D("0.02"), limit_price=D(50000))
    buy(account, trader, side=Side.SELL, size=D("0.01"), limit_price=D(70000))
    buy(account, trader, symbol="PI_XBTUSD", size=D(300), limit_price=D(50000))
    Order.objects.create(
        account=account, symbol="PF_XBTUSD", side="buy", type="market", size=D(1), status=S.OPEN, venue_order_id="v"
    )
    hit = orders_hit(account)
    assert (hit.count, hit.notional_usd) == (4, None)
    assert orders_hit(account, marks={"PF_XBTUSD": D(60000)}).notional_usd == 1000 + 700 + 300 + 60000
    assert hit.whose == {str(owner): 1, str(trader): 2, SOMEBODY_ELSE: 1}
    assert orders_hit(account, side=Side.SELL).notional_usd == 700
    assert orders_hit(account, symbol="pi_xbtusd").count == 1


@pytest.mark.venue
def test_cancelling_one_side_leaves_the_other_and_is_one_call(there: There, owner: User, trader: User) -> None:
    Membership.objects.filter(user=trader).update(role=Role.TRADER)
    buys = [resting(there, owner) for _ in range(4)]
    sells = [resting(there, trader, Side.SELL) for _ in range(3)]
    legs = cancel_many(there.account, by=trader, side=Side.BUY)
    assert {leg.order.pk for leg in legs if leg.order and leg.done} == {order.pk for order in buys}
    states = {name: row["status"] for name, row in there.ledger().items()}
    assert [states[str(order.pk)] for order in [*buys, *sells]] == ["cancelled"] * 4 + ["open"] * 3
    assert AuditRow.objects.filter(action="orders.cancel_sent", actor=trader).count() == 1


@pytest.mark.venue
def test_a_lost_answer_of_many_cancels_is_looked_up(there: There, owner: User) -> None:
    for _ in range(3):
        resting(there, owner)
    there.venue.fault("drop_response", path="batchorder", count=1)
    assert [leg.done for leg in cancel_many(there.account, by=owner, side=Side.BUY)] == [True] * 3


@pytest.mark.venue
def test_a_cancel_that_comes_too_late_is_no_success(there: There, owner: User) -> None:
    order = at_market(there, owner)
    other = resting(there, owner)
    Order.objects.filter(pk=order.pk).update(status=S.OPEN, filled=D(0))
    legs = {leg.order.pk: leg for leg in cancel_many(there.account, by=owner, side=Side.BUY) if leg.order}
    assert (legs[order.pk].done, legs[other.pk].done) == (False, True)
    assert "filled already" in legs[order.pk].sentence


@pytest.mark.venue
@pytest.mark.parametrize("side", [Side.BUY, Side.SELL])
def test_closing_ends_flat_and_once_for_its_intent(there: There, owner: User, side: Side) -> None:
    at_market(there, owner, side)
    intent = open_ticket()
    legs = [close_position(intent, account=there.account, by=owner, symbol="PF_XBTUSD") for _ in range(3)]
    assert {(leg.done, leg.what) for leg in legs} == {(True, "close")}
    assert there.position("PF_XBTUSD") == 0
    assert len(there.ledger()) == 2
    with pytest.raises(NotAllowed) as refusal:
        close_position(open_ticket(), account=there.account, by=owner, symbol="PF_XBTUSD")
    assert refusal.value.code == "flat"


@pytest.mark.venue
def test_reversing_stands_as_much_on_the_other_side_and_not_while_halted(
    there: There, desk: Desk, owner: User
) -> None:
    at_market(there, owner)
    leg = reverse_position(open_ticket(), account=there.account, by=owner, symbol="PF_XBTUSD")
    assert (leg.done, there.position("PF_XBTUSD")) == (True, D("-0.05"))
    again = reverse_position(open_ticket(), account=there.account, by=owner, symbol="PF_XBTUSD")
    assert (again.done, there.position("PF_XBTUSD")) == (True, D("0.05"))  # by the position of now, not as stored
    halt(desk, by=owner)
    with pytest.raises(NotAllowed) as refusal:
        reverse_position(open_ticket(), account=there.account, by=owner, symbol="PF_XBTUSD")
    assert refusal.value.code == "halted"
    assert close_position(open_ticket(), account=there.account, by=owner, symbol="PF_XBTUSD").done


@pytest.mark.venue
def test_flatten_cancels_and_closes_everything_also_while_halted(there: There, desk: Desk, owner: User) -> None:
    at_market(there, owner)
    at_market(there, owner, Side.SELL, "1500", "PI_XBTUSD")
    at_market(there, owner, Side.BUY, "0.5", "PF_ETHUSD")
    resting(there, owner)
    resting(there, owner, Side.SELL)
    there.sync()
    assert len(positions_hit(there.account)) == 3
    halt(desk, by=owner)
    intent = open_ticket()
    legs = flatten(intent, account=there.account, by=owner)
    assert sorted((leg.what, leg.done) for leg in legs) == [("cancel", True)] * 2 + [("close", True)] * 3
    assert [there.position(symbol) for symbol in ("PF_XBTUSD", "PI_XBTUSD", "PF_ETHUSD")] == [0, 0, 0]
    assert {row["status"] for row in there.ledger().values()} == {"filled", "cancelled"}
    before = len(there.ledger())
    flatten(intent, account=there.account, by=owner)
    assert len(there.ledger()) == before


@pytest.mark.venue
def test_flatten_with_every_answer_lost_is_proven_afterwards_and_closes_once(there: There, owner: User) -> None:
    at_market(there, owner)
    at_market(there, owner, Side.BUY, "0.5", "PF_ETHUSD")
    there.sync()
    there.venue.fault("drop_response", path="batchorder", count=1)
    intent = open_ticket()
    legs = flatten(intent, account=there.account, by=owner)
    assert [leg.done for leg in legs] == [None, None]
    flatten(intent, account=there.account, by=owner)
    settle()
    closing = Order.objects.filter(account=there.account, reduce_only=True)
    assert [order.status for order in closing] == [S.FILLED] * 2
    assert there.position("PF_XBTUSD") == there.position("PF_ETHUSD") == 0
    assert len(there.ledger()) == 4


@pytest.mark.venue
def test_flatten_goes_on_where_the_budget_is_spent_by_others(there: There, owner: User) -> None:
    at_market(there, owner)
    resting(there, owner)
    there.sync()
    gate = Broker(there.account.keys.get().pk)
    with pytest.raises(Throttled):
        for _ in range(CAPACITY):
            gate.enter(10)
    with pytest.raises(Throttled):
        gate.enter(10)
    legs = flatten(open_ticket(), account=there.account, by=owner)
    assert [(leg.what, leg.done) for leg in legs] == [("cancel", True), ("close", True)]
    assert RESERVE >= 25 + 10


def test_nobody_else_closes_anything(account: Account, viewer: User, stranger: User, wire: PaperWire) -> None:
    newcomer = create_person("newcomer@example.test", "correct horse battery")
    for person in (viewer, stranger, newcomer):
        for call in (
            lambda who: cancel_many(account, by=who),
            lambda who: cancel_many(account, by=who, side=Side.BUY),
            lambda who: close_position(open_ticket(), account=account, by=who, symbol="PF_XBTUSD"),
            lambda who: reverse_position(open_ticket(), account=account, by=who, symbol="PF_XBTUSD"),
            lambda who: flatten(open_ticket(), account=account, by=who),
        ):
            with pytest.raises(REFUSED):
                call(person)
    assert not [name for name in wire.asked if name.startswith(("cancel", "batch", "send"))]
