"""Index, mark and funding: where they come from, and that no two markets are the same."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D

import pytest

from demovenue.exchange import Exchange
from demovenue.marks import AVERAGED_SECONDS, basis, impact_premium
from tests.demovenue.engine_world import BTC, START, World


@pytest.fixture
def world():
    world = World()
    yield world
    world.exchange.close()


def market_of(world, symbol=BTC):
    return world.exchange._parts.floor.markets[symbol]


def impact_mid(book, size):
    """Kraken's definition, reckoned from the outside."""
    total = D(0)
    for side in (book.bids, book.asks):
        left, cost = size, D(0)
        for price, standing in side:
            part = min(left, standing)
            left, cost = left - part, cost + part * price
        assert left == 0
        total += cost / size
    return total / 2


def test_the_premium_of_the_book_is_that_of_its_impact_mid(world):
    world.pass_seconds(5)
    for symbol in (BTC, "PI_XBTUSD", "PF_LTCUSD"):
        market = market_of(world, symbol)
        mid = impact_mid(world.exchange.book(symbol), market.instrument.impact_mid_size)
        assert abs(impact_premium(market) - float(mid / market.index - 1)) < 1e-9


def test_people_move_the_impact_mid_and_a_thin_book_has_none(world):
    market = market_of(world)
    before = impact_premium(market)
    top = world.best("sell")
    world.send("lmt", "buy", "1", top - 1)  # larger than the impact size, just below the best ask
    assert impact_premium(market) >= before
    assert impact_premium(market) == pytest.approx(float((top - D("0.5")) / market.index - 1), abs=2e-5)
    world.exchange._parts.simulation.makers[BTC].withdraw()
    assert impact_premium(market) is None


def test_the_average_closes_half_a_gap_in_about_twenty_seconds(world):
    market = market_of(world)
    market.lean = 0.004
    for _ in range(21):
        market.lean = 0.004  # the walk would draw it back
        world.exchange.advance(D(1))
    assert AVERAGED_SECONDS == 30
    assert 0.0015 < market.premium < 0.0027
    assert abs(float(market.mark / market.index - 1) - market.premium) < 1e-7


def test_no_book_moves_a_mark_by_more_than_a_percent(world):
    market = market_of(world)
    for _ in range(300):
        market.lean = 0.05
        world.exchange.advance(D(1))
    assert market.premium <= basis(market, int(world.exchange.now().timestamp()) // 60) + 0.0101


def test_every_perpetual_has_a_funding_rate_of_its_own_from_the_first_minute():
    exchange = Exchange(None, seed=1, start=START + timedelta(minutes=20), manual=True)
    tickers = [t for t in exchange.tickers() if t.funding_rate is not None]
    assert len(tickers) == 9
    for name in ("relative_funding_rate", "relative_funding_rate_prediction"):
        rates = [getattr(t, name) for t in tickers]
        assert len(set(rates)) == 9
        assert all(abs(rate) < D("0.0001") for rate in rates)
        assert 1 <= sum(rate > 0 for rate in rates) <= 8
    assert all(t.relative_funding_rate != t.relative_funding_rate_prediction for t in tickers)
    for ticker in tickers:
        history = exchange.funding_rates(ticker.symbol)
        assert (history[-1].relative, history[-1].absolute) == (ticker.relative_funding_rate, ticker.funding_rate)
        assert history[-1].at == START.replace(second=0)
        assert len({rate.relative for rate in history[-100:]}) == 100
    exchange.close()


def test_the_rate_of_an_hour_is_an_eighth_of_the_average_premium_before(world):
    market = market_of(world)
    world.exchange.advance(D(3540))
    predicted = market.predicted_relative()
    assert abs(predicted - D(market.premium_sum / market.premium_seconds) / 8) < D("1E-11")
    world.exchange.advance(D(60))
    rate = world.exchange.funding_rates(BTC)[-1]
    assert rate.relative == market.funding_relative
    assert abs(rate.relative - predicted) < D("0.00001")
    assert rate.at == START.replace(hour=13, second=0)


def test_a_running_clock_stamps_the_hour_as_the_full_hour():
    exchange = Exchange(None, seed=1, start=START.replace(minute=59, second=58), speed=D(1000))
    trader = exchange.sign_up().account.uid
    while exchange.now() < START.replace(hour=15, minute=1):
        exchange.step()
        exchange.fund(trader, wallet="cash", currency="usd", amount=D(1))
    exchange.step()  # the last minute may have passed since
    assert [r.at.isoformat()[11:] for r in exchange.funding_rates(BTC)[-3:]] == [
        f"{hour}:00:00+00:00" for hour in (13, 14, 15)
    ]
    times = [entry.at for entry in exchange.account_log(trader, ascending=True)]
    assert times == sorted(times)
    exchange.close()
