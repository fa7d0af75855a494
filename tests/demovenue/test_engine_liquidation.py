"""Equity below maintenance: who pays, in which order, and that nobody is left owing."""

from __future__ import annotations

from decimal import Decimal as D

import pytest

from demovenue.events import OrderChanged
from demovenue.values import Participant
from tests.demovenue.engine_world import BTC, World, balances_by_log, balances_of, sums_by_currency


@pytest.fixture
def world():
    world = World()
    yield world
    world.exchange.close()


def strip(world, keep="1000", who=None):
    """Only so much USD stays in the flex wallet."""
    uid = who or world.trader
    for currency, held in world.exchange.wallets(uid).flex.currencies.items():
        amount = held.quantity - (D(keep) if currency == "USD" else 0)
        if amount > 0:
            world.exchange.transfer(uid, source="flex", target="cash", unit=currency.lower(), amount=amount)


def infos(world, uid):
    return {entry.info for entry in world.exchange.account_log(uid)}


def nobody_owes(world):
    assert set(sums_by_currency(world.exchange).values()) == {D(0)}
    for uid in world.exchange._parts.floor.accounts:
        assert all(amount >= 0 for amount in balances_of(world.exchange, uid).values())
        assert balances_by_log(world.exchange, uid)


def test_a_linear_position_is_cut_in_parts_until_the_margin_holds(world):
    world.exchange.set_mark(BTC, price=D(84000))
    strip(world, "3000")
    world.send("mkt", "buy", "2")
    resting = world.send("lmt", "buy", "0.01", "80000")
    threshold = world.exchange.positions(world.trader)[0].liquidation_price
    world.exchange.set_mark(BTC, price=threshold.quantize(D(1)) - 20)
    assert 0 < world.position() < 2
    flex = world.exchange.wallets(world.trader).flex
    assert flex.margin_equity >= flex.maintenance_margin
    assert {f.fill_type for f in world.exchange.fills(world.trader)} >= {"partialLiquidation"}
    assert "futures partial liquidation" in infos(world, world.trader)
    order = next(o for o in world.exchange.ledger(world.trader).orders if o.id == resting.order_id)
    assert order.update_reason == "LIQUIDATION_ORDER"
    assert "liquidation" in {e.reason for e in world.heard if isinstance(e, OrderChanged)}
    nobody_owes(world)


def test_above_its_liquidation_price_nothing_happens(world):
    world.exchange.set_mark(BTC, price=D(84000))
    strip(world, "3000")
    world.send("mkt", "buy", "2")
    threshold = world.exchange.positions(world.trader)[0].liquidation_price
    world.exchange.set_mark(BTC, price=threshold.quantize(D(1)) + 3)
    assert world.position() == 2


@pytest.mark.parametrize("side", ["buy", "sell"])
def test_a_crash_takes_everything_but_not_more(world, side):
    strip(world)
    world.send("mkt", side, "0.9")
    world.exchange.set_mark(BTC, percent=D(-30 if side == "buy" else 30))
    assert world.position() == 0
    assert world.exchange.wallets(world.trader).flex.currencies["USD"].quantity >= 0
    kinds = {f.fill_type for f in world.exchange.fills(world.trader)}
    assert kinds & {"liquidation", "unwindBankrupt"}
    nobody_owes(world)


def test_an_inverse_wallet_is_closed_whole(world):
    world.send("mkt", "buy", "400000", symbol="PI_XBTUSD")
    before = world.exchange.wallets(world.trader).margin["fi_xbtusd"].triggers["mm"]
    world.exchange.set_mark("PI_XBTUSD", price=before.quantize(D(1)) - 200)
    assert world.position("PI_XBTUSD") == 0
    assert world.exchange.wallets(world.trader).margin["fi_xbtusd"].balance >= 0
    assert "futures liquidation" in infos(world, world.trader) or "futures unwind bankrupt" in infos(
        world, world.trader
    )
    nobody_owes(world)


def test_a_volunteer_takes_over_what_the_book_does_not(world):
    volunteer = world.exchange.sign_up().account.uid
    world.exchange.assignment_add(
        Participant(
            account_uid=volunteer,
            contract_type="flex",
            accept_long=True,
            accept_short=False,
            time_frame="ALL",
            enabled=True,
            contract=BTC,
            max_size=D("0.3"),
        )
    )
    strip(world)
    world.send("mkt", "buy", "0.9")
    world.exchange.set_mark(BTC, percent=D(-30))
    assert world.position() == 0
    assert world.position(who=volunteer) == D("0.3")
    assert "futures assignee" in infos(world, volunteer)
    assert "futures assignor" in infos(world, world.trader)
    fills = {f.fill_type for f in world.exchange.fills(volunteer)}
    assert fills == {"assignee"}
    assert all(f.fee == 0 for f in world.exchange.fills(volunteer))
    nobody_owes(world)


def test_then_the_other_side_is_unwound_first_in_line_first(world):
    rich, modest = (world.exchange.sign_up().account.uid for _ in range(2))
    world.send("mkt", "sell", "0.5", who=modest)
    strip(world, "5000", who=rich)
    world.send("mkt", "sell", "0.5", who=rich)
    world.exchange.set_mark(BTC, percent=D("-0.5"))
    assert world.exchange.unwind_queue(rich) == [(BTC, 100)]
    assert world.exchange.unwind_queue(modest) == [(BTC, 40)]
    strip(world)
    world.send("mkt", "buy", "0.9")
    world.exchange.set_mark(BTC, percent=D(-30))
    assert world.position() == 0
    assert world.position(who=rich) == 0
    assert world.position(who=modest) == D("-0.1")
    assert "futures unwind counterparty" in infos(world, rich)
    assert "futures unwind bankrupt" in infos(world, world.trader)
    nobody_owes(world)


def test_an_isolated_position_loses_no_more_than_its_margin(world):
    world.exchange.set_max_leverage(world.trader, BTC, D(10))
    world.send("mkt", "buy", "0.5")
    margin = world.exchange.positions(world.trader)[0].initial_margin
    dollars = world.exchange.wallets(world.trader).flex.currencies["USD"].quantity
    world.exchange.set_mark(BTC, percent=D(-14))
    assert world.position() == 0
    lost = dollars - world.exchange.wallets(world.trader).flex.currencies["USD"].quantity
    assert lost < margin * D("1.02")
    nobody_owes(world)
