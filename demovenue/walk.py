"""The index of each coin: a seeded walk through calm, trending and crashing weather.

Floats, because nobody's money is in them: a price becomes `Decimal` where it is published.
"""

from __future__ import annotations

import csv
import math
import random
from bisect import bisect_right
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

YEAR = 365 * 86400.0
# coin → (first price, step of the published index, volatility a year, share of the common factor)
COINS: dict[str, tuple[float, Decimal, float, float]] = {
    "XBT": (84000.0, Decimal("0.01"), 0.45, 0.85),
    "ETH": (3150.0, Decimal("0.01"), 0.60, 0.80),
    "SOL": (142.0, Decimal("0.001"), 0.80, 0.70),
    "XRP": (2.15, Decimal("0.00001"), 0.75, 0.65),
    "LTC": (92.0, Decimal("0.0001"), 0.70, 0.65),
}
# weather → (volatility factor, drift a year, mean seconds it lasts)
WEATHER = {
    "calm": (0.8, 0.0, 5400.0),
    "rise": (1.2, 12.0, 2400.0),
    "fall": (1.3, -12.0, 2400.0),
    "crash": (5.0, -1400.0, 90.0),
    "rebound": (3.0, 500.0, 150.0),
}
NEXT = {
    "calm": (("rise", 0.46), ("fall", 0.46), ("crash", 0.03), ("calm", 0.05)),
    "rise": (("calm", 0.85), ("fall", 0.13), ("crash", 0.02)),
    "fall": (("calm", 0.83), ("rise", 0.13), ("crash", 0.04)),
    "crash": (("rebound", 0.7), ("fall", 0.3)),
    "rebound": (("calm", 0.7), ("rise", 0.3)),
}


@dataclass
class Weather:
    """Shared by all coins: markets fall together."""

    name: str = "calm"
    seconds_left: float = 3600.0
    heat: float = 0.0  # log of the volatility factor, drawn back to zero

    def pass_time(self, seconds: float, rng: random.Random) -> None:
        self.heat += -self.heat * min(1.0, seconds / 7200) + 0.25 * math.sqrt(min(1.0, seconds / 3600)) * rng.gauss(
            0, 1
        )
        self.seconds_left -= seconds
        if self.seconds_left <= 0:
            names, weights = zip(*NEXT[self.name], strict=True)
            self.name = rng.choices(names, weights)[0]
            self.seconds_left = rng.expovariate(1 / WEATHER[self.name][2])


class Replay:
    """Recorded prices of one coin, played from the opening on; the last one stands for ever after."""

    def __init__(self, coin: str, rows: list[tuple[float, float]]) -> None:
        self.coin = coin
        self._seconds = [seconds - rows[0][0] for seconds, _ in rows]
        self._prices = [price for _, price in rows]

    @classmethod
    def read(cls, path: Path, coin: str = "XBT") -> Replay:
        """CSV of time (epoch seconds or ISO 8601) and price: the first two columns, or those that a header names
        `time` and `price`. ValueError when it is not that."""
        with path.open(encoding="utf-8", newline="") as lines:
            table = [row for row in csv.reader(lines) if row]
        time_at, price_at, has_header = _columns(table[0]) if table else (0, 1, False)
        try:
            rows = [(_seconds(row[time_at]), float(row[price_at])) for row in table[has_header:]]
        except IndexError as error:
            raise ValueError(f"{path} has rows without a time and a price") from error
        if not rows or any(price <= 0 for _, price in rows):
            raise ValueError(f"{path} holds no prices")
        return cls(coin, sorted(rows))

    def at(self, seconds: float) -> float:
        """Seconds since the opening; straight lines between the rows."""
        place = bisect_right(self._seconds, seconds)
        if place == len(self._seconds):
            return self._prices[-1]
        first, last = self._seconds[place - 1], self._seconds[place]
        share = (seconds - first) / (last - first)
        return self._prices[place - 1] * (1 - share) + self._prices[place] * share


def _columns(first: list[str]) -> tuple[int, int, bool]:
    """Where time and price stand, and whether this row says so."""
    names = [name.strip().lower() for name in first]
    if "time" in names and "price" in names:
        return names.index("time"), names.index("price"), True
    return 0, 1, False  # another header is no time, and is refused as such


def _seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return datetime.fromisoformat(text).timestamp()


class Walk:
    """All coins at once. `held` prices stand still until released; a replayed coin goes its recorded way."""

    def __init__(self, rng: random.Random, replay: Replay | None = None) -> None:
        self._rng = rng
        self._replay = replay
        self.elapsed = 0.0
        self.weather = Weather()
        self.prices = {coin: first for coin, (first, *_) in COINS.items()}
        self.held: dict[str, Decimal] = {}
        if replay is not None:
            self.prices[replay.coin] = replay.at(0.0)

    def step(self, seconds: float) -> None:
        rng = self._rng
        self.elapsed += seconds
        self.weather.pass_time(seconds, rng)
        factor, drift, lasting = WEATHER[self.weather.name]
        # Weather shorter than the step must not blow over all of it.
        felt = min(seconds, lasting)
        scale = factor * math.exp(self.weather.heat) * math.sqrt(seconds / YEAR)
        common = rng.gauss(0, 1)
        for coin, (_, _, volatility, share) in COINS.items():
            own = rng.gauss(0, 1)
            if coin in self.held:
                continue
            if self._replay is not None and coin == self._replay.coin:
                self.prices[coin] = self._replay.at(self.elapsed)
                continue
            noise = share * common + math.sqrt(1 - share * share) * own
            move = volatility * scale * noise + drift * share * felt / YEAR
            self.prices[coin] *= math.exp(max(-0.3, min(0.3, move)))

    def index(self, coin: str) -> Decimal:
        held = self.held.get(coin)
        return held if held is not None else Decimal(self.prices[coin]).quantize(COINS[coin][1])

    def hold(self, coin: str, price: Decimal) -> None:
        self.held[coin] = price
        self.prices[coin] = float(price)

    def state(self) -> dict[str, object]:
        return {
            "weather": asdict(self.weather),
            "elapsed": self.elapsed,
            "prices": self.prices,
            "held": {coin: str(price) for coin, price in self.held.items()},
        }

    def restore(self, state: dict[str, Any]) -> None:
        weather = state["weather"]
        self.elapsed = float(state["elapsed"])
        self.weather = Weather(weather["name"], float(weather["seconds_left"]), float(weather["heat"]))
        self.prices |= {coin: float(price) for coin, price in state["prices"].items()}
        self.held = {coin: Decimal(price) for coin, price in state["held"].items()}
