"""What lies in the way when time leaps: stops, resting orders, margins that no longer hold.

A leap goes from one price to another over a high and a low. Where somebody waits for a price in between, the way is
walked minute by minute, each minute over its own high and low, and whoever waits is met at the price they wait for.
Where nobody does, nothing is walked, so a quiet year costs little.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from demovenue.cancels import Cancels
from demovenue.floor import Floor
from demovenue.liquidation import Liquidation
from demovenue.makers import Maker
from demovenue.market import Market
from demovenue.matching import Matching
from demovenue.sketch import Bar, minutes
from demovenue.triggers import Triggers
from demovenue.values import Order

MINUTE = 60_000_000  # microseconds
HALVINGS = 12  # how closely the price of a liquidation is found
EVERYTHING = 10**12  # lots


class Way(NamedTuple):
    """How the mark of a market goes in one leap, and where index (`spot`) and mark end."""

    bar: Bar
    spot: Decimal
    mark: Decimal


class Passage:
    def __init__(
        self,
        floor: Floor,
        matching: Matching,
        triggers: Triggers,
        liquidation: Liquidation,
        cancels: Cancels,
        maker: Callable[[str], Maker],
    ) -> None:
        self._floor = floor
        self._matching = matching
        self._triggers = triggers
        self._liquidation = liquidation
        self._cancels = cancels
        self._maker = maker

    def cross(self, ways: dict[str, Way], start: int, end: int) -> None:
        """From `start` to `end` (microseconds). Afterwards every market stands where its way ends."""
        if self._anybody_waits(ways):
            walked = [symbol for symbol in ways if self._is_watched(symbol)]
            rows = {symbol: list(minutes(ways[symbol].bar, symbol)) for symbol in walked}
            longest = max((len(row) for row in rows.values()), default=0)
            for number in range(longest):
                self._floor.micros = min(end, start + (number + 1) * MINUTE)
                self._cancels.fire_due()
                self._walk_minute({s: row[min(number, len(row) - 1)] for s, row in rows.items()})
        for symbol, way in ways.items():
            market = self._floor.markets[symbol]
            market.index, market.mark, market.passing = way.spot, way.mark, _to_tick(market, way.mark)
        self._floor.micros = end

    # --- who waits ---------------------------------------------------------------------------------------------

    def _is_watched(self, symbol: str) -> bool:
        floor = self._floor
        return bool(
            floor.triggers[symbol]
            or floor.markets[symbol].book.orders
            or any(symbol in held for held in floor.positions.values())
        )

    def _anybody_waits(self, ways: dict[str, Way]) -> bool:
        """Does the leap reach anybody at all?"""
        bars = {symbol: way.bar for symbol, way in ways.items()}
        return any(self._reaches(self._floor.markets[s], bar) for s, bar in bars.items()) or bool(
            self._endangered(bars)
        )

    def _reaches(self, market: Market, bar: Bar) -> bool:
        """An order or a trigger between the low and the high. Trailing ones move along, so they always count."""
        for order in self._floor.triggers[market.symbol].values():
            price = self._as_mark(market, order)
            if order.trigger_kind == "trailing_stop" or bar.low <= price <= bar.high:
                return True
        book, tick = market.book, float(market.instrument.tick)
        bid, ask = book.bids.best, book.asks.best
        return (bid is not None and bid * tick >= bar.low) or (ask is not None and ask * tick <= bar.high)

    @staticmethod
    def _as_mark(market: Market, order: Order) -> float:
        """The mark at which a trigger is reached."""
        price = float(order.trigger_price or 0)
        if order.trigger_signal != "index":
            return price
        # Both prices are rounded: a little beyond, so that the index has been reached.
        beyond = 2 * float(market.mark_step)
        return price * (1 + market.premium) + (beyond if order.trigger_above else -beyond)

    def _endangered(self, bars: dict[str, Bar]) -> list[str]:
        """Accounts whose margin would not hold if all their markets stood at their worst at once."""
        found = []
        for uid, held in self._floor.positions.items():
            if not held:
                continue
            before = {symbol: self._prices(symbol) for symbol in held}
            for symbol, position in held.items():
                if symbol in bars:
                    bar = bars[symbol]
                    self._place(self._floor.markets[symbol], bar.low if position.size > 0 else bar.high)
            if self._liquidation.endangers(uid):
                found.append(uid)
            for symbol, prices in before.items():
                self._restore(symbol, prices)
        return found

    # --- walking -----------------------------------------------------------------------------------------------

    def _walk_minute(self, bars: dict[str, Bar]) -> None:
        shaky = self._endangered(bars)
        for symbol, bar in bars.items():
            market = self._floor.markets[symbol]
            if not self._reaches(market, bar) and not any(symbol in self._floor.positions[uid] for uid in shaky):
                self._place(market, bar.close)
                continue
            for point in _points(bar):
                self._go(market, point, shaky)

    def _go(self, market: Market, point: float, shaky: list[str]) -> None:
        """Straight to a price, meeting everybody on the way there."""
        begin = float(market.mark)
        for stop in list(self._stops(market, begin, point)):
            self._place(market, stop)
            self._meet(market)
        self._place(market, point)
        self._meet(market)
        for uid in shaky:
            if market.symbol in self._floor.positions[uid] and self._liquidation.endangers(uid):
                self._call_in(market, uid, begin, point)

    def _stops(self, market: Market, begin: float, end: float) -> Iterator[float]:
        """Trigger prices between here and there, in the order in which they are passed."""
        up = end > begin
        prices = {
            self._as_mark(market, order)
            for order in self._floor.triggers[market.symbol].values()
            if order.trigger_above == up
        }
        yield from sorted((p for p in prices if min(begin, end) <= p <= max(begin, end)), reverse=not up)

    def _meet(self, market: Market) -> None:
        """Resting orders that the price has passed fill; triggers it has reached find a book to trade with."""
        if market.book.orders:
            mark = market.ticks(market.mark)
            for buy in (True, False):
                self._matching.house_takes(market, buy, mark, EVERYTHING)
        if not self._floor.triggers[market.symbol]:
            return
        if self._triggers.any_reached(market):
            self._open([market])
            self._triggers.check(market)
            self._shut([market])
        else:
            self._triggers.check(market)  # trailing ones follow

    def _call_in(self, market: Market, uid: str, begin: float, end: float) -> None:
        """The account is liquidated where its margin gave way, between two prices."""
        safe, broken = begin, end
        for _ in range(HALVINGS):
            middle = (safe + broken) / 2
            self._place(market, middle)
            if self._liquidation.endangers(uid):
                broken = middle
            else:
                safe = middle
        self._place(market, broken)
        markets = [self._floor.markets[symbol] for symbol in self._floor.positions[uid]]
        self._open(markets)
        self._liquidation.check(uid)
        self._shut(markets)
        self._place(market, end)

    # --- prices ------------------------------------------------------------------------------------------------

    def _place(self, market: Market, price: float) -> None:
        """The mark, and with it the index and the last price, as if trades had led there."""
        if market.mark_held is not None:
            return
        step = market.mark_step
        market.mark = (Decimal(price) / step).to_integral_value(ROUND_HALF_UP) * step
        market.index = (market.mark / (1 + Decimal(market.premium))).quantize(step)
        market.passing = _to_tick(market, market.mark)

    def _prices(self, symbol: str) -> tuple[Decimal, Decimal, Decimal | None]:
        market = self._floor.markets[symbol]
        return market.mark, market.index, market.passing

    def _restore(self, symbol: str, prices: tuple[Decimal, Decimal, Decimal | None]) -> None:
        market = self._floor.markets[symbol]
        market.mark, market.index, market.passing = prices

    def _open(self, markets: list[Market]) -> None:
        """The makers come back for a moment."""
        for market in markets:
            if not market.status.suspended:
                for _ in range(12):
                    self._maker(market.symbol).quote()

    def _shut(self, markets: list[Market]) -> None:
        for market in markets:
            self._maker(market.symbol).withdraw()
            self._floor.publish_book(market)


def _points(bar: Bar) -> tuple[float, float, float, float]:
    """A minute that rises dips first, one that falls peaks first."""
    if bar.close >= bar.open:
        return bar.open, bar.low, bar.high, bar.close
    return bar.open, bar.high, bar.low, bar.close


def _to_tick(market: Market, price: Decimal) -> Decimal:
    tick = market.instrument.tick
    return (price / tick).to_integral_value(ROUND_HALF_UP) * tick
