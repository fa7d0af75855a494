"""Series about a market that are not prices. What the books and the tape show now is exact; their past is drawn around
it from the candles, the same for the same market and moment.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from decimal import Decimal
from itertools import pairwise
from typing import Any

from demovenue.charts import RESOLUTIONS, Charts
from demovenue.floor import Floor
from demovenue.market import Market
from demovenue.values import Analytics, Candle, Refused

SPANS = {minutes * 60: name for name, minutes in RESOLUTIONS.items()}
DEPTHS = {"005": "0.0005", "01": "0.001", "025": "0.0025", "05": "0.005", "10": "0.01", "100": "0.1"}
SLIPPAGES = {"1k": 1_000, "10k": 10_000, "100k": 100_000, "1m": 1_000_000}
TRADES_PER_VOLUME = 40
LOOK_BACK = 24


class AnalyticsDesk:
    def __init__(self, floor: Floor, charts: Charts) -> None:
        self._floor = floor
        self._charts = charts
        self._kinds: dict[str, Callable[[Market, list[Candle]], Any]] = {
            "trade-count": self._trade_count,
            "trade-volume": lambda market, rows: [row.volume for row in rows],
            "aggressor-differential": self._differential,
            "liquidation-volume": lambda market, rows: [Decimal(0) for _ in rows],
            "cvd": self._cvd,
            "rolling-volatility": self._volatility,
            "long-short-ratio": self._long_short,
            "long-short-info": self._long_short,
            "top-traders": self._top_traders,
            "spreads": lambda market, rows: self._sides(market, rows, self._spread),
            "liquidity": lambda market, rows: self._sides(market, rows, self._liquidity),
            "slippage": lambda market, rows: self._sides(market, rows, self._slippage),
            "orderbook": lambda market, rows: self._sides(market, rows, self._orderbook),
        }

    def series(self, market: Market, kind: str, since: int, until: int, interval: int) -> Analytics:
        resolution, draw = SPANS.get(interval), self._kinds.get(kind)
        if draw is None:
            raise Refused("notFound")
        if resolution is None:
            raise Refused("invalidArgument")
        rows, more = self._charts.candles("trade", market.symbol, resolution, since, until, 2000)
        return Analytics(timestamps=[row.time // 1000 for row in rows], data=draw(market, rows), more=more)

    # --- the tape ----------------------------------------------------------------------------------------------

    def _trade_count(self, market: Market, rows: list[Candle]) -> list[int]:
        """As many as the average trade fits into the volume."""
        recent = [trade.size for trade in market.tape_before(None, TRADES_PER_VOLUME)]
        average = sum(recent, Decimal(0)) / len(recent) if recent else market.instrument.lot
        return [max(1, round(row.volume / average)) if row.volume else 0 for row in rows]

    def _bought(self, market: Market, row: Candle) -> Decimal:
        """The share of the volume that buyers took: more when the price rose."""
        rise = float(row.close / row.open - 1) * 400
        share = 0.5 + 0.3 * math.tanh(rise) + 0.05 * _draw(market, row, "bought").uniform(-1, 1)
        return _lots(market, row.volume * Decimal(share))

    def _differential(self, market: Market, rows: list[Candle]) -> list[Decimal]:
        return [2 * self._bought(market, row) - row.volume for row in rows]

    def _cvd(self, market: Market, rows: list[Candle]) -> dict[str, list[Decimal]]:
        bought = [self._bought(market, row) for row in rows]
        sold = [row.volume - amount for row, amount in zip(rows, bought, strict=True)]
        level, levels = Decimal(0), []
        for buys, sells in zip(bought, sold, strict=True):
            level += buys - sells
            levels.append(level)
        return {"buyVolume": bought, "sellVolume": sold, "cvd": levels}

    def _volatility(self, market: Market, rows: list[Candle]) -> list[Decimal]:
        """Of the last 24 rows, as a share a year."""
        moves = [0.0, *(math.log(b.close / a.close) for a, b in pairwise(rows))]
        span = (rows[1].time - rows[0].time) / 1000 if len(rows) > 1 else 60
        found = []
        for end in range(1, len(moves) + 1):
            window = moves[max(0, end - LOOK_BACK) : end]
            mean = sum(window) / len(window)
            spread = math.sqrt(sum((move - mean) ** 2 for move in window) / len(window))
            found.append(Decimal(spread * math.sqrt(365 * 86400 / span)).quantize(Decimal("1E-8")))
        return found

    # --- the traders -------------------------------------------------------------------------------------------

    def _long_short(self, market: Market, rows: list[Candle]) -> dict[str, list[Any]]:
        found: dict[str, list[Any]] = {
            key: [] for key in ("longCount", "shortCount", "longPercent", "shortPercent", "ratio")
        }
        for row in rows:
            rng = _draw(market, row, "traders")
            long, short = 400 + rng.randrange(300), 300 + rng.randrange(300)
            share = (Decimal(long) / (long + short)).quantize(Decimal("0.0001"))
            found["longCount"].append(long)
            found["shortCount"].append(short)
            found["longPercent"].append(share * 100)
            found["shortPercent"].append((1 - share) * 100)
            found["ratio"].append((Decimal(long) / short).quantize(Decimal("0.0001")))
        return found

    def _top_traders(self, market: Market, rows: list[Candle]) -> dict[str, dict[str, list[Any]]]:
        share = _lots(market, market.open_interest * Decimal("0.62"))
        return {"top20Percent": {"openInterest": [share for _ in rows], **self._long_short(market, rows)}}

    # --- the book ----------------------------------------------------------------------------------------------

    def _sides(
        self, market: Market, rows: list[Candle], of_side: Callable[[Market, bool], dict[str, Decimal]]
    ) -> dict[str, dict[str, list[Decimal]]]:
        """The last row is the book of now; earlier ones are that book moved to their close."""
        found: dict[str, dict[str, list[Decimal]]] = {"bid": {}, "ask": {}}
        for name, buy in (("bid", True), ("ask", False)):
            for key, value in of_side(market, buy).items():
                column = found[name][key] = []
                column += (_earlier(market, row, key, value) for row in rows[:-1])
                if rows:
                    column.append(value)
        return found

    @staticmethod
    def _spread(market: Market, buy: bool) -> dict[str, Decimal]:
        return {"best_price": market.best(buy) or market.mark}

    @staticmethod
    def _within(market: Market, buy: bool, share: Decimal) -> Decimal:
        """USD standing within a distance of the mark."""
        edge = market.mark * (1 - share if buy else 1 + share)
        total = Decimal(0)
        for ticks, lots in market.book.depth(buy):
            price, size = market.price(ticks), market.size(lots)
            if price < edge if buy else price > edge:
                break
            total += size if market.instrument.inverse else size * price
        return total

    def _liquidity(self, market: Market, buy: bool) -> dict[str, Decimal]:
        return {f"liquidity_{name}": self._within(market, buy, Decimal(share)) for name, share in DEPTHS.items()}

    @staticmethod
    def _slip(market: Market, buy: bool, usd: int) -> Decimal:
        """How far, as a share of the mark, the average price of a market order of so many USD strays."""
        price = market.mark if not market.instrument.inverse else Decimal(1)
        lots = max(1, market.lots(Decimal(usd) / price))
        found, cost = market.book.sweep_cost(not buy, lots)
        if not found:
            return Decimal(0)
        return abs(market.price(1) * cost / found / market.mark - 1).quantize(Decimal("1E-8"))

    def _slippage(self, market: Market, buy: bool) -> dict[str, Decimal]:
        return {f"slippage_{name}": self._slip(market, buy, usd) for name, usd in SLIPPAGES.items()}

    def _orderbook(self, market: Market, buy: bool) -> dict[str, Decimal]:
        found = {"bestPrice": market.best(buy) or market.mark}
        found |= {f"liquidity{name}": self._within(market, buy, Decimal(share)) for name, share in DEPTHS.items()}
        found |= {f"slippage{name}": self._slip(market, buy, usd) for name, usd in SLIPPAGES.items()}
        return found


def _draw(market: Market, row: Candle, purpose: str) -> random.Random:
    return random.Random(f"{market.symbol}:{row.time}:{purpose}")


def _earlier(market: Market, row: Candle, key: str, value: Decimal) -> Decimal:
    """What the book of now says, moved to a former close."""
    if "rice" in key:
        tick = market.instrument.tick
        return (value * row.close / market.mark / tick).to_integral_value() * tick
    # All depths alike: at any time, more lies within a wider distance.
    kind = key.rstrip("_0123456789km")
    return (value * _wobble(market, row, kind)).quantize(Decimal("1E-8"))


def _wobble(market: Market, row: Candle, key: str) -> Decimal:
    return Decimal(_draw(market, row, key).uniform(0.85, 1.15))


def _lots(market: Market, amount: Decimal) -> Decimal:
    lot = market.instrument.lot
    return (amount / lot).to_integral_value() * lot
