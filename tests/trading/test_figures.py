"""The sums of the overview, against figures worked out by hand."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krakenfutures.values import (
    FlexAccount,
    MarginAccount,
    MarginLevel,
    MarginRequirements,
    Ticker,
    Wallets,
)
from tests.trading.desk import PF_XBTUSD, PI_XBTUSD
from trading.figures import (
    Distance,
    distance,
    estimated_liquidation,
    hours_away,
    margin_level,
    margin_share,
    return_on,
    totals,
    unrealised,
    usd_prices,
)


@dataclass
class Held:
    size: D
    entry: D
    liquidation_price: D | None = None


def flex(**changes: str) -> FlexAccount:
    sums = {
        "balance_value": "12000", "portfolio_value": "11900", "collateral_value": "11500", "initial_margin": "800",
        "initial_margin_with_orders": "1000", "maintenance_margin": "400", "pnl": "-90", "unrealised_funding": "-10",
        "total_unrealised": "-100", "total_unrealised_as_margin": "-100", "margin_equity": "11400",
        "available_margin": "10400", **changes,
    }  # fmt: skip
    return FlexAccount(holdings=(), **{name: D(value) for name, value in sums.items()})


def single(*, balance: str = "0.4", maintenance: str = "0.01", value: str = "0.4", **changes: object) -> MarginAccount:
    known = {
        "name": "fi_xbtusd", "currency": "BTC", "balance": D(balance), "portfolio_value": D(value),
        "available": D("0.38"), "pnl": D("0.002"), "unrealised_funding": D("0.001"),
        "requirements": MarginRequirements(initial=D("0.02"), maintenance=D(maintenance)),
    }  # fmt: skip
    return MarginAccount(**{**known, **changes})  # type: ignore[arg-type]


def test_everything_is_added_up_in_dollars() -> None:
    wallets = Wallets(cash={"BTC": D("0.1"), "USD": D(50)}, margin_accounts=(single(),), flex=flex())
    sums = totals(wallets, {"BTC": D(60000), "USD": D(1)})
    assert sums.equity == D(11900) + D("0.4") * 60000 + D("0.1") * 60000 + 50
    assert sums.available == D(10400) + D("0.38") * 60000
    assert sums.used == D(1000) + D("0.02") * 60000
    assert sums.maintenance == D(400) + D("0.01") * 60000
    assert sums.unrealised_pnl == D(-90) + D("0.002") * 60000
    assert sums.unrealised_funding == D(-10) + D("0.001") * 60000
    assert sums.missing == ()


def test_a_currency_without_a_price_is_named_and_not_guessed() -> None:
    wallets = Wallets(cash={"XRP": D(5), "EUR": D(0)}, margin_accounts=(single(),), flex=flex())
    sums = totals(wallets, {"USD": D(1)})
    assert sums.missing == ("BTC", "XRP")
    assert sums.equity == D(11900)


def test_the_level_is_that_of_the_account_nearest_to_liquidation() -> None:
    wallets = Wallets(cash={}, margin_accounts=(single(maintenance="0.38"),), flex=flex())
    assert (totals(wallets, {}).level, totals(wallets, {}).share) == ("critical", D("0.95"))


@pytest.mark.parametrize(
    ("maintenance", "equity", "word"),
    [
        ("0", "100", "healthy"), ("49.9", "100", "healthy"), ("50", "100", "caution"), ("70", "100", "warning"),
        ("90", "100", "critical"), ("100", "0", "critical"), ("1", "-5", "critical"), ("0", "-5", "healthy"),
    ],
)  # fmt: skip
def test_margin_levels_have_words(maintenance: str, equity: str, word: str) -> None:
    assert margin_level(D(maintenance), D(equity)) == word


@given(st.decimals("0.01", "1e6", places=2), st.decimals("0.01", "1e6", places=2), st.decimals("0.01", "10", places=2))
def test_more_equity_never_makes_the_level_worse(maintenance: D, equity: D, more: D) -> None:
    before, after = margin_share(maintenance, equity), margin_share(maintenance, equity + more)
    assert before is not None
    assert after is not None
    assert after < before


def test_prices_come_from_the_index_of_perpetuals() -> None:
    tickers = {"PF_XBTUSD": Ticker(symbol="PF_XBTUSD", index=D(60010), last=D(1))}
    assert usd_prices(tickers, [PF_XBTUSD, PI_XBTUSD]) == {"USD": D(1), "BTC": D(60010)}
    assert usd_prices({}, [PF_XBTUSD]) == {"USD": D(1)}


def test_the_distance_to_liquidation_is_told_in_price_and_in_share() -> None:
    held = Held(D("0.1"), D(84000), liquidation_price=D(63000))
    assert distance(held, D(84000)) == Distance(D(-21000), D("0.25"))
    assert distance(Held(D(-1), D(84000), liquidation_price=D(105000)), D(84000)) == Distance(D(21000), D("0.25"))
    assert distance(Held(D(1), D(84000)), D(84000)) is None
    assert distance(held, None) is None


def test_a_result_is_in_the_coin_for_inverse_contracts_and_in_dollars_for_linear_ones() -> None:
    amount, currency = unrealised(Held(D(10000), D(60000)), PI_XBTUSD, D(61000))
    assert (amount.quantize(D("1e-14")), currency) == (D("0.00273224043716"), "BTC")
    assert unrealised(Held(D("0.5"), D("70.53")), PF_XBTUSD, D("68.8")) == (D("-0.865"), "USD")


def test_a_liquidation_price_nobody_said_is_estimated() -> None:
    held = Held(D("0.1"), D(84000))
    wallets = Wallets(cash={}, margin_accounts=(), flex=flex(margin_equity="1000", maintenance_margin="42"))
    assert estimated_liquidation(held, PF_XBTUSD, wallets, D(84000)) == D(74420)  # the worked example
    assert estimated_liquidation(held, PF_XBTUSD, None, D(84000)) is None
    assert estimated_liquidation(held, PF_XBTUSD, wallets, None) is None


def test_an_inverse_one_comes_from_the_venues_estimate_or_from_the_formula() -> None:
    held = Held(D(1000), D(8000))
    levels = (MarginLevel(start=D(0), initial=D("0.02"), maintenance=D("0.01")),)
    account = single(balance="0.01", unrealised_funding=D(0))
    bare = Wallets(cash={}, margin_accounts=(account,), flex=None)
    assert PI_XBTUSD.margin_levels == levels
    price = estimated_liquidation(held, PI_XBTUSD, bare, D(8000))
    assert price is not None
    assert price.quantize(D("0.01")) == D("7481.48")  # the support page's example
    told = single(trigger_estimates=MarginRequirements(initial=D(3110), maintenance=D(3000)))
    assert (
        estimated_liquidation(held, PI_XBTUSD, Wallets(cash={}, margin_accounts=(told,), flex=None), D(8000)) == 3000
    )


def test_a_result_is_a_share_of_the_margin_it_takes() -> None:
    assert return_on(D(200), D(-50)) == D("-0.25")
    assert return_on(None, D(1)) is None
    assert return_on(D(0), D(1)) is None
    assert return_on(D(200), None) is None


def test_a_way_is_told_in_hours_of_the_last_days_volatility() -> None:
    """A day between 98 and 102 has a deviation of 2.40 %; 10 % down is 4.39 of them; time grows squared."""
    assert hours_away(D(100), D(90), D(102), D(98)) == 462
    assert hours_away(D(100), D("97.63"), D(102), D(98)) == 24
    assert hours_away(D(100), D(110), D(102), D(98)) == 378


@pytest.mark.parametrize(
    "given",
    [(None, 90, 102, 98), (100, None, 102, 98), (100, 90, None, 98), (100, 90, 100, 100), (100, -5, 102, 98)],
)
def test_without_a_range_or_a_price_there_is_no_time(given: tuple[int | None, ...]) -> None:
    assert hours_away(*(None if one is None else D(one) for one in given)) is None
