"""How far a member may go: the rule by itself."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as some

from accounts.limits import Limits, limit_violations

AMOUNTS = some.decimals(0, 10**9, places=2)


def codes(limits: Limits, **changes: object) -> list[str]:
    order = {"symbol": "PF_XBTUSD", "notional": Decimal(1000), "reduce_only": False, "used": Decimal(0), **changes}
    return [refusal.code for refusal in limit_violations(limits, **order)]  # type: ignore[arg-type]


def test_without_limits_everything_goes() -> None:
    assert codes(Limits()) == []
    assert codes(Limits(), notional=None) == []


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        (Limits(largest_order=Decimal("999.99")), "limit_largest_order"),
        (Limits(daily_notional=Decimal("999.99")), "limit_daily_notional"),
        (Limits(instruments=frozenset({"PI_XBTUSD"})), "limit_instrument"),
        (Limits(reduce_only=True), "limit_reduce_only"),
    ],
)
def test_each_limit_refuses_with_its_own_code(limits: Limits, code: str) -> None:
    assert codes(limits) == [code]


def test_a_limit_that_is_just_reached_is_not_broken() -> None:
    limits = Limits(largest_order=Decimal(1000), daily_notional=Decimal(1500), instruments=frozenset({"PF_XBTUSD"}))
    assert codes(limits, used=Decimal(500)) == []
    assert codes(limits, used=Decimal("500.01")) == ["limit_daily_notional"]


def test_amounts_do_not_hold_up_an_order_that_only_reduces() -> None:
    limits = Limits(largest_order=Decimal(1), daily_notional=Decimal(1), reduce_only=True)
    assert codes(limits, reduce_only=True) == []


def test_a_zero_means_nothing_and_not_everything() -> None:
    assert codes(Limits(largest_order=Decimal(0))) == ["limit_largest_order"]


def test_without_a_price_an_amount_cannot_be_judged_so_it_is_refused() -> None:
    assert codes(Limits(largest_order=Decimal(10**9)), notional=None) == ["limit_no_price"]
    assert codes(Limits(reduce_only=False, instruments=frozenset({"PF_XBTUSD"})), notional=None) == []


@given(AMOUNTS, AMOUNTS, AMOUNTS)
def test_whatever_passes_stays_within_the_day(limit: Decimal, used: Decimal, notional: Decimal) -> None:
    passes = not codes(Limits(daily_notional=limit), notional=notional, used=used)
    assert passes == (used + notional <= limit)
