"""Candles of every market: the sketched past, the minutes that were lived, and the one that is running."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from decimal import ROUND_HALF_EVEN, Decimal
from functools import partial
from itertools import takewhile

from demovenue.clock import to_millis
from demovenue.floor import Floor
from demovenue.market import Market
from demovenue.marks import basis
from demovenue.sketch import Bar, Sketch, minutes
from demovenue.values import Candle, Refused
from demovenue.walk import COINS

RESOLUTIONS = {
    "1m": 1,
    "5m": 5,
    "15m": 15,
    "30m": 30,
    "1h": 60,
    "4h": 240,
    "12h": 720,
    "1d": 1440,
    "1w": 10080,
}
TICK_TYPES = ("spot", "mark", "trade")
MONDAY = 4 * 1440  # weeks begin on Mondays; the epoch did on a Thursday
MAX_CANDLES = 5000
ZERO = Decimal(0)


class Running:
    """The bar of the minute that is not over."""

    __slots__ = ("close", "high", "low", "minute", "open", "volume")

    def __init__(self, minute: int, price: Decimal) -> None:
        self.minute = minute
        self.open = self.high = self.low = self.close = price
        self.volume = ZERO

    def see(self, price: Decimal, volume: Decimal) -> None:
        self.high = max(self.high, price)
        self.low = min(self.low, price)
        self.close = price
        self.volume += volume


class Charts:
    def __init__(self, floor: Floor, sketch: Sketch, hourly_volume: Callable[[Market], float]) -> None:
        self._floor = floor
        self._sketch = sketch
        self._hourly_volume = hourly_volume
        self.running: dict[str, Running] = {}

    # --- recording ---------------------------------------------------------------------------------------------

    def see(self, series: str, price: Decimal, volume: Decimal = ZERO) -> None:
        minute = self._floor.micros // 60_000_000
        bar = self.running.get(series)
        if bar is None or bar.minute != minute:
            if bar is not None:
                self._close(series, bar)
            bar = self.running[series] = Running(minute, price)
        bar.see(price, volume)

    def unfinished(self) -> dict[str, list[str]]:
        """The running bars of the indexes and marks, to be written down."""
        return {
            series: [str(bar.minute), *(f"{value:f}" for value in (bar.open, bar.high, bar.low, bar.close))]
            for series, bar in self.running.items()
            if not series.startswith("trade:")
        }

    def resume(self, unfinished: dict[str, list[str]]) -> None:
        """After a restart: what was unfinished goes on; bars of trades are read from the tape, which is whole."""
        for series, (minute, open_, *others) in unfinished.items():
            bar = self.running[series] = Running(int(minute), Decimal(open_))
            for value in others:
                bar.see(Decimal(value), ZERO)
        for market in self._floor.markets.values():
            self._resume_trades(market)

    def _resume_trades(self, market: Market) -> None:
        if not market.tape:
            return
        minute = to_millis(market.tape[-1].at) // 60_000
        trades = takewhile(lambda trade: to_millis(trade.at) // 60_000 == minute, reversed(market.tape))
        for number, trade in enumerate(reversed(list(trades))):
            if number == 0:
                self.running[f"trade:{market.symbol}"] = Running(minute, trade.price)
            self.running[f"trade:{market.symbol}"].see(trade.price, trade.size)

    def _close(self, series: str, bar: Running) -> None:
        values = [f"{value:f}" for value in (bar.open, bar.high, bar.low, bar.close, bar.volume)]
        self._floor.store.put(
            "INSERT OR REPLACE INTO bars VALUES (?, ?, 1, ?, ?, ?, ?, ?)", series, bar.minute, *values
        )

    def leap(self, series: str, bar: Bar) -> None:
        """A stretch that was jumped over, as one bar. It begins where the running minute ended."""
        before = self.running.pop(series, None)
        if before is not None:
            self._close(series, before)
        values = [f"{value:.10f}" for value in bar[2:]]
        sql = "INSERT OR IGNORE INTO bars VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
        self._floor.store.put(sql, series, bar.minute, bar.span, *values)

    # --- reading -----------------------------------------------------------------------------------------------

    def symbols(self, tick_type: str) -> list[str]:
        if tick_type not in TICK_TYPES:
            raise Refused("invalidArgument")
        return list(self._floor.markets)

    def candles(
        self, tick_type: str, symbol: str, resolution: str, since: int | None, until: int | None, count: int
    ) -> tuple[list[Candle], bool]:
        market = self._floor.markets.get(symbol)
        if market is None:
            raise Refused("notFound")
        span = RESOLUTIONS.get(resolution)
        if span is None or tick_type not in TICK_TYPES:
            raise Refused("invalidArgument")
        count = min(count, MAX_CANDLES)
        now = self._floor.clock.micros() // 60_000_000
        last = min(now, until // 60) if until is not None else now
        oldest = self._bucket(last, span) - span * (count - 1)
        first = max(oldest, self._bucket(-(-since // 60), span)) if since is not None else oldest
        cut = since is not None and self._bucket(-(-since // 60), span) < oldest
        bars = self._bars(tick_type, market, first, last, span)
        return list(self._aggregate(tick_type, market, bars, span)), cut

    @staticmethod
    def _bucket(minute: int, span: int) -> int:
        offset = MONDAY if span == 10080 else 0
        return (minute - offset) // span * span + offset

    def day(self, market: Market) -> Iterator[Bar]:
        """The trade minutes of the last 24 hours, for the ticker."""
        now = self._floor.micros // 60_000_000
        return self._bars("trade", market, now - 1440, now, 1)

    def recent(self, market: Market, since: int) -> Iterator[Bar]:
        """The trade minutes since one minute."""
        return self._bars("trade", market, since, self._floor.micros // 60_000_000, 1)

    def _bars(self, tick_type: str, market: Market, first: int, last: int, span: int) -> Iterator[Bar]:
        """Base bars between two minutes, ascending, none longer than `span`."""
        series = series_of(tick_type, market)
        for bar in self._stored(series, tick_type, market, first, last):
            if bar.span <= span and self._bucket(bar.minute, span) == self._bucket(bar.minute + bar.span - 1, span):
                yield bar
            else:
                yield from (m for m in minutes(bar, series.split(":")[-1]) if first <= m.minute <= last)

    def _stored(self, series: str, tick_type: str, market: Market, first: int, last: int) -> Iterator[Bar]:
        if first < self._sketch.last_minute:
            for bar in self._past_of(tick_type, market, first):
                if bar.minute + bar.span > first and bar.minute <= last:
                    yield bar
        sql = (
            "SELECT minute, span, open, high, low, close, volume FROM bars"
            " WHERE series = ? AND minute > ? AND minute <= ? ORDER BY minute"
        )
        for minute, length, *values in self._floor.store.rows(sql, series, first - 60, last):
            if minute + length > first:
                yield Bar(minute, length, *(float(value) for value in values))
        running = self.running.get(series)
        if running is not None and first <= running.minute <= last:
            values = [float(v) for v in (running.open, running.high, running.low, running.close, running.volume)]
            yield Bar(running.minute, 1, *values)

    def past_premiums(self, market: Market) -> Iterator[tuple[int, Decimal, Decimal]]:
        """(minute, relative funding rate, index) of every sketched full hour."""
        for bar in self._sketch.coin(market.instrument.coin):
            if bar.minute % 60 == 0:
                relative = market.relative_rate(self.past_premium(market, bar.minute))
                yield bar.minute, relative, Decimal(bar.open).quantize(COINS[market.instrument.coin][1])

    def past_premium(self, market: Market, minute: int) -> float:
        """Mark ÷ index − 1 at a minute before the opening."""
        return self._sketch.premium(market.symbol, minute, basis(market, minute))

    def open_interest(self, market: Market, since: int, until: int, interval: int) -> list[Candle]:
        """Epoch seconds. Drawn backwards from what is open now; it is nobody's money."""
        span = interval // 60
        now = self._floor.micros // 60_000_000
        first, last = self._bucket(-(-since // 60), span), min(now, until // 60)
        level, lot = float(market.open_interest), market.instrument.lot
        found: list[Candle] = []
        for start in range(self._bucket(last, span), first - 1, -span):
            rng = random.Random(f"{market.symbol}:{start}:{span}")
            before = level * (1 + 0.0004 * span**0.5 * rng.gauss(0, 1))
            high, low = max(level, before) * 1.0002, min(level, before) * 0.9998
            found.append(candle(start, before, high, low, level, 0.0, lot, lot))
            level = before
        found.reverse()
        return found

    def _past_of(self, tick_type: str, market: Market, first: int) -> list[Bar]:
        """The sketched bars from a minute on."""
        instrument = market.instrument
        if tick_type == "spot":
            return [bar._replace(volume=0.0) for bar in self._sketch.coin(instrument.coin, first)]
        bars = self._sketch.mark(market.symbol, instrument.coin, partial(basis, market), first)
        hourly = self._hourly_volume(market) if tick_type == "trade" else 0.0
        return [bar._replace(volume=bar.volume * hourly * bar.span / 60) for bar in bars]

    def _aggregate(self, tick_type: str, market: Market, bars: Iterable[Bar], span: int) -> Iterator[Candle]:
        step = price_step(tick_type, market)
        lot = market.instrument.lot
        open_ = high = low = close = volume = 0.0
        bucket: int | None = None
        for bar in bars:
            start = self._bucket(bar.minute, span)
            if start != bucket:
                if bucket is not None:
                    yield candle(bucket, open_, high, low, close, volume, step, lot)
                    # A minute without a trade stays where the last one closed.
                    for silent in range(bucket + span, start, span):
                        yield candle(silent, close, close, close, close, 0.0, step, lot)
                bucket, open_, high, low, volume = start, bar.open, bar.high, bar.low, 0.0
            high, low, close = max(high, bar.high), min(low, bar.low), bar.close
            volume += bar.volume
        if bucket is not None:
            yield candle(bucket, open_, high, low, close, volume, step, lot)


def candle(
    minute: int, open_: float, high: float, low: float, close: float, volume: float, step: Decimal, lot: Decimal
) -> Candle:
    def whole(value: float, unit: Decimal) -> Decimal:
        return (Decimal(repr(value)) / unit).to_integral_value(ROUND_HALF_EVEN) * unit

    return Candle(
        time=minute * 60_000,
        open=whole(open_, step),
        high=whole(high, step),
        low=whole(low, step),
        close=whole(close, step),
        volume=whole(volume, lot),
    )


def series_of(tick_type: str, market: Market) -> str:
    return f"spot:{market.instrument.coin}" if tick_type == "spot" else f"{tick_type}:{market.symbol}"


def price_step(tick_type: str, market: Market) -> Decimal:
    """What the prices of a series are multiples of."""
    if tick_type == "spot":
        return COINS[market.instrument.coin][1]
    return market.instrument.tick if tick_type == "trade" else market.mark_step
