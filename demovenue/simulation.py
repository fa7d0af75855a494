"""Time passing: four ticks a second while somebody watches, leaps when the clock has jumped.

A tick moves the index, the marks, the makers and takers, and wakes what waits for a price. Full hours and maturities
are never stepped over: every stretch of time ends there.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal

from demovenue.cancels import Cancels
from demovenue.charts import Charts, basis
from demovenue.clock import SECOND
from demovenue.events import InstrumentsChanged, TickerChanged
from demovenue.floor import Floor
from demovenue.funding import Funding
from demovenue.instruments import listed
from demovenue.liquidation import Liquidation
from demovenue.makers import Maker
from demovenue.market import Market
from demovenue.matching import Matching
from demovenue.settlement import Settlement
from demovenue.sketch import widen
from demovenue.tickers import Tickers
from demovenue.triggers import Triggers
from demovenue.values import TradePrint
from demovenue.walk import COINS, YEAR, Walk

TICK = SECOND // 4
MINUTE, HOUR = 60 * SECOND, 3600 * SECOND
LIVE = 40 * TICK  # up to here every tick is played
NEAR = 60 * SECOND  # up to here four longer ticks are
FAR = 6 * HOUR  # up to here leaps are minutes, beyond they are hours
PREMIUM_SPREAD, PREMIUM_SECONDS = 0.00012, 1800.0


class Simulation:
    def __init__(
        self,
        floor: Floor,
        walk: Walk,
        matching: Matching,
        funding: Funding,
        settlement: Settlement,
        triggers: Triggers,
        liquidation: Liquidation,
        cancels: Cancels,
        rng: random.Random,
    ) -> None:
        self._floor = floor
        self.walk = walk
        self._matching = matching
        self._funding = funding
        self._settlement = settlement
        self._triggers = triggers
        self._liquidation = liquidation
        self._cancels = cancels
        self._rng = rng
        self.makers: dict[str, Maker] = {}
        self.done = floor.micros  # the market has been played up to here
        self._ticks = 0
        self.charts: Charts
        self.tickers: Tickers
        self.saved: Callable[[], None] = lambda: None
        self.on_the_hour: Callable[[], None] = lambda: None

    # --- listing -----------------------------------------------------------------------------------------------

    def list_markets(self) -> None:
        """Opens what the calendar says and is not open yet."""
        floor = self._floor
        for symbol, instrument in listed(floor.now).items():
            if symbol in floor.markets:
                continue
            market = floor.markets[symbol] = Market(instrument)
            market.premium = basis(market, floor.micros // MINUTE)
            self._price(market)
            maker = Maker(market, self._matching, random.Random(f"{self._rng.random()}:{symbol}"))
            self.makers[symbol] = maker
            market.open_interest = market.size(market.lots(Decimal(maker.hourly_volume() * 20)))
            floor.ring(InstrumentsChanged())

    def fill_books(self) -> None:
        for symbol, maker in self.makers.items():
            for _ in range(12):
                maker.quote()
            self._floor.publish_book(self._floor.markets[symbol])

    # --- time --------------------------------------------------------------------------------------------------

    def catch_up(self, target: int) -> None:
        """Plays the market up to `target` (microseconds). The caller holds the floor's work."""
        gap = target - self.done
        if gap < TICK:
            return
        if gap <= LIVE:
            for _ in range(gap // TICK):
                self._go(self.done + TICK)
        elif gap <= NEAR:
            for part in range(4, 0, -1):
                self._go(self.done + (target - self.done) // part)
        else:
            self._leap_to(target)

    def _leap_to(self, target: int) -> None:
        length = MINUTE if target - self.done <= FAR else HOUR
        for maker in self.makers.values():
            maker.withdraw()
        while self.done // length < target // length:
            self._go((self.done // length + 1) * length, leap=True)
        while self.done // MINUTE < target // MINUTE:
            self._go((target // MINUTE) * MINUTE, leap=True)
        self._go(max(target, self.done + 1))
        self.tickers.forget_days()
        self.fill_books()

    def _go(self, to: int, *, leap: bool = False) -> None:
        """To a moment, stopping at every full hour and maturity on the way."""
        while self.done < to:
            stop = min(to, (self.done // HOUR + 1) * HOUR)
            self._tick(stop, leap)
            if stop % HOUR == 0:
                self._turn_hour()

    def _turn_hour(self) -> None:
        self._funding.turn_hour()
        self.on_the_hour()
        due = self._settlement.due()
        for market in due:
            self.makers.pop(market.symbol).withdraw()
            self._settlement.settle(market)
        if due:
            self.list_markets()
            self.fill_books()
        self.saved()

    # --- one tick ----------------------------------------------------------------------------------------------

    def _tick(self, at: int, leap: bool) -> None:
        seconds, before = (at - self.done) / SECOND, self.done
        floor = self._floor
        floor.micros = max(floor.micros, at)
        self.done = at
        self.walk.step(seconds)
        self._ticks += 1
        for market in list(floor.markets.values()):
            old = (market.index, market.mark)
            self._drift(market, seconds)
            self._price(market)
            self._funding.observe(market, seconds)
            if leap:
                self._draw_leap(market, old, before, at)
            else:
                self._play(market, seconds)
        self._watch(leap)

    def _play(self, market: Market, seconds: float) -> None:
        """The makers, the takers, and what they leave behind."""
        maker, rng = self.makers[market.symbol], self._rng
        self._see_prices(market)
        if market.status.suspended:
            return
        # Quiet markets need not move four times a second.
        if maker.rate > 0.25 or rng.random() < 0.4:
            maker.quote()
            if rng.random() < 0.5:
                maker.refresh()
            maker.trade(seconds)
            self._floor.publish_book(market)
        self._floor.ring(TickerChanged(symbol=market.symbol))

    def _see_prices(self, market: Market) -> None:
        self.charts.see(f"mark:{market.symbol}", market.mark)
        self.charts.see(f"spot:{market.instrument.coin}", market.index)

    def see_prices(self) -> None:
        """The running candles begin with the prices of now."""
        for market in self._floor.markets.values():
            self._see_prices(market)

    def record(self, market: Market, trade: TradePrint) -> None:
        """Every trade enters the candles and the 24 hours."""
        self.tickers.see(market, trade)
        self.charts.see(f"trade:{market.symbol}", trade.price, trade.size)

    def _watch(self, leap: bool) -> None:
        """Whatever waits for a price or for a time."""
        floor = self._floor
        for market in list(floor.markets.values()):
            if floor.triggers[market.symbol]:
                self._triggers.check(market)
            if leap:
                self._sweep(market)
        if leap or self._ticks % 4 == 0:
            self._liquidation.check_all()
            for market in floor.markets.values():
                floor.publish_book(market)
        self._cancels.fire_due()
        floor.forget_finished()

    def watch_now(self) -> None:
        """After prices were moved by hand: triggers and margins at once, the makers follow."""
        for market in self._floor.markets.values():
            self.makers[market.symbol].quote()
        self._watch(leap=False)
        self._liquidation.check_all()
        for market in self._floor.markets.values():
            self._floor.publish_book(market)
            self._floor.ring(TickerChanged(symbol=market.symbol))

    def _sweep(self, market: Market) -> None:
        """During a leap there are no makers; orders that the price passed still fill."""
        if not market.book.orders:
            return
        mark = market.ticks(market.mark)
        for buy in (True, False):
            self._matching.house_takes(market, buy, mark, 10**12)

    # --- prices ------------------------------------------------------------------------------------------------

    def _drift(self, market: Market, seconds: float) -> None:
        """The premium hovers around its basis."""
        back = min(1.0, seconds / PREMIUM_SECONDS)
        shock = PREMIUM_SPREAD * (2 * back) ** 0.5 * self._rng.gauss(0, 1)
        market.premium += (basis(market, self.done // MINUTE) - market.premium) * back + shock

    def _price(self, market: Market) -> None:
        market.index = self.walk.index(market.instrument.coin)
        if market.mark_held is not None:
            market.mark = market.mark_held
            market.premium = float(market.mark / market.index - 1)
            return
        mark = market.index * (1 + Decimal(market.premium)) / market.mark_step
        market.mark = mark.to_integral_value(ROUND_HALF_UP) * market.mark_step

    def reprice(self) -> None:
        for market in self._floor.markets.values():
            self._price(market)

    def _draw_leap(self, market: Market, old: tuple[Decimal, Decimal], before: int, at: int) -> None:
        """One bar per series for what was jumped over; the rest of the begun minute belongs to the running one."""
        first, last = -(-before // MINUTE), at // MINUTE
        if last <= first:
            return
        coin = market.instrument.coin
        sigma = COINS[coin][2] * ((last - first) * 60 / YEAR) ** 0.5 * 0.5
        rng, span = self._rng, last - first
        index = widen(first, span, float(old[0]), float(market.index), sigma, 0.0, rng)
        mark = widen(first, span, float(old[1]), float(market.mark), sigma, 0.0, rng)
        self.charts.leap(f"spot:{coin}", index)
        self.charts.leap(f"mark:{market.symbol}", mark)
        volume = self.makers[market.symbol].hourly_volume() * span / 60 * (0.6 + 0.8 * rng.random())
        self.charts.leap(f"trade:{market.symbol}", mark._replace(volume=volume))

    def hold(self, market: Market, price: Decimal) -> None:
        """Index and mark of this market are `price`; the coin's other markets keep their premium."""
        self.walk.hold(market.instrument.coin, price)
        market.mark_held = price
        self.reprice()

    def release(self, market: Market) -> None:
        self.walk.held.pop(market.instrument.coin, None)
        for other in self._floor.markets.values():
            if other.instrument.coin == market.instrument.coin:
                other.mark_held = None
        self.reprice()
