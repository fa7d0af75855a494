"""Wallets, margin, funding, the account log: every unit accounted for."""

from __future__ import annotations

from decimal import Decimal as D

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demovenue.values import OrderWish, Refused
from tests.demovenue.engine_world import BTC, ETH, World, balances_by_log, balances_of, sums_by_currency

DATED = "FF_XBTUSD_261127"
DATED_INVERSE = "FI_XBTUSD_261127"


@pytest.fixture
def world():
    world = World()
    yield world
    world.exchange.close()


def agree(world):
    """Nothing is created, and the log explains every balance to the last digit."""
    assert set(sums_by_currency(world.exchange).values()) == {D(0)}
    for account in world.exchange._parts.floor.accounts:
        by_log = balances_by_log(world.exchange, account)
        assert by_log == {key: value for key, value in balances_of(world.exchange, account).items() if key in by_log}
        assert set(balances_of(world.exchange, account)) == set(by_log)


# --- the worked examples, through the whole engine ---


def test_a_round_trip_on_an_inverse_market_pays_in_the_coin(world):
    world.exchange.set_mark("PI_XBTUSD", price=D(60000))
    world.send("lmt", "buy", "10000", "60000", symbol="PI_XBTUSD", fault="fill_at_once")
    assert world.exchange.positions(world.trader)[0].entry.quantize(D("0.1")) <= 60000
    world.exchange.set_mark("PI_XBTUSD", price=D(61000))
    view = world.exchange.positions(world.trader)[0]
    entry = view.entry
    assert view.pnl == D(10000) / entry - D(10000) / D(61000)
    agree(world)


def test_margin_of_a_linear_position_is_reckoned_at_entry(world):
    world.exchange.set_mark(BTC, price=D(84000))
    world.send("lmt", "buy", "0.1", "83990", fault="fill_at_once")
    position = world.exchange.positions(world.trader)[0]
    assert position.initial_margin == D("0.1") * position.entry * D("0.01")
    assert position.maintenance_margin == position.initial_margin / 2
    flex = world.exchange.wallets(world.trader).flex
    assert flex.initial_margin == position.initial_margin
    assert flex.margin_equity == flex.collateral_value + flex.total_unrealized_as_margin
    assert flex.available_margin == flex.margin_equity - flex.initial_margin_with_orders
    assert flex.portfolio_value == flex.balance_value + flex.total_unrealized


def test_collateral_is_worth_less_by_its_haircut(world):
    flex = world.exchange.wallets(world.trader).flex
    assert flex.currencies["XBT"].collateral == flex.currencies["XBT"].value * D("0.97")
    assert flex.currencies["ETH"].collateral == flex.currencies["ETH"].value * D("0.935")
    assert flex.currencies["USD"].collateral == flex.currencies["USD"].quantity


def test_margin_of_an_inverse_position_is_reckoned_at_the_mark(world):
    world.exchange.set_mark("PI_XBTUSD", price=D(84000))
    world.send("mkt", "buy", "1000", symbol="PI_XBTUSD")
    view = world.exchange.wallets(world.trader).margin["fi_xbtusd"]
    assert view.im == D(20) / 84000
    assert abs(view.mm - view.im / 2) < D("1E-24")  # other libraries in the process may turn the rounding
    assert abs(view.lt - view.im * D("0.375")) < D("1E-24")
    assert abs(view.tt - view.im / 4) < D("1E-24")
    assert view.pv == view.balance + view.pnl + view.funding
    assert view.af == view.pv - view.im
    entry = world.exchange.positions(world.trader)[0].entry
    assert abs(view.triggers["mm"] - D(1010) / (view.balance + 1000 / entry)) < D("0.001")
    assert view.triggers["im"] > view.triggers["mm"] > view.triggers["lt"] > view.triggers["tt"] > 0


def test_longs_and_shorts_of_one_underlying_net_as_the_larger(world):
    world.send("mkt", "buy", "0.2")
    long_only = world.exchange.wallets(world.trader).flex.initial_margin
    world.send("mkt", "sell", "0.05", symbol=DATED)
    assert world.exchange.wallets(world.trader).flex.initial_margin == long_only
    world.send("mkt", "sell", "1", symbol=ETH)
    assert world.exchange.wallets(world.trader).flex.initial_margin > long_only


