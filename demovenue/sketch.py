"""The time before the exchange opened: 90 days of hours per coin, made from the seed, minutes only when asked for.

An hour is drawn first (open, high, low, close, volume); its minutes are a bridge inside it that keeps all five. So
every resolution agrees with every other, and a year of nothing costs nothing. Floats: these are pictures, not money.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from demovenue.walk import COINS, YEAR

DAYS = 90
HOUR = 60


class Bar(NamedTuple):
    """`minute` since the epoch, `span` minutes long."""

    minute: int
    span: int
    open: float
    high: float
    low: float
    close: float
    volume: float


class Sketch:
    """Ends at `last_minute` with `prices` (coin → price); the same seed and end give the same past."""

    def __init__(self, seed: str, last_minute: int, prices: dict[str, float]) -> None:
        self._seed = seed
        self.last_minute = last_minute
        self._prices = prices
        self.coin = lru_cache(maxsize=None)(self._coin)
        self.heat = lru_cache(maxsize=None)(self._heat)

    def _spans(self) -> list[tuple[int, int]]:
        """(minute, span), ascending: whole hours and the begun one."""
        hour = self.last_minute // HOUR * HOUR
        spans = [(hour - HOUR * back, HOUR) for back in range(DAYS * 24, 0, -1)]
        return [*spans, (hour, self.last_minute - hour)] if self.last_minute > hour else spans

    def _heat(self) -> tuple[list[float], list[float]]:
        """Common moves and volatility of every span, shared by all coins."""
        rng = random.Random(f"{self._seed}:weather")
        moves, heats, heat = [], [], 0.0
        for _ in self._spans():
            heat = 0.96 * heat + 0.16 * rng.gauss(0, 1)
            moves.append(rng.gauss(0, 1))
            heats.append(math.exp(heat))
        return moves, heats

    def _coin(self, coin: str) -> list[Bar]:
        """Backwards from the price of the opening, as an index."""
        rng = random.Random(f"{self._seed}:{coin}")
        _, _, volatility, share = COINS[coin]
        moves, heats = self.heat()
        spans, close = self._spans(), self._prices[coin]
        bars: list[Bar] = []
        for (minute, span), common, heat in reversed(list(zip(spans, moves, heats, strict=True))):
            sigma = volatility * heat * math.sqrt(span * 60 / YEAR)
            noise = share * common + math.sqrt(1 - share * share) * rng.gauss(0, 1)
            first = close / math.exp(max(-0.1, min(0.1, sigma * noise)))
            bars.append(widen(minute, span, first, close, sigma, heat * (0.6 + 0.8 * rng.random()), rng))
            close = first
        bars.reverse()
        return bars

    def premium(self, symbol: str, minute: int, basis: float) -> float:
        """Mark ÷ index − 1 at one moment; `basis` is where it hovers."""
        return basis + 0.0001 * random.Random(f"{self._seed}:{symbol}:{minute}").gauss(0, 1)

    def mark(self, symbol: str, coin: str, basis: float) -> list[Bar]:
        bars = self.coin(coin)
        factors = [1 + self.premium(symbol, bar.minute, basis) for bar in bars]
        factors.append(1 + self.premium(symbol, self.last_minute, basis))
        return [
            bar._replace(
                open=bar.open * first,
                close=bar.close * last,
                high=max(bar.high * first, bar.high * last),
                low=min(bar.low * first, bar.low * last),
            )
            for bar, first, last in zip(bars, factors[:-1], factors[1:], strict=True)
        ]


def widen(minute: int, span: int, first: float, last: float, sigma: float, volume: float, rng: random.Random) -> Bar:
    """A bar from its ends: how far it strayed in between is drawn."""
    high = max(first, last) * math.exp(abs(rng.gauss(0, 1)) * sigma * 0.5)
    low = min(first, last) / math.exp(abs(rng.gauss(0, 1)) * sigma * 0.5)
    return Bar(minute, span, first, high, low, last, volume)


def minutes(bar: Bar, seed: str) -> Iterator[Bar]:
    """The minutes inside a longer bar: same open, high, low, close, and the same volume in sum."""
    count = bar.span
    if count == 1:
        yield bar
        return
    rng = random.Random(f"{seed}:{bar.minute}")
    steps = [rng.gauss(0, 1) for _ in range(count)]
    drift = sum(steps) / count
    room = (bar.high - bar.low) / math.sqrt(count) * 0.6
    path, level = [bar.open], 0.0
    for number, step in enumerate(steps, 1):
        level += (step - drift) * room
        straight = bar.open + (bar.close - bar.open) * number / count
        path.append(min(bar.high, max(bar.low, straight + level)))
    path[-1] = bar.close
    weights = [0.2 + rng.random() ** 2 for _ in range(count)]
    share = bar.volume / sum(weights)
    noise = (bar.high - bar.low) * 0.04
    rows = [
        [
            path[n],
            min(bar.high, max(path[n], path[n + 1]) + noise * rng.random()),
            max(bar.low, min(path[n], path[n + 1]) - noise * rng.random()),
            path[n + 1],
        ]
        for n in range(count)
    ]
    max(rows, key=lambda row: row[1])[1] = bar.high
    min(rows, key=lambda row: row[2])[2] = bar.low
    for n, (first, high, low, last) in enumerate(rows):
        yield Bar(bar.minute + n, 1, first, high, low, last, weights[n] * share)
