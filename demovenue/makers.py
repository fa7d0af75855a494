"""Who fills the book: makers with inventory around a fair price, and takers who make the tape.

All of them trade for the house. Their orders are bare entries of the book, so that a busy market costs little.
"""

from __future__ import annotations

import math
import random

from demovenue.book import Resting
from demovenue.floor import HOUSE
from demovenue.market import Market
from demovenue.matching import Matching

LEVELS = 26  # a side
DEPTH = 0.004  # how far the ladder reaches, as a share of the price
# symbol prefix and coin → (USD a level, trades a second, half spread as a share of the price)
BUSY = {
    "PF_XBTUSD": (22_000.0, 0.9, 0.000008),
    "PF_ETHUSD": (14_000.0, 0.6, 0.00002),
    "PF_SOLUSD": (7_000.0, 0.4, 0.00006),
    "PF_XRPUSD": (6_000.0, 0.35, 0.00006),
    "PF_LTCUSD": (4_000.0, 0.15, 0.00012),
    "PI_XBTUSD": (9_000.0, 0.3, 0.00002),
    "PI_ETHUSD": (6_000.0, 0.2, 0.00005),
    "PI_LTCUSD": (2_500.0, 0.06, 0.0002),
    "PI_XRPUSD": (2_500.0, 0.06, 0.0002),
}
DATED = (5_000.0, 0.05, 0.0001)


class Maker:
    """Quotes one market. `fair` moves with the index and the market's lean, against the inventory takers left."""

    def __init__(self, market: Market, matching: Matching, rng: random.Random) -> None:
        self.market = market
        self._matching = matching
        self._rng = rng
        self.level_usd, self.rate, half_spread = BUSY.get(market.symbol, DATED)
        self._half_spread = half_spread
        self.inventory = 0.0  # USD, long above zero
        self.momentum = 0.0
        self.unseen = 0.0  # seconds since the market last looked at this book
        self._mine: tuple[dict[int, str], dict[int, str]] = ({}, {})  # asks, bids: price → order
        self._number = 0

    # --- quoting -----------------------------------------------------------------------------------------------

    def hourly_volume(self) -> float:
        """What its takers trade in an hour on average, in the instrument's size unit."""
        usd = self.rate * 3600 * self.level_usd * 0.12 * math.exp(0.6)
        return usd if self.market.instrument.inverse else usd / float(self.market.mark)

    def fair(self) -> float:
        """In ticks. A long maker quotes lower, to be rid of it."""
        market = self.market
        skew = -0.00004 * math.tanh(self.inventory / (20 * self.level_usd))
        return float(market.index / market.instrument.tick) * (1 + market.lean) * (1 + skew)

    def quote(self) -> None:
        """Takes back what is off, takes what others offer too cheap, and fills up the ladder."""
        fair = self.fair()
        half = max(0.5, fair * self._half_spread)
        tops = (math.ceil(fair + half), max(1, math.floor(fair - half)))
        for buy in (True, False):
            self._retreat(buy, tops[buy], fair)
        for buy in (True, False):
            self._pick_off(buy, tops[buy])
            self._fill_up(buy, tops[buy], fair)

    def _retreat(self, buy: bool, top: int, fair: float) -> None:
        """Cancels quotes inside the new spread, filled ones, and the farthest when there are too many."""
        mine, book = self._mine[buy], self.market.book
        sign = 1 if buy else -1
        reach = fair * DEPTH * 2
        for price in [p for p in mine if (p - top) * sign > 0 or abs(p - fair) > reach or mine[p] not in book.orders]:
            book.cancel(mine.pop(price))
        if len(mine) > LEVELS + 4:
            for price in sorted(mine, key=lambda p: p * sign)[: len(mine) - LEVELS]:
                book.cancel(mine.pop(price))

    def _pick_off(self, buy: bool, top: int) -> None:
        """Somebody else's order on the wrong side of fair is taken, as a market would."""
        if self.market.book.crosses(buy, top):
            lots = self._lots(self.level_usd * 40)
            self._matching.house_takes(self.market, buy, top, lots)

    def _fill_up(self, buy: bool, top: int, fair: float) -> None:
        mine, rng = self._mine[buy], self._rng
        sign = -1 if buy else 1
        if not self.market.book.crosses(buy, top) and top not in mine:
            self._add(buy, top, 0.5)
        missing = LEVELS - len(mine)
        for _ in range(min(missing, 3 if missing < LEVELS // 2 else missing) * 2):
            if len(mine) >= LEVELS:
                break
            # Dense near the top, thin and thick-sized far out.
            away = rng.random() ** 2.2
            price = top + sign * (1 + int(away * fair * DEPTH))
            if price > 0 and price not in mine and not self.market.book.crosses(buy, price):
                self._add(buy, price, 0.6 + 2.4 * away)

    def _add(self, buy: bool, price: int, weight: float) -> None:
        size = self._lots(self.level_usd * weight * math.exp(self._rng.gauss(-0.2, 0.7)))
        self._number += 1
        order_id = f"{self.market.symbol}/{self._number}"
        self._mine[buy][price] = order_id
        self.market.book.add(Resting(order_id, HOUSE, buy, price, size))

    def refresh(self) -> None:
        """A quote somewhere in the ladder changes its size: it leaves and queues again."""
        mine = self._mine[self._rng.random() < 0.5]
        if mine:
            price = self._rng.choice(list(mine))
            gone = self.market.book.cancel(mine.pop(price))
            if gone is not None and not self.market.book.crosses(gone.buy, price):
                self._add(gone.buy, price, 1.0)

    def withdraw(self) -> None:
        """Every quote leaves: the market closes."""
        for mine in self._mine:
            for order_id in mine.values():
                self.market.book.cancel(order_id)
            mine.clear()

    def _lots(self, usd: float) -> int:
        market = self.market
        mark = float(market.mark)
        units = usd if market.instrument.inverse else usd / mark
        return max(1, int(units / float(market.instrument.lot)))

    # --- taking ------------------------------------------------------------------------------------------------

    def trade(self, seconds: float) -> None:
        """Noise and momentum takers, and now and then a whale, for so many seconds."""
        rng = self._rng
        self.momentum *= math.exp(-seconds / 20)
        expected = self.rate * seconds
        count = int(expected) + (rng.random() < expected - int(expected))
        for _ in range(min(count, 8)):
            buy = rng.random() < 0.5 + 0.25 * math.tanh(self.momentum) - 0.1 * math.tanh(
                self.inventory / self.level_usd
            )
            whale = rng.random() < 0.004
            usd = self.level_usd * (8 if whale else 0.12) * math.exp(rng.gauss(0, 1.1))
            self._take(buy, usd)

    def print_one(self) -> None:
        """A small trade, so that the last price is one of now."""
        if not self.market.status.suspended:
            self._take(self._rng.random() < 0.5, self.level_usd * 0.12)

    def _take(self, buy: bool, usd: float) -> None:
        market = self.market
        best = market.book.half(not buy).best
        if best is None:
            return
        slip = max(2, int(best * 0.0015))
        limit = best + slip if buy else max(1, best - slip)
        lots = self._matching.house_takes(market, buy, limit, self._lots(usd))
        traded = float(market.size(lots)) * (1.0 if market.instrument.inverse else float(market.mark))
        self.inventory = self.inventory * 0.995 + (-traded if buy else traded)
        self.momentum += (0.15 if buy else -0.15) * min(3.0, traded / self.level_usd)
        opened = 0.4 if self._rng.random() < 0.5 else -0.39  # the share of a trade that opens, or closes, positions
        market.open_interest += market.size(round(lots * opened))
