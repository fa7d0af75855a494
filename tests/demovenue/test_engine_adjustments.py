"""Money that moves without a trade: every kind of row, and the balances still are the sum of the log."""

from __future__ import annotations

from decimal import Decimal as D

import pytest

from demovenue.fees import TIERS
from demovenue.values import Refused
from tests.demovenue.engine_world import BTC, World, balances_by_log, balances_of, sums_by_currency


@pytest.fixture
def world():
    world = World()
    yield world
    assert set(sums_by_currency(world.exchange).values()) == {D(0)}
    by_log = balances_by_log(world.exchange, world.trader)
    assert by_log == balances_of(world.exchange, world.trader)
    world.exchange.close()


@pytest.mark.parametrize(
    ("kind", "wallet", "currency", "amount"),
    [
        ("admin transfer", "cash", "usd", "100"),
        ("admin transfer", "fi_xbtusd", "xbt", "-0.5"),
        ("tax withheld", "cash", "usd", "-12.34"),
        ("tax refund", "flex", "usd", "12.34"),
        ("interest payment", "cash", "eth", "0.001"),
        ("interest payment", "flex", "usd", "-1.5"),
    ],
)
def test_a_booking_by_hand_leaves_one_row_of_its_kind(world, kind, wallet, currency, amount):
    before = balances_of(world.exchange, world.trader)[wallet, currency]
    row = world.exchange.adjust(world.trader, kind=kind, wallet=wallet, currency=currency, amount=D(amount))
    assert (row.info, row.asset, row.old_balance, row.new_balance) == (kind, currency, before, before + D(amount))
    assert world.exchange.account_log(world.trader, info=[kind]) == [row]


@pytest.mark.parametrize(
    ("kind", "wallet", "currency", "amount", "word"),
    [
        ("gift", "cash", "usd", "1", "invalidArgument"),
        ("admin transfer", "nowhere", "usd", "1", "invalidAccount"),
        ("admin transfer", "cash", "doge", "1", "invalidUnit"),
        ("admin transfer", "cash", "usd", "0", "invalidAmount"),
        ("admin transfer", "cash", "usd", "NaN", "invalidAmount"),
        ("admin transfer", "cash", "usd", "-25000.01", "insufficientFunds"),
        ("admin transfer", "cash", "fee", "5", "invalidUnit"),
        ("admin transfer", "flex", "fee", "-5", "insufficientFunds"),
        ("tax withheld", "cash", "usd", "5", "invalidAmount"),
        ("tax refund", "cash", "usd", "-5", "invalidAmount"),
        ("tax refund", "flex", "fee", "5", "invalidUnit"),
    ],
)
def test_bookings_that_cannot_be(world, kind, wallet, currency, amount, word):
    with pytest.raises(Refused, match=word):
        world.exchange.adjust(world.trader, kind=kind, wallet=wallet, currency=currency, amount=D(amount))


def test_fee_credits_pay_fees_until_they_are_used_up(world):
    world.exchange.adjust(world.trader, kind="admin transfer", wallet="flex", currency="fee", amount=D(300))
    world.send("mkt", "buy", "0.04")  # a fee of about 1.68 USD
    fee = next(e for e in world.exchange.account_log(world.trader, info=["futures trade"]) if e.fee).fee
    usd, credits = world.exchange.account_log(world.trader, info=["kfee applied"])[:2]
    assert (usd.asset, usd.new_balance - usd.old_balance) == ("usd", fee)
    assert (credits.asset, credits.old_balance - credits.new_balance) == ("fee", fee * 100)
    world.send("mkt", "sell", "0.4")
    assert balances_of(world.exchange, world.trader)["flex", "fee"] == 0
    world.send("mkt", "buy", "0.1")
    assert world.exchange.account_log(world.trader, limit=1)[0].info == "futures trade"
    assert "FEE" not in world.exchange.wallets(world.trader).flex.currencies


def test_a_large_uncovered_loss_pays_interest_on_the_hour(world):
    world.exchange.set_mark(BTC, price=D(84000))
    world.send("mkt", "buy", "5")
    world.exchange.transfer(world.trader, source="flex", target="cash", unit="usd", amount=D("45000"))
    world.exchange.fund(world.trader, wallet="flex", currency="eth", amount=D(100))
    world.exchange.set_mark(BTC, price=D(74000))
    uncovered = (
        -world.exchange.wallets(world.trader).flex.pnl - balances_of(world.exchange, world.trader)["flex", "usd"]
    )
    assert uncovered > 30_000
    world.exchange.advance(D(3600))
    (row,) = world.exchange.account_log(world.trader, info=["interest payment"])
    assert abs(row.old_balance - row.new_balance - uncovered * D("0.08") / 8760) < D("0.05")
    world.exchange.set_mark(BTC, price=D(84000))
    world.exchange.advance(D(3600))
    assert len(world.exchange.account_log(world.trader, info=["interest payment"])) == 1


def test_fees_fall_with_the_volume_of_thirty_days(world):
    tiers = world.exchange.fee_tiers()
    assert tiers == TIERS
    assert len(tiers) > 2
    assert [t.usd_volume for t in tiers] == sorted({t.usd_volume for t in tiers})
    assert [t.taker for t in tiers] == sorted({t.taker for t in tiers}, reverse=True)
    fees = world.exchange._parts.fees
    for tier in tiers:
        fees.add_volume(world.trader, tier.usd_volume - world.exchange.volume_30d(world.trader))
        world.send("mkt", "buy", "0.0001")
        assert world.exchange.fills(world.trader, limit=1)[0].fee_percent == tier.taker
    world.exchange.advance(D(31 * 86400))
    assert world.exchange.volume_30d(world.trader) == 0
