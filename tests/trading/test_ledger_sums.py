"""The ledger's arithmetic: what a row did, what it leaves unexplained, and which row is the first."""

from __future__ import annotations

from decimal import Decimal as D

from trading.ledger_sums import ZERO, Money, Parts, Running

AT = "2026-11-22 12:00:00"


def row(
    number: int, old: str, new: str, pnl: str | None = None, fee: str | None = None, funding: str | None = None
) -> Money:
    return Money(number, D(old), D(new), *(None if one is None else D(one) for one in (pnl, fee, funding)))


def test_a_trade_moves_by_profit_less_fee_plus_funding_and_a_transfer_by_its_balances() -> None:
    first = row(1, "0", "100")
    running = Running.before(first, AT)
    assert running.take(first, AT) == Parts(D(100), ZERO, ZERO, ZERO, D(100), D(100), ZERO)
    trade = row(2, "100", "119.1579", "20", "0.84", "-0.0021")
    assert running.take(trade, AT) == Parts(D("19.1579"), D(20), D("0.84"), D("-0.0021"), ZERO, D("119.1579"), ZERO)
    assert (running.balance, running.residual, running.first_difference) == (D("119.1579"), ZERO, None)


def test_figures_that_do_not_make_the_change_are_named_once_and_the_residual_stays() -> None:
    running = Running.before(row(7, "10", "15", "6"), AT)
    running.take(row(7, "10", "15", "6"), AT)
    running.take(row(8, "15", "16"), AT)
    assert running.take(row(9, "16", "15", "-2"), AT).residual == 0  # a second mistake may hide the first
    assert running.first_difference == 7
    assert running.why == "The figures of #7 make 6, but its balances changed by 5."


def test_a_hole_between_balances_is_named_with_both_ends() -> None:
    running = Running.before(row(1, "0", "5"), AT)
    running.take(row(1, "0", "5"), AT)
    assert running.take(row(4, "9", "10"), AT).residual == D(4)
    assert (running.first_difference, running.entries) == (4, 2)
    assert running.why == ("Something is missing before #4: after #1 the venue's balance was 5, and #4 begins with 9.")