def test_open_orders_need_margin_unless_they_only_close(world):
    before = world.exchange.wallets(world.trader).flex.initial_margin_with_orders
    world.send("lmt", "buy", "0.1", "80000")
    assert world.exchange.wallets(world.trader).flex.initial_margin_with_orders == before + 80
    world.exchange.cancel_all(world.trader)
    world.send("mkt", "buy", "0.1")
    held = world.exchange.wallets(world.trader).flex.initial_margin_with_orders
    world.send("lmt", "sell", "0.1", "90000")
    assert world.exchange.wallets(world.trader).flex.initial_margin_with_orders == held


# --- the account log ---


def test_a_trade_leaves_a_position_row_and_a_money_row(world):
    world.send("mkt", "buy", "0.0001")
    money, position = world.exchange.account_log(world.trader)[:2]
    assert (position.asset, position.old_balance, position.new_balance) == ("pf_xbtusd", 0, D("0.0001"))
    assert position.fee is None
    assert (money.asset, money.contract, money.info) == ("usd", "pf_xbtusd", "futures trade")
    assert money.new_balance == money.old_balance + money.realized_pnl - money.fee + money.realized_funding
    fill = world.exchange.fills(world.trader)[0]
    assert money.execution == position.execution == fill.fill_id
    assert money.fee == fill.fee.quantize(D("0.0001"), rounding="ROUND_HALF_UP")


def test_the_log_is_paged_by_id_time_and_kind(world):
    world.send("mkt", "buy", "0.01")
    everything = world.exchange.account_log(world.trader)
    ids = [entry.id for entry in everything]
    assert ids == list(range(ids[0], 0, -1))
    assert [e.id for e in world.exchange.account_log(world.trader, from_id=2, to_id=4, ascending=True)] == [2, 3, 4]
    trades = world.exchange.account_log(world.trader, info=["futures trade"])
    assert {e.info for e in trades} == {"futures trade"}
    assert world.exchange.account_log(world.trader, before=everything[-1].at) == []


# --- funding and settlement ---


def test_funding_is_paid_on_the_hour_and_when_the_position_changes(world):
    world.send("mkt", "buy", "0.5")
    market = world.exchange._parts.floor.markets[BTC]
    rate = market.funding_rate
    world.exchange.advance(D(1800))
    accrued = world.exchange.positions(world.trader)[0].unrealized_funding
    assert accrued == -D("0.5") * rate * 1800 / 3600
    world.send("mkt", "buy", "0.1")
    order = world.exchange.fills(world.trader)[0].order_id
    fills = {fill.fill_id for fill in world.exchange.fills(world.trader) if fill.order_id == order}
    rows = [row for row in world.exchange.account_log(world.trader) if row.execution in fills and row.asset == "usd"]
    realised = sum(row.realized_funding for row in rows)  # all of it by the first of the order's fills
    assert realised == accrued.quantize(D("0.0001"), rounding="ROUND_HALF_UP")
    assert abs(world.exchange.positions(world.trader)[0].unrealized_funding) < D("0.000001")
    world.exchange.advance(D(1800))
    (funded,) = world.exchange.account_log(world.trader, info=["funding rate change"])
    assert funded.at.minute == 0
    rates = world.exchange.funding_rates(BTC)
    assert rates[-1].at == funded.at
    assert rates[-1].absolute == market.funding_rate
    agree(world)


def test_a_day_later_there_were_twenty_four_fundings(world):
    world.send("mkt", "sell", "100", symbol="PI_XBTUSD")
    world.exchange.advance(D(86400))
    assert len(world.exchange.account_log(world.trader, info=["funding rate change"])) == 24
    agree(world)


def test_a_dated_contract_is_settled_at_the_index_and_succeeded(world):
    world.send("mkt", "buy", "0.1", symbol=DATED)
    world.send("mkt", "sell", "500", symbol=DATED_INVERSE)
    resting = world.send("lmt", "buy", "0.1", "70000", symbol=DATED)
    world.exchange.advance(D(6 * 86400))
    assert world.exchange.positions(world.trader) == []
    assert {i.symbol for i in world.exchange.instruments(expired=True)} >= {DATED, DATED_INVERSE}
    assert world.exchange.instrument(DATED) is None
    assert world.exchange.instrument("FF_XBTUSD_270129") is not None
    assert {e.info for e in world.exchange.account_log(world.trader)} >= {"settlement"}
    order = next(o for o in world.exchange.ledger(world.trader).orders if o.id == resting.order_id)
    assert order.update_reason == "CONTRACT_EXPIRED"
    agree(world)


