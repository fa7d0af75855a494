"""The time before the exchange opened: 90 days of hours per coin, made from the seed, minutes only when asked for.

An hour is drawn first (open, high, low, close, volume); its minutes are a bridge inside it that keeps all five. So
every resolution agrees with every other, and a year of nothing costs nothing. Floats: these are pictures, not money.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from typing import NamedTuple
from zlib import crc32

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


class Path:
    """What has been drawn of one coin: bars, newest first, and the price where they begin."""

    def __init__(self, last: float, rng: random.Random) -> None:
        self.bars: list[Bar] = []
        self.first = last
        self.rng = rng


class Sketch:
    """Ends at `last_minute` with `prices` (coin → price); the same seed and end give the same past.

    Drawn backwards from the opening, as far as anybody has asked.
    """

    def __init__(self, seed: str, last_minute: int, prices: dict[str, float]) -> None:
        self._seed = seed
        self.last_minute = last_minute
        begun = last_minute % HOUR
        self._hour = last_minute - begun
        self._begun = begun
        self._weather: list[tuple[float, float]] = []  # common move, volatility; newest first
        self._weather_rng = random.Random(f"{seed}:weather")
        self._paths = {coin: Path(price, random.Random(f"{seed}:{coin}")) for coin, price in prices.items()}

    def coin(self, coin: str, since: int = 0) -> list[Bar]:
        """Hours of the index, ascending, from the one that holds minute `since` (at most 90 days)."""
        first = max(since // HOUR * HOUR, self._hour - DAYS * 24 * HOUR)
        wanted = max(0, (self._hour - first) // HOUR) + bool(self._begun)
        path = self._paths[coin]
        while len(path.bars) < wanted:
            self._draw(coin, path)
        return path.bars[:wanted][::-1]

    def _draw(self, coin: str, path: Path) -> None:
        number = len(path.bars)
        back = number + (not self._begun)
        minute, span = (self._hour, self._begun) if back == 0 else (self._hour - HOUR * back, HOUR)
        common, heat = self._at(number)
        _, _, volatility, share = COINS[coin]
        sigma = volatility * heat * math.sqrt(span * 60 / YEAR)
        move = share * common + math.sqrt(1 - share * share) * path.rng.gauss(0, 1)
        first = path.first / math.exp(max(-0.1, min(0.1, sigma * move)))
        volume = heat * (0.6 + 0.8 * path.rng.random())
        path.bars.append(widen(minute, span, first, path.first, sigma, volume, path.rng))
        path.first = first

    def _at(self, number: int) -> tuple[float, float]:
        """The weather all coins share."""
        weather, rng = self._weather, self._weather_rng
        while len(weather) <= number:
            before = math.log(weather[-1][1]) if weather else 0.0
            heat = math.exp(0.96 * before + 0.16 * rng.gauss(0, 1))
            weather.append((rng.gauss(0, 1), heat))
        return weather[number]

    def premium(self, symbol: str, minute: int, basis: float) -> float:
        """Mark ÷ index − 1 at one moment; `basis` is where it hovers."""
        return basis + 0.00004 * noise(crc32(f"{self._seed}:{symbol}".encode()), minute)

    def mark(self, symbol: str, coin: str, basis: Callable[[int], float], since: int = 0) -> list[Bar]:
        """`basis`: minute → where the premium hovers."""
        bars = self.coin(coin, since)
        factors = [1 + self.premium(symbol, minute, basis(minute)) for minute in (bar.minute for bar in bars)]
        factors.append(1 + self.premium(symbol, self.last_minute, basis(self.last_minute)))
        return [
            Bar(
                bar.minute,
                bar.span,
                bar.open * first,
                max(bar.high * first, bar.high * last),
                min(bar.low * first, bar.low * last),
                bar.close * last,
                bar.volume,
            )
            for bar, first, last in zip(bars, factors[:-1], factors[1:], strict=True)
        ]


def noise(seed: int, moment: int) -> float:
    """Like a draw from a bell curve, but a function of its arguments and cheap: seeding a generator is not."""
    total = 0.0
    for part in (12.9898, 78.233, 37.719):
        total += math.sin((moment % 1_000_003) * part + seed % 9973) * 43758.5453 % 1
    return (total - 1.5) * 2


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
