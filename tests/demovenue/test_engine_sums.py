"""The demo exchange's own formulas against the worked figures of the contract rules."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal as D
from random import Random

import pytest

from demovenue import sums
from demovenue.clock import to_micros
from demovenue.ids import Ids
from demovenue.instruments import listed, maturities

MARKETS = listed(datetime(2026, 11, 22, tzinfo=UTC))
INVERSE, LINEAR = True, False


@pytest.mark.parametrize(
    ("inverse", "size", "entry", "price", "expected"),
    [
        (INVERSE, "1", "40012.5", "40022.5", "6.24453493426E-9"),
        (INVERSE, "10000", "60000", "61000", "0.00273224043716"),
        (LINEAR, "0.5", "70.53", "68.80433882446", "-0.86283058777"),
        (LINEAR, "-0.021", "60504.43965517241", "60997", "-10.34376724"),
    ],
)
def test_profit(inverse, size, entry, price, expected):
    result = sums.profit(inverse, D(size), D(entry), D(price))
    assert result.quantize(D(expected)) == D(expected)


def test_average_entry_is_arithmetic_on_linear_and_harmonic_on_inverse_markets():
    size, entry = D("0.0214"), D("60505")
    for added, price in ((D("0.0002"), D("60504")), (D("0.0016"), D("60497"))):
        size, entry = size + added, sums.average_entry(LINEAR, size, entry, added, price)
    assert entry.quantize(D("1E-11")) == D("60504.43965517241")
    entry = sums.average_entry(INVERSE, D(1), D("413.3"), D(1), D("342.1"))
    assert entry.quantize(D("1E-13")) == D("374.3445326979084")


@pytest.mark.parametrize(
    ("inverse", "size", "price", "percent", "expected"),
    [
        (INVERSE, "1", "38508.5", "0.02", "5.20E-9"),
        (INVERSE, "5000", "364.65", "0.05", "0.00685588921"),
        (LINEAR, "0.001", "3162", "0.05", "0.001581"),
        (LINEAR, "250", "0.08105", "0.05", "0.01013125"),
    ],
)
def test_fee(inverse, size, price, percent, expected):
    assert sums.fee(inverse, D(size), D(price), D(percent)) == D(expected)


def test_usd_is_booked_to_four_decimals():
    assert sums.booked("usd", D("-10.34376724")) == D("-10.3438")
    assert sums.booked("usd", D("0.6404685")) == D("0.6405")


def test_margin_levels_are_brackets():
    inverse = MARKETS["PI_XBTUSD"].levels
    assert sums.bracket(inverse, D(1_000_000)) == 30_000
    assert (D(30_000) / 84_000).quantize(D("1E-9")) == D("0.357142857")
    assert sums.bracket(MARKETS["PF_XBTUSD"].levels, D(4_200_000)) == 98_000
    assert sums.bracket(MARKETS["PF_XBTUSD"].levels, D(4_200_000), maintenance=True) == 49_000
    assert sums.bracket(MARKETS["PF_LTCUSD"].levels, D("0.5") * D("70.53")) == D("0.7053")


@pytest.mark.parametrize(
    ("rate", "contracts", "entry", "balance", "expected"),
    [
        ("0.01", 1, "40012.5", "0.4", "2.52484"),
        ("0.01", 1000, "8000", "0.01", "7481.48"),
        ("0", 1000, "8000", "0.01", "7407.41"),
    ],
)
def test_inverse_liquidation_price(rate, contracts, entry, balance, expected):
    price = sums.inverse_trigger(D(rate) * contracts, D(contracts), contracts / D(entry), D(balance))
    assert price.quantize(D(expected)) == D(expected)


def test_a_short_inverse_liquidation_price():
    # N(1 − r) / (N/e − B)
    price = sums.inverse_trigger(D("0.01") * 1000, D(-1000), D(-1000) / 8000, D("0.01"))
    assert price == (D(1000) * D("0.99") / (D(1000) / 8000 - D("0.01")))


def test_linear_liquidation_price():
    assert sums.linear_threshold(D(84_000), D("0.1"), D(1_000), D(42)) == 74_420
    assert sums.linear_threshold(D(84_000), D("0.001"), D(1_000), D(42)) == 0


def test_funding():
    assert sums.absolute_rate(INVERSE, D("0.000874516826"), D(39906)).quantize(D("1E-13")) == D("2.19144E-8")
    assert sums.absolute_rate(LINEAR, D("0.0000186711875"), D("1752.7")).quantize(D("1E-6")) == D("0.032725")
    four_hours = D(4 * 3600)
    assert sums.funding_due(D(2), D("-8.7002552653E-8"), four_hours).quantize(D("1E-11")) == D("6.9602E-7")
    assert sums.booked("usd", sums.funding_due(D(250), D("9.288E-7"), D(3600))) == D("-0.0002")


def test_a_market_order_reaches_one_percent_rounded_towards_the_reference():
    assert sums.market_limit(True, D(66596), D(1)) == 67261
    assert sums.market_limit(False, D(66596), D(1)) == 65931


def test_order_ids_carry_their_time():
    at = datetime(2025, 12, 8, 9, 17, 17, 3000, UTC)
    ids = Ids(Random(1))
    first, second = ids.order(to_micros(at)), ids.order(to_micros(at))
    assert int(first.replace("-", "")[:12], 16) == to_micros(at) // 10
    assert first < second


def test_contracts_end_on_the_fridays_of_the_live_list():
    august = datetime(2026, 8, 8, 12, tzinfo=UTC)
    assert {f"{symbol}:{i.tag}" for symbol, i in listed(august).items() if i.maturity} == {
        "FF_XBTUSD_260814:week",
        "FF_ETHUSD_260814:week",
        "FF_XBTUSD_260828:month",
        "FF_ETHUSD_260828:month",
        "FF_SOLUSD_260828:month",
        "FI_XBTUSD_260828:month",
        "FI_ETHUSD_260828:month",
        "FI_LTCUSD_260828:month",
        "FI_XRPUSD_260828:month",
        "FF_XBTUSD_260925:quarter",
        "FF_ETHUSD_260925:quarter",
        "FF_SOLUSD_260925:quarter",
        "FI_XBTUSD_260925:quarter",
        "FI_ETHUSD_260925:quarter",
        "FI_LTCUSD_260925:quarter",
        "FI_XRPUSD_260925:quarter",
        "FF_XBTUSD_261225:semiannual",
        "FF_ETHUSD_261225:semiannual",
        "FI_XBTUSD_261225:semiannual",
        "FI_ETHUSD_261225:semiannual",
    }


def test_maturities_are_at_sixteen_in_london_or_eight_utc():
    november = datetime(2026, 11, 22, tzinfo=UTC)
    assert dict(maturities("FI_XBTUSD", november)) == {
        "month": datetime(2026, 11, 27, 16, tzinfo=UTC),
        "quarter": datetime(2026, 12, 25, 16, tzinfo=UTC),
        "semiannual": datetime(2027, 3, 26, 16, tzinfo=UTC),
    }
    assert dict(maturities("FI_LTCUSD", datetime(2026, 8, 8, tzinfo=UTC)))["month"].hour == 15
    weekly = dict(maturities("FF_XBTUSD", november))
    # The month ends on the next Friday: the week is the one after.
    assert (weekly["week"], weekly["month"]) == (
        datetime(2026, 12, 4, 8, tzinfo=UTC),
        datetime(2026, 11, 27, 8, tzinfo=UTC),
    )
    # With the month's own end being the quarter's, the next month is listed.
    assert dict(maturities("FF_SOLUSD", datetime(2026, 12, 1, tzinfo=UTC)))["month"].month == 1


def test_parameters_are_the_live_ones():
    assert (MARKETS["PF_XBTUSD"].tick, MARKETS["PF_XBTUSD"].lot) == (1, D("0.0001"))
    assert (MARKETS["PI_ETHUSD"].tick, MARKETS["PI_ETHUSD"].max_position) == (D("0.05"), 45_000_000)
    assert MARKETS["FF_XBTUSD_261225"].raw["lastTradingTime"] == "2026-12-25T08:00:00Z"
    assert MARKETS["FI_XBTUSD_261225"].wallet == "fi_xbtusd"
