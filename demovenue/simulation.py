"""Time passing: four ticks a second while somebody watches, leaps when the clock has jumped.

A tick moves the index, the marks, the makers and takers, and wakes what waits for a price. Full hours and maturities
are never stepped over: every stretch of time ends there.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from decimal import Decimal

from demovenue.cancels import Cancels
from demovenue.charts import Charts
from demovenue.clock import SECOND, to_millis
from demovenue.events import InstrumentsChanged, TickerChanged
from demovenue.floor import Floor
from demovenue.funding import Funding
from demovenue.instruments import listed
from demovenue.liquidation import Liquidation
from demovenue.makers import Maker
from demovenue.market import Market
from demovenue.marks import basis, follow_book, set_mark
from demovenue.matching import Matching
from demovenue.passage import Passage, Way
from demovenue.settlement import Settlement
from demovenue.sketch import Bar, widen
from demovenue.tickers import Tickers
from demovenue.triggers import Triggers
from demovenue.values import TradePrint
from demovenue.walk import COINS, YEAR, Walk

TICK = SECOND // 4
MINUTE, HOUR = 60 * SECOND, 3600 * SECOND
LIVE = 40 * TICK  # up to here every tick is played
NEAR = 60 * SECOND  # up to here four longer ticks are
FAR = 6 * HOUR  # up to here leaps are minutes, beyond they are hours
TAPE_KEPT = 2 * 3_600_000  # milliseconds of trades that a restart finds again
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
        self._passage = Passage(floor, matching, triggers, liquidation, cancels, lambda symbol: self.makers[symbol])
        self._leaping = False
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
            market.lean = market.premium = basis(market, floor.micros // MINUTE)
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
        """Plays the market up to `target` (microseconds). The caller holds the floor's work. Floor time goes along,
        so that everything is stamped with the moment at which it happens."""
        if self._next_stop() > target:
            return
        gap = target - self.done
        if gap <= LIVE:
            while self._next_stop() <= target:
                self._go(self._next_stop())
        elif gap <= NEAR:
            for part in range(4, 0, -1):
                self._go(self.done + (target - self.done) // part)
        else:
            self._leap_to(target)
        self._floor.micros = target

    def _next_stop(self) -> int:
        """Ticks begin anew at every full hour, so that it does not matter how often anybody looks."""
        return min(self.done + TICK, (self.done // HOUR + 1) * HOUR)

    def _leap_to(self, target: int) -> None:
        length = MINUTE if target - self.done <= FAR else HOUR
        for maker in self.makers.values():
            maker.withdraw()
        self._leaping = True
        while self.done // length < target // length:
            self._go((self.done // length + 1) * length, leap=True)
        while self.done // MINUTE < target // MINUTE:
            self._go((target // MINUTE) * MINUTE, leap=True)
        self._leaping = False
        self.fill_books()
        self.tickers.forget_days()
        for symbol, maker in self.makers.items():
            self._floor.markets[symbol].passing = None
            maker.print_one()
        self._go(max(target, self.done + 1))
        self._keep()

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
            if not self._leaping:
                self.fill_books()
        if not self._leaping:
            self._keep()

    def _keep(self) -> None:
        """For a restart: clock and prices as they are, and no more of the tape than it wants."""
        self._floor.store.forget_trades(to_millis(self._floor.now) - TAPE_KEPT)
        self.saved()

    # --- one tick ----------------------------------------------------------------------------------------------

    def _tick(self, at: int, leap: bool) -> None:
        seconds, before = (at - self.done) / SECOND, self.done
        floor = self._floor
        self.done = at
        self.walk.step(seconds)
        self._ticks += 1
        if leap:
            self._leap(seconds, before, at)
            return
        floor.micros = at
        for market in list(floor.markets.values()):
            self._drift(market, seconds)
            self._price(market)
            self._funding.observe(market, seconds)
            self._play(market, seconds)
        self._watch()

    def _leap(self, seconds: float, before: int, at: int) -> None:
        """Prices go the whole way at once; people who wait for one in between are met on it."""
        ways: dict[str, Way] = {}
        indexes: set[str] = set()  # coins whose index has gone its way
        for market in self._floor.markets.values():
            old = (market.index, market.mark)
            self._drift(market, seconds)
            market.premium = market.lean
            self._price(market)
            self._funding.observe(market, seconds)
            ways[market.symbol] = Way(self._draw_leap(market, old, before, at, indexes), market.index, market.mark)
            market.index, market.mark = old
        self._passage.cross(ways, before, at)
        self._cancels.fire_due()
        self._floor.forget_finished()

    def _play(self, market: Market, seconds: float) -> None:
        """The makers, the takers, and what they leave behind."""
        maker, rng = self.makers[market.symbol], self._rng
        if market.status.suspended:
            self._see_prices(market)
            return
        # Quiet markets need not move four times a second.
        maker.unseen += seconds
        if maker.rate > 0.25 or rng.random() < 0.4:
            maker.quote()
            follow_book(market, maker.unseen, self.done // MINUTE)
            set_mark(market)
            maker.unseen = 0.0
            if rng.random() < 0.5:
                maker.refresh()
            maker.trade(seconds)
            self._floor.publish_book(market)
        self._see_prices(market)
        self._floor.ring(TickerChanged(symbol=market.symbol))

    def _see_prices(self, market: Market) -> None:
        self.charts.see(f"mark:{market.symbol}", market.mark)
        self.charts.see(f"spot:{market.instrument.coin}", market.index)

    def see_prices(self) -> None:
        """The running candles begin with the prices of now."""
        for market in self._floor.markets.values():
            self._see_prices(market)

    def record(self, market: Market, trade: TradePrint) -> None:
        """Every trade enters the candles and the 24 hours; those met in a leap are part of its bars already."""
        if self._leaping:
            return
        self.tickers.see(market, trade)
        self.charts.see(f"trade:{market.symbol}", trade.price, trade.size)

    def _watch(self) -> None:
        """Whatever waits for a price or for a time."""
        floor = self._floor
        for market in list(floor.markets.values()):
            if floor.triggers[market.symbol]:
                self._triggers.check(market)
        if self._ticks % 4 == 0:
            self._liquidation.check_all()
        self._cancels.fire_due()
        floor.forget_finished()

    def watch_now(self) -> None:
        """After prices were moved by hand: triggers and margins at once, the makers follow."""
        for market in self._floor.markets.values():
            self.makers[market.symbol].quote()
        self._watch()
        self._liquidation.check_all()
        for market in self._floor.markets.values():
            self._floor.ring(TickerChanged(symbol=market.symbol))

    # --- prices ------------------------------------------------------------------------------------------------

    def _drift(self, market: Market, seconds: float) -> None:
        """What the makers take for the premium hovers around its basis."""
        back = min(1.0, seconds / PREMIUM_SECONDS)
        shock = PREMIUM_SPREAD * (2 * back) ** 0.5 * self._rng.gauss(0, 1)
        market.lean += (basis(market, self.done // MINUTE) - market.lean) * back + shock

    def _price(self, market: Market) -> None:
        market.index = self.walk.index(market.instrument.coin)
        set_mark(market)

    def reprice(self) -> None:
        for market in self._floor.markets.values():
            self._price(market)

    def _draw_leap(self, market: Market, old: tuple[Decimal, Decimal], before: int, at: int, indexes: set[str]) -> Bar:
        """One bar per series for what was jumped over; the rest of the begun minute belongs to the running one.
        Returns how the mark went."""
        first, last = -(-before // MINUTE), at // MINUTE
        if last <= first:
            begin, end = float(old[1]), float(market.mark)
            return Bar(first, 1, begin, max(begin, end), min(begin, end), end, 0.0)
        coin = market.instrument.coin
        held = coin in self.walk.held
        sigma = 0.0 if held else COINS[coin][2] * ((last - first) * 60 / YEAR) ** 0.5 * 0.5
        rng, span = self._rng, last - first
        if coin not in indexes:
            indexes.add(coin)
            index = widen(first, span, float(old[0]), float(market.index), sigma, 0.0, rng)
            self.charts.leap(f"spot:{coin}", index)
        mark = widen(first, span, float(old[1]), float(market.mark), sigma, 0.0, rng)
        self.charts.leap(f"mark:{market.symbol}", mark)
        volume = self.makers[market.symbol].hourly_volume() * span / 60 * (0.6 + 0.8 * rng.random())
        self.charts.leap(f"trade:{market.symbol}", mark._replace(volume=volume))
        return mark

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