# --- moving money ---


def test_transfers_move_what_is_free_and_nothing_else(world):
    moved = world.exchange.transfer(world.trader, source="cash", target="flex", unit="usd", amount=D("100.5"))
    assert moved.amount == D("100.5")
    wallets = world.exchange.wallets(world.trader)
    assert wallets.cash["usd"] == D("24899.5")
    assert wallets.flex.currencies["USD"].quantity == D("50100.5")
    infos = [e.info for e in world.exchange.account_log(world.trader)[:2]]
    assert infos == ["transfer", "transfer"]
    agree(world)


@pytest.mark.parametrize(
    ("source", "target", "unit", "amount", "word"),
    [
        ("cash", "flex", "usd", "25000.01", "insufficientFunds"),
        ("cash", "flex", "usd", "0", "invalidAmount"),
        ("cash", "flex", "usd", "-5", "invalidAmount"),
        ("cash", "fi_xbtusd", "usd", "5", "invalidUnit"),
        ("cash", "nowhere", "usd", "5", "invalidAccount"),
        ("cash", "cash", "usd", "5", "invalidAccount"),
        ("cash", "flex", "doge", "5", "invalidUnit"),
    ],
)
def test_transfers_that_cannot_be(world, source, target, unit, amount, word):
    with pytest.raises(Refused, match=word):
        world.exchange.transfer(world.trader, source=source, target=target, unit=unit, amount=D(amount))
    agree(world)


def test_margin_in_use_cannot_leave(world):
    world.send("mkt", "buy", "40000", symbol="PI_XBTUSD")
    view = world.exchange.wallets(world.trader).margin["fi_xbtusd"]
    with pytest.raises(Refused, match="insufficientFunds"):
        world.exchange.transfer(world.trader, source="fi_xbtusd", target="cash", unit="xbt", amount=D("0.999"))
    free = view.af.quantize(D("0.000001"), rounding="ROUND_DOWN")
    world.exchange.transfer(world.trader, source="fi_xbtusd", target="cash", unit="xbt", amount=free)
    agree(world)


def test_a_withdrawal_leaves_for_the_spot_wallet(world):
    withdrawal = world.exchange.withdraw(world.trader, currency="xbt", amount=D("0.25"))
    assert world.exchange.wallets(world.trader).cash["xbt"] == D("0.75")
    entry = world.exchange.account_log(world.trader)[0]
    assert (entry.info, entry.execution) == ("cross-exchange transfer", withdrawal.uid)
    with pytest.raises(Refused, match="insufficientFunds"):
        world.exchange.withdraw(world.trader, currency="xbt", amount=D(1))
    world.exchange.withdraw(world.trader, currency="usd", amount=D(10), source="flex")
    assert {w.source_wallet for w in world.exchange.ledger(world.trader).withdrawals} == {"cash", "flex"}
    agree(world)


def test_a_subaccount_lives_from_its_master(world):
    sub = world.exchange.open_subaccount(world.trader).account.uid
    give = {"source": "cash", "target": "flex", "unit": "usd", "amount": D(5000)}
    world.exchange.transfer_subaccount(world.trader, from_user=world.trader, to_user=sub, **give)
    assert world.exchange.wallets(sub).flex.currencies["USD"].quantity == 5000
    assert world.send("mkt", "buy", "0.01", who=sub).status == "placed"
    stranger = world.exchange.sign_up().account.uid
    with pytest.raises(Refused, match="invalidAccount"):
        world.exchange.transfer_subaccount(stranger, from_user=world.trader, to_user=stranger, **give)
    world.exchange.set_trading_enabled(world.trader, sub, False)
    with pytest.raises(Refused, match="accountInactive"):
        world.send("mkt", "buy", "0.01", who=sub)
    with pytest.raises(Refused, match="notFound"):
        world.exchange.set_trading_enabled(stranger, sub, True)
    agree(world)


def test_the_faucet_gives_only_what_a_wallet_takes(world):
    assert world.exchange.fund(world.trader, wallet="flex", currency="usd", amount=D(1000)) == 51000
    with pytest.raises(Refused, match="invalidUnit"):
        world.exchange.fund(world.trader, wallet="fi_xbtusd", currency="eth", amount=D(1))
    agree(world)


