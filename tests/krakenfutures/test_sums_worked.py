"""Every worked number that Kraken published, or that was recorded from it."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN
from decimal import Decimal as D

import pytest

from krakenfutures.contracts import order_violations, price_violation, round_price, round_size_down, size_violation
from krakenfutures.fees import BASE_MAKER, BASE_TAKER, booked_usd, fee
from krakenfutures.funding import absolute_rate, next_payment_at, payment, relative_of, relative_rate, yearly_percent
from krakenfutures.liquidation import distance, flex_price, single_collateral_price, single_threshold
from krakenfutures.margin import (
    Exposure,
    available_in_currency,
    bracketed,
    effective_leverage,
    flex_sums,
    netted,
    requirement,
    single_sums,
)
from krakenfutures.parse.instruments import parse_instruments
from krakenfutures.pnl import after_trade, average_price, notional_usd, profit, value_at
from krakenfutures.values import ContractKind, Instrument, MarginLevel, NewOrder, OrderType, Side
from tests.krakenfutures.wire import sample

INVERSE, LINEAR = ContractKind.INVERSE, ContractKind.LINEAR
INSTRUMENTS = {one.symbol: one for one in parse_instruments(sample("rest_instruments"))}
COIN, PERP, PEPE = INSTRUMENTS["PI_XBTUSD"], INSTRUMENTS["PF_XBTUSD"], INSTRUMENTS["PF_PEPEUSD"]


def same(got: D | None, wanted: str) -> bool:
    """Equal to the last digit that was published."""
    assert got is not None
    return got.quantize(D(wanted), ROUND_HALF_EVEN) == D(wanted)


def flat(rate: str) -> tuple[MarginLevel, ...]:
    return (MarginLevel(start=D(0), initial=D(rate) * 2, maintenance=D(rate)),)


@pytest.mark.parametrize(
    ("kind", "size", "entry", "price", "wanted"),
    [
        (INVERSE, "1", "40012.5", "40022.5", "6.24453493426E-9"),
        (INVERSE, "10000", "60000", "61000", "0.00273224043716"),
        (INVERSE, "-10000", "60000", "61000", "-0.00273224043716"),
        (LINEAR, "0.5", "70.53", "68.80433882446", "-0.86283058777"),
        (LINEAR, "-0.021", "60504.43965517241", "60997", "-10.34376724"),
    ],
)
def test_profit(kind, size, entry, price, wanted):
    assert same(profit(kind, D(size), D(entry), D(price)), wanted)


def test_average_entry_is_arithmetic_for_linear_and_harmonic_for_inverse():
    linear = [(D("0.0214"), D(60505)), (D("0.0002"), D(60504)), (D("0.0016"), D(60497))]
    inverse = [(D(1), D("413.3")), (D(1), D("342.1"))]

    assert same(average_price(LINEAR, linear), "60504.43965517241")
    assert same(average_price(INVERSE, inverse), "374.3445326979084")
    assert average_price(LINEAR, []) is None


def test_reducing_leaves_the_average_and_crossing_zero_starts_anew():
    reduced = after_trade(LINEAR, D("0.07"), D(83000), D("-0.02"), D(84000))
    closed = after_trade(LINEAR, D("0.05"), D(83000), D("-0.05"), D(84000))
    crossed = after_trade(LINEAR, D("0.05"), D(83000), D("-0.08"), D(84000))
    added = after_trade(INVERSE, D(-1), D("413.3"), D(-1), D("342.1"))

    assert (reduced.size, reduced.entry, reduced.realised) == (D("0.05"), D(83000), D(20))
    assert (closed.size, closed.entry, closed.realised) == (0, None, D(50))
    assert (crossed.size, crossed.entry, crossed.realised) == (D("-0.03"), D(84000), D(50))
    assert added.size == -2
    assert same(added.entry, "374.3445326979084")


def test_values_and_notionals():
    assert notional_usd(INVERSE, D(-1000), D(84000)) == 1000
    assert notional_usd(LINEAR, D("-0.5"), D(84000)) == 42000
    assert value_at(INVERSE, D(84000), D(84000)) == 1


@pytest.mark.parametrize(
    ("kind", "size", "price", "rate", "wanted"),
    [
        (INVERSE, "1", "38508.5", BASE_MAKER, "5.20E-9"),
        (INVERSE, "5000", "364.65", BASE_TAKER, "0.00685588921"),
        (LINEAR, "0.001", "3162", BASE_TAKER, "0.001581"),
        (LINEAR, "250", "0.08105", BASE_TAKER, "0.01013125"),
        (LINEAR, "0.021", "60997", BASE_TAKER, "0.6404685"),
    ],
)
def test_fees(kind, size, price, rate, wanted):
    assert fee(kind, D(size), D(price), rate) == D(wanted)
    assert fee(kind, D("-" + size), D(price), rate) == D(wanted)


def test_the_account_log_rounds_dollars_to_four_decimals():
    assert booked_usd(D("0.6404685")) == D("0.6405")
    assert booked_usd(D("-10.34376724")) == D("-10.3438")
    assert booked_usd(D("-10.34376724")) - booked_usd(D("0.6404685")) == D("-10.9843")


def test_funding_rates_and_payments():
    assert same(absolute_rate(INVERSE, D("0.000874516826"), D(39906)), "2.19144E-8")
    assert same(absolute_rate(LINEAR, D("0.0000186711875"), D("1752.7")), "0.032725")
    assert same(payment(D(2), D("-8.7002552653E-8"), D(4)), "6.9602E-7")
    assert same(payment(D(250), D("9.288E-7")), "-0.0002")
    assert relative_of(LINEAR, D("2"), D("1000")) == D("0.002")
    assert relative_of(INVERSE, D("1E-8"), D("50000")) == D("0.0005")


def test_the_relative_rate_is_held_within_its_cap():
    assert relative_rate(D("0.008"), D(8), D("0.005")) == D("0.001")
    assert relative_rate(D("0.9"), D(8), D("0.005")) == D("0.005")
    assert relative_rate(D("-0.9"), D(8), D("0.005")) == D("-0.005")
    assert yearly_percent(D("0.00001")) == D("8.76")
    assert next_payment_at(datetime(2026, 11, 22, 23, 59, 59, tzinfo=UTC)) == datetime(2026, 11, 23, tzinfo=UTC)


def test_margin_levels_are_brackets():
    assert bracketed(COIN.margin_levels, D(1_000_000), "initial") == 30_000
    assert same(bracketed(COIN.margin_levels, D(1_000_000), "initial") / 84_000, "0.357142857")
    assert bracketed(PERP.margin_levels, D(4_200_000), "initial") == 98_000
    assert bracketed(PERP.margin_levels, D(4_200_000), "maintenance") == 49_000
    assert bracketed(PERP.margin_levels, D(0), "initial") == 0
    assert bracketed((), D(5), "initial") == 0


def linear_with(rate: str) -> Instrument:
    return Instrument(
        **{**{name: getattr(PERP, name) for name in PERP.__struct_fields__}, "margin_levels": flat(rate)}
    )


def test_linear_positions_are_margined_at_their_entry():
    needed = requirement(
        [Exposure(instrument=linear_with("0.01"), side=Side.BUY, size=D("0.04"), price=D("26911.75"))]
    )
    litecoin = requirement([Exposure(instrument=linear_with("0.01"), side=Side.BUY, size=D("0.5"), price=D("70.53"))])

    assert (needed.initial, needed.maintenance) == (D("21.5294"), D("10.7647"))
    assert litecoin.initial == D("0.7053")


def test_inverse_positions_are_margined_at_the_mark():
    needed = requirement([Exposure(instrument=COIN, side=Side.BUY, size=D(1), price=D("40022.5"))])

    assert same(needed.initial, "4.99719E-7")
    assert same(profit(INVERSE, D(1), D("40012.5"), D("40022.5")) / needed.initial, "0.0124961")


def test_the_larger_side_counts_and_a_contract_goes_through_its_brackets_once():
    long = Exposure(instrument=PERP, side=Side.BUY, size=D(10), price=D(80_000))
    order = Exposure(instrument=PERP, side=Side.BUY, size=D(10), price=D(80_000))
    short = Exposure(instrument=INSTRUMENTS["FF_XBTUSD_261225"], side=Side.SELL, size=D(1), price=D(80_000))

    assert netted([long, order, short]).initial == 10_000 + 12_000  # 1.6 M through the ladder, not twice 0.8 M
    assert netted([long, short]).initial == 8_000
    assert netted([short]).initial == 1_600
    assert netted([]).initial == 0


def test_an_isolated_position_needs_at_least_its_notional_by_its_leverage():
    one = Exposure(instrument=PERP, side=Side.BUY, size=D(1), price=D(80_000), max_leverage=D(5))

    assert requirement([one]).initial == 16_000
    assert requirement([one]).maintenance == 400


def test_the_sums_of_the_documented_flex_account():
    flex = sample("rest_accounts")["accounts"]["flex"]
    sums = flex_sums(
        [(D("20000"), D(0)), (D("8400"), D("0.03"))],
        pnl=D("50.5125"),
        unrealised_funding=D("-0.1225"),
        initial_margin=D("49.7"),
    )

    assert sums.balance_value == flex["balanceValue"]
    assert sums.collateral_value == flex["collateralValue"]
    assert sums.portfolio_value == flex["portfolioValue"]
    assert sums.margin_equity == flex["marginEquity"]
    assert sums.available_margin == flex["availableMargin"]


def test_what_of_a_currency_may_leave():
    assert same(available_in_currency(D("0.5"), D("1543.91104875"), D("1543.91")), "0.499999660359")
    assert available_in_currency(D("0.1"), D(8148), D(28148)) == D("0.1")
    assert available_in_currency(D(100), D(100), D(-5)) == 0
    assert available_in_currency(D(-3), D(-3), D(50)) == 0


def test_the_sums_of_the_documented_single_collateral_account():
    """Its pv is balance + pnl: the documented example leaves its own funding of −3.1e-8 out."""
    account = sample("rest_accounts")["accounts"]["fi_xbtusd"]
    auxiliary, needed = account["auxiliary"], account["marginRequirements"]["im"]
    pnl = profit(INVERSE, D(1000), D(80000), D("84012.5"))
    sums = single_sums(D("0.4"), pnl=pnl, unrealised_funding=D(0), initial_margin=needed)
    accrued = single_sums(D("0.4"), pnl=pnl, unrealised_funding=D("-3.1E-8"), initial_margin=needed)

    assert same(pnl, "0.000597009373605")
    assert same(sums.portfolio_value, str(auxiliary["pv"].quantize(D("1E-15"))))
    assert same(sums.available, str(auxiliary["af"].quantize(D("1E-15"))))
    assert sums.portfolio_value - accrued.portfolio_value == D("3.1E-8")


def test_liquidation_of_a_single_collateral_position():
    assert same(single_collateral_price(flat("0.01"), D(1), D("40012.5"), D("0.4")), "2.52484")
    assert same(single_collateral_price(flat("0.01"), D(1000), D(8000), D("0.01")), "7481.48")
    assert same(single_threshold(D(1000), D(8000), D("0.01"), D(0)), "7407.41")


def test_the_documented_trigger_estimates_and_thresholds_come_out():
    estimates = sample("rest_accounts")["accounts"]["fi_xbtusd"]["triggerEstimates"]

    assert same(single_threshold(D(1000), D(80000), D("0.4"), D(20)), "2472.73")
    assert same(single_threshold(D(1000), D(80000), D("0.4"), D(10)), str(estimates["mm"]))
    assert same(single_threshold(D(1000), D(80000), D("0.4"), D("7.5")), str(estimates["lt"]))
    assert same(single_threshold(D(1000), D(80000), D("0.4"), D(5)), str(estimates["tt"]))


def test_a_short_that_holds_as_much_coin_as_it_sold_cannot_be_liquidated():
    assert single_collateral_price(flat("0.01"), D(-1000), D(8000), D("0.125")) is None
    assert single_collateral_price(flat("0.01"), D(-1000), D(8000), D("0.025")) == D("9900")
    assert single_collateral_price(flat("0.01"), D(0), D(8000), D("0.125")) is None


def test_liquidation_of_a_flex_position():
    assert flex_price(D("0.1"), D(84_000), D(1000), D(42)) == 74_420
    assert flex_price(D("-0.1"), D(84_000), D(1000), D(42)) == 93_580
    assert flex_price(D("0.05"), D(84_000), D(28_000), D(20)) is None
    assert flex_price(D(0), D(84_000), D(1), D(0)) is None


def test_distance_and_leverage():
    assert distance(D(100), D(80)) == D("-0.2")
    assert distance(D(100), None) is None
    assert effective_leverage(D(50), D(200)) == D("0.25")
    assert effective_leverage(D(50), D(0)) is None


def test_a_price_off_the_tick_is_told_its_neighbours():
    violation = price_violation(COIN, D("60000.3"))

    assert violation is not None
    assert (violation.below, violation.above) == (D("60000.0"), D("60000.5"))
    assert violation.sentence == "The price must be a multiple of 0.5: 60000 or 60000.5."
    assert price_violation(COIN, D("60000.50")) is None
    assert price_violation(PEPE, D("0.0000123456")) is None


@pytest.mark.parametrize(("price", "below", "above"), [("0", None, "0.5"), ("-1", None, "0.5"), ("0.2", None, "0.5")])
def test_a_price_below_the_first_tick_has_only_one_neighbour(price, below, above):
    violation = price_violation(COIN, D(price))

    assert violation is not None
    assert (violation.below, violation.above) == (below, D(above))


def test_a_size_is_checked_against_its_step_zero_and_the_largest():
    pepe, zero, large = size_violation(PEPE, D(1500)), size_violation(PERP, D(0)), size_violation(PERP, D(1201))

    assert pepe is not None
    assert (pepe.below, pepe.above) == (1000, 2000)
    assert zero is not None
    assert zero.above == D("0.0001")
    assert large is not None
    assert large.below == 1200
    assert size_violation(PERP, D("0.00010")) is None
    assert round_size_down(PERP, D("0.12349")) == D("0.1234")
    assert round_price(COIN, D("60000.25")) == D("60000.5")
    assert round_price(COIN, D("0.1")) == D("0.5")


def an_order(kind: OrderType, **changes: object) -> NewOrder:
    return NewOrder(client_id="c", symbol="PF_XBTUSD", side=Side.BUY, type=kind, size=D("0.01"), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("order", "fields"),
    [
        (an_order(OrderType.LIMIT, limit_price=D(60000)), []),
        (an_order(OrderType.LIMIT), ["limit_price"]),
        (an_order(OrderType.POST, limit_price=D("60000.5")), ["limit_price"]),
        (an_order(OrderType.MARKET), []),
        (an_order(OrderType.MARKET, limit_price=D(60000)), ["limit_price"]),
        (an_order(OrderType.STOP), ["stop_price"]),
        (an_order(OrderType.STOP, stop_price=D(59000)), []),
        (an_order(OrderType.STOP, stop_price=D(59000), limit_price=D(58999)), []),
        (an_order(OrderType.LIMIT, limit_price=D(1), stop_price=D(1)), ["stop_price"]),
        (an_order(OrderType.TRAILING_STOP), ["trailing_deviation"]),
        (
            an_order(OrderType.TRAILING_STOP, trailing_deviation=D("0.05"), trailing_unit="percent"),
            ["trailing_deviation"],
        ),
        (
            an_order(OrderType.TRAILING_STOP, trailing_deviation=D("1.5"), trailing_unit="quote"),
            ["trailing_deviation"],
        ),
        (an_order(OrderType.TRAILING_STOP, trailing_deviation=D(2), trailing_unit="percent"), []),
    ],
)
def test_each_type_of_order_takes_what_it_takes(order, fields):
    assert [violation.field for violation in order_violations(PERP, order)] == fields
