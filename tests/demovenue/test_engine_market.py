"""The market that nobody runs: believable, reproducible, cheap, and in agreement with itself."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D
from itertools import pairwise
from time import perf_counter, process_time

import pytest

from demovenue.events import BookDelta, Traded
from demovenue.exchange import Exchange
from demovenue.values import Refused
from tests.demovenue.engine_world import BTC, START, World, open_exchange, replay


@pytest.fixture
def world():
    world = World()
    yield world
    world.exchange.close()


def tape(exchange: Exchange) -> list[tuple[str, D, D, str]]:
    for _ in range(40):
        exchange.advance(D("0.25"))
    exchange.advance(D(4000))
    return [(t.side, t.price, t.size, t.uid) for t in exchange.trades(BTC, limit=500)]


def test_the_same_seed_start_and_calls_give_the_same_tape():
    assert tape(open_exchange(seed=3)) == tape(open_exchange(seed=3))
    assert tape(open_exchange(seed=3)) != tape(open_exchange(seed=4))


def test_every_book_is_deep_tight_and_not_crossed(world):
    for _ in range(3):
        for instrument in world.exchange.instruments():
            book = world.exchange.book(instrument.symbol)
            assert len(book.bids) >= 20
            assert len(book.asks) >= 20
            (bid, _), (ask, _) = book.bids[0], book.asks[0]
            assert bid < ask
            assert (ask - bid) / bid < D("0.002")
            assert all(price % instrument.tick == 0 and size % instrument.lot == 0 for price, size in book.bids)
            assert [p for p, _ in book.bids] == sorted((p for p, _ in book.bids), reverse=True)
        world.pass_seconds(20)


def test_prices_move_and_trades_are_made_within_seconds(world):
    before = {t.symbol: t.mark for t in world.exchange.tickers()}
    world.pass_seconds(30)
    after = world.exchange.tickers()
    assert all(ticker.mark != before[ticker.symbol] for ticker in after)
    trades = [e.trade for e in world.heard if isinstance(e, Traded)]
    assert len({trade.symbol for trade in trades}) > 5
    assert [t.seq for t in trades if t.symbol == BTC] == sorted({t.seq for t in trades if t.symbol == BTC})


def test_deltas_replay_to_the_book(world):
    before = {s: world.exchange.book(s) for s in (BTC, "PI_ETHUSD", "PF_LTCUSD")}
    world.heard.clear()
    world.send("mkt", "buy", "0.5")
    world.pass_seconds(15)
    world.send("lmt", "sell", "0.3", world.best("sell") + 2)
    world.exchange.set_mark(BTC, percent=D(-3))
    world.pass_seconds(5)
    world.exchange.advance(D(7200))
    world.exchange.cancel_all(world.trader)
    for symbol, snapshot in before.items():
        first = next(e for e in world.heard if isinstance(e, BookDelta) and e.symbol == symbol)
        assert first.seq == snapshot.seq + 1
        sides = replay(world.heard, symbol, {True: dict(snapshot.bids), False: dict(snapshot.asks)})
        now = world.exchange.book(symbol)
        assert sides == {True: dict(now.bids), False: dict(now.asks)}


def test_a_held_mark_stands_until_it_is_released(world):
    other = world.exchange.ticker("PI_XBTUSD").mark
    assert world.exchange.set_mark(BTC, price=D(81000)) == 81000
    ticker = world.exchange.ticker(BTC)
    assert (ticker.mark, ticker.index) == (81000, 81000)
    assert abs(world.best("buy") - 81000) < 50
    assert world.exchange.ticker("PI_XBTUSD").mark < other
    world.pass_seconds(10)
    assert world.exchange.ticker(BTC).mark == 81000
    world.exchange.release_mark(BTC)
    world.pass_seconds(5)
    ticker = world.exchange.ticker(BTC)
    assert ticker.mark != 81000
    assert abs(ticker.mark / 81000 - 1) < D("0.02")
    with pytest.raises(Refused):
        world.exchange.set_mark(BTC, price=D(-5))


def test_a_resting_order_fills_when_the_price_comes(world):
    world.send("lmt", "buy", "0.1", "82000")
    world.exchange.set_mark(BTC, price=D(81900))
    assert world.position() == D("0.1")
    assert world.exchange.fills(world.trader)[0].fill_type == "maker"
    world.send("lmt", "sell", "0.1", "85000")
    world.exchange.release_mark()
    world.exchange._parts.simulation.walk.prices["XBT"] = 86000.0
    world.exchange.advance(D(7200))
    assert world.position() == 0, "also during a jump of the clock"


# --- candles ---


def aggregate(candles, span_ms):
    rows = {}
    for c in candles:
        row = rows.setdefault(c.time // span_ms * span_ms, [c.open, c.high, c.low, c.close, D(0)])
        row[1], row[2], row[3] = max(row[1], c.high), min(row[2], c.low), c.close
        row[4] += c.volume
    return rows


@pytest.mark.parametrize("tick_type", ["trade", "mark", "spot"])
@pytest.mark.parametrize(("fine", "coarse", "span"), [("1m", "1h", 60), ("5m", "1h", 60), ("1h", "1d", 1440)])
def test_resolutions_agree_with_each_other(world, tick_type, fine, coarse, span):
    world.pass_seconds(130)
    world.exchange.advance(D(4 * 3600 + 77))
    now = int(world.exchange.now().timestamp())
    since = now // (span * 60) * span * 60 - (86400 if span == 60 else 10 * 86400)
    small, _ = world.exchange.candles(tick_type, "PF_ETHUSD", fine, since=since, until=None, count=5000)
    large, _ = world.exchange.candles(tick_type, "PF_ETHUSD", coarse, since=since, until=None, count=5000)
    rows = aggregate(small, span * 60_000)
    assert [c.time for c in large] == list(rows)
    for candle in large:
        open_, high, low, close, volume = rows[candle.time]
        assert (candle.open, candle.high, candle.low, candle.close) == (open_, high, low, close)
        # Each small candle's volume is rounded to the lot.
        assert abs(candle.volume - volume) <= D("0.001") * span
        assert candle.low <= min(candle.open, candle.close) <= max(candle.open, candle.close) <= candle.high


def test_ninety_days_are_there_at_the_first_start(world):
    for resolution, span in (("1h", 3600), ("1d", 86400)):
        candles, _ = world.exchange.candles("trade", BTC, resolution, since=None, until=None, count=5000)
        assert candles[0].time / 1000 <= START.timestamp() - 89 * 86400
        assert all(b.time - a.time == span * 1000 for a, b in pairwise(candles))
        assert all(b.open == a.close for a, b in pairwise(candles))


def test_candles_are_cut_from_the_old_end_and_say_so(world):
    now = int(world.exchange.now().timestamp())
    candles, more = world.exchange.candles("mark", BTC, "1m", since=now - 86400, until=now, count=100)
    assert (len(candles), more) == (100, True)
    assert candles[-1].time // 60_000 == now // 60
    for wrong in (("nope", BTC, "1m"), ("mark", BTC, "2m")):
        with pytest.raises(Refused, match="invalidArgument"):
            world.exchange.candles(*wrong, since=None, until=None)
    with pytest.raises(Refused, match="notFound"):
        world.exchange.candles("mark", "PF_NOPEUSD", "1m", since=None, until=None)


def test_live_trades_enter_the_running_candle(world):
    world.send("mkt", "buy", "0.2")
    bought = world.exchange.fills(world.trader)
    candle = world.exchange.candles("trade", BTC, "1m", since=None, until=None)[0][-1]
    assert candle.volume >= D("0.2")
    assert candle.high >= max(f.price for f in bought)


# --- tickers, trades, funding history ---


def test_tickers_know_their_day_from_the_start(world):
    for ticker in world.exchange.tickers():
        assert ticker.volume > 0
        assert ticker.low <= ticker.vwap <= ticker.high
        assert ticker.last is not None
        assert ticker.index > 0
        assert (ticker.funding_rate is None) == (ticker.maturity is not None)
    before = world.exchange.ticker(BTC).volume
    world.send("mkt", "buy", "0.2")
    assert world.exchange.ticker(BTC).volume == before + D("0.2")


def test_open_interest_is_in_whole_contracts(world):
    world.pass_seconds(5)
    for symbol, tradeable in (("PI_XBTUSD", D(1)), (BTC, D("0.0001"))):
        assert world.exchange.ticker(symbol).open_interest % tradeable == 0


def test_the_last_hour_of_trades_is_there_at_the_first_start(world):
    trades = world.exchange.trades(BTC, limit=1000)
    assert trades[0].at <= world.exchange.now()
    assert trades[-1].at < world.exchange.now() - timedelta(minutes=50)
    assert [t.at for t in trades] == sorted((t.at for t in trades), reverse=True)
    page = world.exchange.trades(BTC, before=trades[10].at, limit=5)
    assert page[0].at < trades[10].at


def test_funding_history_goes_back_ninety_days_and_on(world):
    before = world.exchange.funding_rates(BTC)
    assert len(before) >= 90 * 24
    world.exchange.advance(D(3 * 3600))
    after = world.exchange.funding_rates(BTC)
    assert len(after) == len(before) + 3
    assert all(b.at - a.at == timedelta(hours=1) for a, b in pairwise(after))
    with pytest.raises(Refused, match="invalidArgument"):
        world.exchange.funding_rates("FF_XBTUSD_261225")


def test_a_week_passes_in_bounded_work(world):
    started = perf_counter()
    world.exchange.advance(D(7 * 86400))
    assert perf_counter() - started < 3
    assert world.exchange.now() == START + timedelta(days=7)


def test_the_whole_market_is_cheap(world):
    started = process_time()
    for _ in range(160):
        world.exchange.advance(D("0.25"))
    # 40 seconds of 17 markets within 12 % of them.
    assert process_time() - started < 40 * 0.12


def test_a_recorded_index_is_played_from_the_opening_on(tmp_path):
    recorded = tmp_path / "prices.csv"
    recorded.write_text("time,price\n2020-01-01T00:00:00Z,50000\n2020-01-01T00:01:00Z,51000\n")
    exchange = Exchange(None, seed=1, start=START, manual=True, replay=recorded)
    assert exchange.ticker(BTC).index == 50000
    for _ in range(30):
        exchange.advance(D(1))
    assert exchange.ticker("PI_XBTUSD").index == 50500
    exchange.advance(D(7200))
    assert exchange.ticker(BTC).index == 51000


def test_a_recording_may_do_without_a_header(tmp_path):
    recorded = tmp_path / "prices.csv"
    for text in ("1577836800,50000\n1577836860,51000\n", "Price,x,Time\n50000,,1577836800\n51000,,1577836860\n"):
        recorded.write_text(text)
        exchange = Exchange(None, seed=1, start=START, manual=True, replay=recorded)
        exchange.advance(D(30))
        assert exchange.ticker(BTC).index == 50500


@pytest.mark.parametrize("text", ["", "time,price\n", "when,what\n1,2\n", "1577836800\n", "1577836800,-1\n", "1,x\n"])
def test_what_is_no_recording_is_refused(tmp_path, text):
    nothing = tmp_path / "nothing.csv"
    nothing.write_text(text)
    with pytest.raises(ValueError):
        Exchange(None, replay=nothing)


def test_a_recording_goes_on_after_a_restart(tmp_path):
    recorded = tmp_path / "prices.csv"
    recorded.write_text("1577836800,50000\n1577837800,51000\n")
    exchange = Exchange(tmp_path / "data", seed=1, start=START, manual=True, replay=recorded)
    exchange.advance(D(500))
    exchange.close()
    again = Exchange(tmp_path / "data", seed=1, start=START, manual=True, replay=recorded)
    assert again.ticker(BTC).index == 50500
    again.advance(D(100))
    assert again.ticker(BTC).index == 50600
    again.close()


def test_the_tape_does_not_depend_on_how_often_it_is_looked_at():
    often, seldom = open_exchange(seed=5), open_exchange(seed=5)
    for _ in range(60):
        often.advance(D("0.125"))
    seldom.advance(D("7.5"))
    assert [t.uid for t in often.trades(BTC)] == [t.uid for t in seldom.trades(BTC)]
    assert often.book(BTC).bids == seldom.book(BTC).bids


def test_a_running_clock_makes_the_same_tape_as_a_standing_one():
    running = Exchange(None, seed=5, start=START, speed=D(4))
    deadline = perf_counter() + 10
    while running.now() < START + timedelta(seconds=3) and perf_counter() < deadline:
        running.step()
    standing = open_exchange(seed=5)
    standing.advance(D(3))
    until = START + timedelta(seconds=2.5)
    tapes = [[t.uid for t in e.trades(BTC, limit=500) if t.at < until] for e in (running, standing)]
    assert tapes[0] == tapes[1]