def test_a_loss_beyond_the_usd_is_settled_from_other_currencies(world):
    world.exchange.transfer(world.trader, source="flex", target="cash", unit="usd", amount=D(49990))
    world.send("mkt", "buy", "0.5")
    world.exchange.set_mark(BTC, percent=D(-5))
    world.send("mkt", "sell", "0.5")
    flex = world.exchange.wallets(world.trader).flex
    assert flex.currencies["USD"].quantity >= 0
    assert flex.currencies["XBT"].quantity < D("0.5")
    assert any(e.info == "conversion" for e in world.exchange.account_log(world.trader))
    agree(world)


# --- preferences ---


def test_isolated_leverage_asks_for_more_margin(world):
    world.exchange.set_max_leverage(world.trader, BTC, D(5))
    world.send("mkt", "buy", "0.1")
    position = world.exchange.positions(world.trader)[0]
    assert position.max_fixed_leverage == 5
    assert position.initial_margin == D("0.1") * position.entry / 5
    assert position.liquidation_price > 0
    world.exchange.set_max_leverage(world.trader, BTC, None)
    assert world.exchange.positions(world.trader)[0].max_fixed_leverage is None


@pytest.mark.parametrize(("symbol", "number"), [("PF_NOPEUSD", 87), ("PI_XBTUSD", 88)])
def test_preferences_only_for_multi_collateral_markets(world, symbol, number):
    with pytest.raises(Refused) as refused:
        world.exchange.set_max_leverage(world.trader, symbol, D(5))
    assert refused.value.number == number


def test_profits_in_another_currency(world):
    world.exchange.set_pnl_currency(world.trader, BTC, "BTC")
    world.send("mkt", "buy", "0.1")
    world.exchange.set_mark(BTC, percent=D(5))
    flex = world.exchange.wallets(world.trader).flex
    assert 0 < flex.total_unrealized_as_margin < flex.total_unrealized
    coins = flex.currencies["XBT"].quantity
    world.send("mkt", "sell", "0.1")
    assert world.exchange.wallets(world.trader).flex.currencies["XBT"].quantity > coins
    assert world.exchange.account_log(world.trader)[0].info == "conversion"
    agree(world)
    with pytest.raises(Refused) as refused:
        world.exchange.set_pnl_currency(world.trader, BTC, "DOGE")
    assert refused.value.number == 89


# --- whatever people do ---

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["mkt", "lmt", "post", "ioc", "cancel", "wait", "mark", "transfer"]),
        st.booleans(),
        st.sampled_from([(BTC, "0.05"), (ETH, "2"), ("PI_XBTUSD", "2500"), ("FI_ETHUSD_261225", "1500")]),
        st.integers(-12, 12),
    ),
    min_size=3,
    max_size=25,
)


@given(STEPS)
@settings(max_examples=25, deadline=None)
def test_money_is_conserved_whatever_two_people_do(steps):
    world = World()
    people = [world.trader, world.exchange.sign_up().account.uid]
    for number, (what, buy, (symbol, size), off) in enumerate(steps):
        who, side = people[number % 2], "buy" if buy else "sell"
        market = world.exchange._parts.floor.markets[symbol]
        if what == "wait":
            world.exchange.advance(D(700))
        elif what == "mark":
            world.exchange.set_mark(symbol, percent=D(off))
            world.exchange.release_mark()
        elif what == "cancel":
            world.exchange.cancel_all(who)
        elif what == "transfer":
            world.exchange.transfer(who, source="cash", target="flex", unit="usd", amount=D(10))
        else:
            price = (market.mark / market.instrument.tick).to_integral_value() * market.instrument.tick
            limit = None if what == "mkt" else price + off * market.instrument.tick
            wish = OrderWish(order_type=what, symbol=symbol, side=side, size=D(size), limit_price=limit)
            world.exchange.send_order(who, wish)
        for book in (world.exchange.book(symbol),):
            assert not book.bids or not book.asks or book.bids[0][0] < book.asks[0][0]
    agree(world)
    for uid in people:
        assert all(amount >= 0 for amount in balances_of(world.exchange, uid).values())
    world.exchange.close()
