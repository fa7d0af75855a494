"""What reports add up, and how trades went: every figure against one worked by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal as D

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from krakenfutures.pnl import after_trade
from krakenfutures.values import ContractKind
from trading.report_sums import Line, hourly, report
from trading.trip_sums import Step, drawdown, first_in_first_out, statistics, trips

NOON = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)


def line(**changes: object) -> Line:
    known = {
        "at": NOON, "day": "2026-11-20", "symbol": "PF_XBTUSD", "member": "t@example.test", "currency": "USD",
        "realised": D(0), "fee": D(0), "funding": D(0), "other": D(0),
    }  # fmt: skip
    return Line(**(known | changes))  # type: ignore[arg-type]


LINES = [
    line(realised=D("12.5"), fee=D("0.75")),
    line(funding=D("-0.25"), day="2026-11-21", at=NOON + timedelta(days=1)),
    line(symbol="PI_XBTUSD", currency="BTC", realised=D("0.00273224"), fee=D("0.00000410"), member=""),
    line(other=D(1000), symbol="", member=""),
]
PRICES = hourly({("BTC", NOON.replace(minute=0)): D(60000)})


def test_net_is_realised_less_fees_plus_funding_and_what_moved_stands_apart() -> None:
    made = report(LINES, "currency", PRICES)
    usd = next(row.sums for row in made.totals if row.currency == "USD")
    assert (usd.realised, usd.fees, usd.funding, usd.net, usd.other) == (
        D("12.5"), D("0.75"), D("-0.25"), D("11.50"), D(1000),
    )  # fmt: skip


def test_coins_are_worth_their_index_at_the_beginning_of_the_hour() -> None:
    made = report(LINES, "symbol", PRICES)
    inverse = next(row.sums for row in made.rows if row.group == "PI_XBTUSD")
    assert inverse.usd == (D("0.00273224") - D("0.00000410")) * 60000
    assert made.usd == inverse.usd + D("11.50")


def test_an_hour_without_a_price_is_counted_and_left_out_of_dollars_only() -> None:
    made = report(LINES, "symbol", hourly({}))
    assert made.unpriced == 1
    assert made.usd == D("11.50")
    assert next(row.sums.net for row in made.rows if row.currency == "BTC") == D("0.00272814")


@pytest.mark.parametrize("by", ["day", "symbol", "member", "currency"])
def test_rows_add_up_to_the_totals_however_they_are_grouped(by: str) -> None:
    made = report(LINES, by, PRICES)
    for total in made.totals:
        rows = [row.sums for row in made.rows if row.currency == total.currency]
        for name in ("realised", "fees", "funding", "other", "usd", "entries"):
            assert sum(getattr(row, name) for row in rows) == getattr(total.sums, name)


def step(minute: int, old: str, new: str, price: str, realised: str = "0", fee: str = "0.1") -> Step:
    at = NOON + timedelta(minutes=minute)
    return Step(at, "PF_XBTUSD", "USD", D(old), D(new), D(price), D(realised), D(fee))


def test_a_round_trip_ends_at_zero_and_a_crossing_begins_another() -> None:
    steps = [
        step(0, "0", "2", "100"),
        step(5, "2", "3", "110"),
        step(9, "3", "-1", "120", "50"),  # closes three, opens one short
        step(30, "-1", "0", "125", "-5"),
    ]
    first, second = trips(steps)
    assert (first.side, first.result, first.held) == ("long", D("49.7"), timedelta(minutes=9))
    assert (second.side, second.result, second.held) == ("short", D("-5.1"), timedelta(minutes=21))
    (told,) = statistics([first, second])
    assert (told.count, told.won, told.lost, told.win_rate) == (2, 1, 1, D("0.5"))
    assert told.average == D("22.3")
    assert told.profit_factor is not None
    assert told.profit_factor.quantize(D("0.0001")) == D("9.7451")


def test_a_trip_whose_beginning_is_not_known_is_no_trip() -> None:
    assert list(trips([step(0, "2", "0", "100", "7")])) == []


def test_first_in_first_out_closes_the_oldest_lot() -> None:
    steps = [step(0, "0", "1", "100"), step(1, "1", "2", "200"), step(2, "2", "1", "300"), step(3, "1", "0", "300")]
    assert [one.amount for one in first_in_first_out(ContractKind.LINEAR, steps)] == [0, 0, D(200), D(100)]


def test_first_in_first_out_does_not_guess_what_came_before() -> None:
    with pytest.raises(ValueError, match="was not flat"):
        list(first_in_first_out(ContractKind.LINEAR, [step(0, "2", "1", "100")]))


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(st.sampled_from([-5, -3, -2, -1, 1, 2, 3, 5]), st.integers(1, 500)), min_size=1, max_size=30
    )
)  # fmt: skip
def test_both_methods_agree_once_flat(trades: list[tuple[int, int]]) -> None:
    """Linear: first in, first out and the average entry realise the same over a whole way from flat to flat."""
    size, entry, steps, booked = D(0), None, [], D(0)
    left = -sum(traded for traded, _ in trades)
    for number, (traded, price) in enumerate([*trades, (left, 77)]):
        if not traded:
            continue
        after = after_trade(ContractKind.LINEAR, size, entry, D(traded), D(price))
        steps.append(step(number, str(size), str(after.size), str(price)))
        booked += after.realised
        size, entry = after.size, after.entry
    assert size == 0
    found = sum((one.amount for one in first_in_first_out(ContractKind.LINEAR, steps)), D(0))
    assert abs(found - booked) < D("1e-15")


def test_the_deepest_fall_is_from_the_height_before_it() -> None:
    points = [(NOON + timedelta(hours=n), D(value)) for n, value in enumerate([100, 120, 90, 130, 110])]
    assert drawdown(points) == (D(30), D("0.25"))
    assert drawdown([]) == (0, None)
