"""The 24 hours behind every market, and the record that sums a market up."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

from demovenue.charts import Charts
from demovenue.floor import Floor
from demovenue.market import Market
from demovenue.values import Ticker, TradePrint

ZERO = Decimal(0)
DAY = 1440


class Minute:
    __slots__ = ("coin", "high", "low", "minute", "open", "volume")

    def __init__(
        self, minute: int, open_: Decimal, high: Decimal, low: Decimal, volume: Decimal, coin: Decimal
    ) -> None:
        self.minute = minute
        self.open = open_
        self.high = high
        self.low = low
        self.volume = volume
        self.coin = coin  # Σ size × price if linear, Σ size ÷ price if inverse


class Day:
    """A rolling window of minutes with running sums."""

    def __init__(self) -> None:
        self.minutes: deque[Minute] = deque()
        self.volume = ZERO
        self.other = ZERO
        self._extremes: tuple[int, Decimal, Decimal] | None = None

    def add(self, minute: int, inverse: bool, price: Decimal, high: Decimal, low: Decimal, size: Decimal) -> None:
        other = size / price if inverse else size * price
        self.volume += size
        self.other += other
        last = self.minutes[-1] if self.minutes else None
        if last is not None and last.minute == minute:
            last.high, last.low = max(last.high, high), min(last.low, low)
            last.volume += size
            last.coin += other
            if self._extremes:
                self._extremes = (minute, max(self._extremes[1], high), min(self._extremes[2], low))
        else:
            self.minutes.append(Minute(minute, price, high, low, size, other))
            self._extremes = None

    def forget(self, now: int) -> None:
        while self.minutes and self.minutes[0].minute < now - DAY:
            gone = self.minutes.popleft()
            self.volume -= gone.volume
            self.other -= gone.coin
            self._extremes = None

    def extremes(self) -> tuple[Decimal, Decimal]:
        if self._extremes is None:
            high = max(m.high for m in self.minutes)
            low = min(m.low for m in self.minutes)
            self._extremes = (self.minutes[-1].minute, high, low)
        return self._extremes[1], self._extremes[2]


class Tickers:
    def __init__(self, floor: Floor, charts: Charts) -> None:
        self._floor = floor
        self._charts = charts
        self._days: dict[str, Day] = {}

    def see(self, market: Market, trade: TradePrint) -> None:
        day = self._days.get(market.symbol)
        if day is not None:  # otherwise it will be read from the charts, this trade included
            minute = self._floor.micros // 60_000_000
            day.add(minute, market.instrument.inverse, trade.price, trade.price, trade.price, trade.size)

    def forget_days(self) -> None:
        """After a jump the windows are read anew."""
        self._days.clear()

    def _day(self, market: Market) -> Day:
        day = self._days.get(market.symbol)
        if day is None:
            day = self._days[market.symbol] = Day()
            instrument = market.instrument
            for bar in self._charts.day(market):
                open_, high, low = (market.price(round(v / float(instrument.tick))) for v in bar[2:5])
                size = market.size(round(bar.volume / float(instrument.lot)))
                day.add(bar.minute, instrument.inverse, open_, high, low, size)
        day.forget(self._floor.micros // 60_000_000)
        return day

    def ticker(self, market: Market) -> Ticker:
        instrument, day = market.instrument, self._day(market)
        bid, ask = market.best(True), market.best(False)
        book = market.book
        last = market.tape[-1] if market.tape else None
        opened = day.minutes[0].open if day.minutes else None
        price = last.price if last else market.mark
        high, low = day.extremes() if day.minutes else (None, None)
        perpetual = instrument.perpetual
        premium = (market.mark / market.index - 1) * 100
        predicted = market.predicted_relative()
        return Ticker(
            symbol=market.symbol,
            at=self._floor.now,
            tag=instrument.tag,
            pair=instrument.pair,
            mark=market.mark,
            index=market.index,
            volume=day.volume,
            volume_quote=day.volume if instrument.inverse else day.other,
            open_interest=market.open_interest,
            change=self._round((price / opened - 1) * 100, "0.01") if opened else ZERO,
            suspended=market.status.suspended,
            post_only=market.status.post_only,
            premium=self._round(premium, "0.1"),
            leverage=f"{(1 / instrument.levels[0].initial).to_integral_value()}x",
            bid=bid,
            bid_size=market.size(book.bids.levels[book.bids.best].size) if book.bids.best is not None else None,
            ask=ask,
            ask_size=market.size(book.asks.levels[book.asks.best].size) if book.asks.best is not None else None,
            last=last.price if last else None,
            last_size=last.size if last else None,
            last_at=last.at if last else None,
            open=opened,
            high=high,
            low=low,
            vwap=self._vwap(market, day),
            funding_rate=market.funding_rate if perpetual else None,
            funding_rate_prediction=self._absolute(market, predicted) if perpetual else None,
            relative_funding_rate=market.funding_relative if perpetual else None,
            relative_funding_rate_prediction=predicted if perpetual else None,
            next_funding=self._next_hour() if perpetual else None,
            maturity=instrument.maturity,
        )

    @staticmethod
    def _vwap(market: Market, day: Day) -> Decimal | None:
        if not day.volume or not day.other:
            return None
        average = day.volume / day.other if market.instrument.inverse else day.other / day.volume
        return average.quantize(Decimal("1E-8"), ROUND_HALF_UP)

    @staticmethod
    def _absolute(market: Market, relative: Decimal) -> Decimal:
        rate = relative / market.index if market.instrument.inverse else relative * market.index
        return rate.quantize(Decimal("1E-18"), ROUND_HALF_UP)

    @staticmethod
    def _round(value: Decimal, step: str) -> Decimal:
        return value.quantize(Decimal(step), ROUND_HALF_UP)

    def _next_hour(self) -> datetime:
        return self._floor.now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
