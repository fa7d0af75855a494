"""What must hold for margin, profit and liquidation whatever the numbers."""

from __future__ import annotations

from decimal import Decimal as D
from itertools import pairwise

from hypothesis import assume, given
from hypothesis import strategies as st

from krakenfutures.contracts import price_violation, size_violation
from krakenfutures.liquidation import flex_price, single_threshold
from krakenfutures.margin import Exposure, bracketed, netted, requirement
from krakenfutures.parse.instruments import parse_instruments
from krakenfutures.pnl import after_trade, average_price, profit
from krakenfutures.values import ContractKind, Side
from tests.krakenfutures.wire import sample

INSTRUMENTS = parse_instruments(sample("rest_instruments"))
LADDERS = st.sampled_from([one.margin_levels for one in INSTRUMENTS])
AMOUNTS = st.decimals(min_value=0, max_value=10**9, places=2)
PRICES = st.decimals(min_value=D("0.01"), max_value=10**6, places=2)
SIZES = st.decimals(min_value=D("0.001"), max_value=10**5, places=3)
SIGNED = st.builds(lambda size, sign: size * sign, SIZES, st.sampled_from([1, -1]))
KINDS = st.sampled_from([ContractKind.INVERSE, ContractKind.LINEAR])
NEAR = D("1E-9")


def close(one: D, other: D) -> bool:
    return abs(one - other) <= NEAR * max(1, abs(one), abs(other))


@given(LADDERS, AMOUNTS, AMOUNTS)
def test_more_never_needs_less_and_never_less_than_its_share(ladder, one, other):
    small, large = sorted((one, other))
    needed_small, needed_large = (bracketed(ladder, amount, "initial") for amount in (small, large))

    assert 0 <= needed_small <= needed_large
    assert needed_large - needed_small <= (large - small) * max(level.initial for level in ladder)
    assert needed_small >= small * min(level.initial for level in ladder)


@given(LADDERS)
def test_at_each_start_the_brackets_join_without_a_step(ladder):
    for level, following in pairwise(ladder):
        below, at = (bracketed(ladder, amount, "initial") for amount in (following.start - 1, following.start))
        assert at - below == level.initial


@given(LADDERS, AMOUNTS)
def test_maintenance_is_half_of_initial(ladder, amount):
    assert bracketed(ladder, amount, "maintenance") * 2 == bracketed(ladder, amount, "initial")


@given(st.sampled_from(INSTRUMENTS), SIZES, SIZES, PRICES)
def test_netting_never_needs_more_than_both_sides_and_never_less_than_one(instrument, long, short, price):
    buy = Exposure(instrument=instrument, side=Side.BUY, size=long, price=price)
    sell = Exposure(instrument=instrument, side=Side.SELL, size=short, price=price)
    alone = [requirement([one]).initial for one in (buy, sell)]

    assert netted([buy, sell]).initial == max(alone)
    assert netted([buy, sell]).initial <= sum(alone)


@given(KINDS, SIGNED, PRICES, PRICES)
def test_profit_changes_sign_with_the_side_and_is_nothing_at_the_entry(kind, size, entry, price):
    assert profit(kind, size, entry, price) == -profit(kind, -size, entry, price)
    assert profit(kind, size, entry, entry) == 0
    assert (profit(kind, size, entry, price) > 0) == ((price > entry) == (size > 0) and price != entry)


@given(KINDS, st.lists(st.tuples(SIZES, PRICES), min_size=1, max_size=6), PRICES)
def test_the_average_entry_makes_the_same_profit_as_its_parts(kind, trades, price):
    average = average_price(kind, trades)
    assert average is not None

    whole = profit(kind, sum(size for size, _ in trades), average, price)
    parts = sum(profit(kind, size, entry, price) for size, entry in trades)

    assert min(entry for _, entry in trades) - NEAR <= average <= max(entry for _, entry in trades) + NEAR
    assert abs(whole - parts) <= NEAR * max(1, sum(size * entry for size, entry in trades))


@given(KINDS, SIGNED, PRICES, SIGNED, PRICES, PRICES)
def test_no_trade_makes_or_loses_money_by_itself(kind, size, entry, traded, price, mark):
    held = after_trade(kind, size, entry, traded, price)

    before = profit(kind, size, entry, mark) + profit(kind, traded, price, mark)
    after = held.realised + (profit(kind, held.size, held.entry, mark) if held.entry else 0)

    assert held.size == size + traded
    assert abs(before - after) <= NEAR * max(1, abs(size) * entry, abs(traded) * price, abs(size) * mark)


@given(
    SIGNED, PRICES, st.decimals(min_value=D("0.0001"), max_value=100, places=4), st.sampled_from(["0", "0.01", "0.1"])
)
def test_at_the_threshold_the_account_is_worth_its_margin(size, entry, balance, rate):
    margin_usd = abs(size) * D(rate)
    price = single_threshold(size, entry, balance, margin_usd)
    assume(price is not None and price > D("0.0001"))

    worth = balance + profit(ContractKind.INVERSE, size, entry, price)

    assert close(worth * price, margin_usd)


@given(
    SIGNED,
    PRICES,
    st.decimals(min_value=1, max_value=10**6, places=2),
    st.decimals(min_value=0, max_value=10**4, places=2),
)
def test_at_the_flex_threshold_the_equity_is_the_maintenance_margin(size, mark, equity, maintenance):
    price = flex_price(size, mark, equity, maintenance)
    assume(price is not None)

    assert close(equity + size * (price - mark), maintenance)


@given(st.sampled_from(INSTRUMENTS), st.decimals(min_value=D("1E-10"), max_value=10**5, places=10))
def test_the_neighbours_of_a_refused_number_are_never_refused(instrument, number):
    for check in (price_violation, size_violation):
        violation = check(instrument, number)
        for neighbour in (violation.below, violation.above) if violation else ():
            assert neighbour is None or check(instrument, neighbour) is None
