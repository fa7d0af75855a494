"""One market: its book, its tape and its prices now. Translates between Decimal and the book's ticks and lots."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta
from decimal import Decimal

from demovenue.book import Book
from demovenue.clock import from_micros
from demovenue.ids import public_id
from demovenue.values import BookView, Instrument, InstrumentStatus, MarketOrder, TradePrint

TAPE_LENGTH = 20_000
ZERO = Decimal(0)


class Market:
    def __init__(self, instrument: Instrument) -> None:
        self.instrument = instrument
        self.symbol = instrument.symbol
        self.status = InstrumentStatus(symbol=instrument.symbol)
        self.book = Book()
        self.seq = 0  # of the last book delta
        self.trade_seq = 0
        self.tape: deque[TradePrint] = deque(maxlen=TAPE_LENGTH)
        # What came and went in the book: number, microseconds, placed?, id, buy, price, size.
        self.comings: deque[tuple[int, int, bool, str, bool, int, int]] = deque(maxlen=TAPE_LENGTH // 4)
        self.coming_seq = 0
        self.index = ZERO
        self.mark = ZERO
        self.mark_held: Decimal | None = None
        self.lean = 0.0  # where the makers see the mark: mark ÷ index − 1, a walk of its own
        self.premium = 0.0  # mark ÷ index − 1 as the book has it, averaged
        self.passing: Decimal | None = None  # the last price while time leaps and nobody trades
        self.funding_rate = ZERO  # absolute, in force this hour
        self.funding_relative = ZERO
        self.premium_sum = 0.0  # × seconds, since the hour began
        self.premium_seconds = 0.0
        self.open_interest = ZERO
        # The mark is finer than the tick, as the real one.
        self.mark_step = instrument.tick / 1000

    # --- units -------------------------------------------------------------------------------------------------

    def ticks(self, price: Decimal) -> int:
        return int(price / self.instrument.tick)

    def price(self, ticks: int) -> Decimal:
        return ticks * self.instrument.tick

    def lots(self, size: Decimal) -> int:
        return int(size / self.instrument.lot)

    def size(self, lots: int) -> Decimal:
        return lots * self.instrument.lot

    # --- prices ------------------------------------------------------------------------------------------------

    @property
    def last(self) -> Decimal | None:
        if self.passing is not None:
            return self.passing
        return self.tape[-1].price if self.tape else None

    def best(self, buy: bool) -> Decimal | None:
        """The best bid (`buy`) or ask."""
        ticks = self.book.half(buy).best
        return None if ticks is None else self.price(ticks)

    def signal(self, name: str) -> Decimal | None:
        """The price a trigger watches: mark, index or last."""
        if name == "last":
            return self.last
        return self.mark if name == "mark" else self.index

    def view(self, at: datetime) -> BookView:
        sides = [
            tuple((self.price(price), self.size(size)) for price, size in self.book.depth(buy))
            for buy in (True, False)
        ]
        return BookView(symbol=self.symbol, seq=self.seq, at=at, bids=sides[0], asks=sides[1])

    def remember_comings(self, micros: int) -> None:
        """Called when the book's changes are told."""
        for coming in self.book.comings:
            self.coming_seq += 1
            self.comings.append((self.coming_seq, micros, *coming))
        self.book.comings.clear()

    def orders_between(self, since: datetime | None, before: datetime | None, limit: int) -> list[MarketOrder]:
        """Newest first, of the last few thousand."""
        found: list[MarketOrder] = []
        for seq, micros, placed, order_id, buy, price, size in reversed(self.comings):
            at = from_micros(micros)
            if len(found) == limit or (since and at < since):
                break
            if before is None or at < before:
                found.append(
                    MarketOrder(
                        seq=seq,
                        symbol=self.symbol,
                        key="OrderPlaced" if placed else "OrderCancelled",
                        order_id=public_id(order_id),
                        side="buy" if buy else "sell",
                        price=self.price(price),
                        size=self.size(size),
                        at=at,
                    )
                )
        return found

    def predicted_relative(self) -> Decimal:
        """The rate the next hour will have if the premium stays as it was on average."""
        if not self.premium_seconds:
            return ZERO
        return self.relative_rate(self.premium_sum / self.premium_seconds)

    def relative_rate(self, premium: float) -> Decimal:
        """The funding rate that an average premium makes, within its cap; 0 without funding."""
        instrument = self.instrument
        if instrument.funding_coefficient is None or instrument.funding_cap is None:
            return ZERO
        average = Decimal(premium)
        relative = (average / instrument.funding_coefficient).quantize(Decimal("1E-12"))
        return max(-instrument.funding_cap, min(instrument.funding_cap, relative))

    def tape_before(self, before: datetime | None, limit: int) -> list[TradePrint]:
        """Newest first; nothing older than seven days."""
        found: list[TradePrint] = []
        for trade in reversed(self.tape):
            if len(found) == limit or (before and trade.at < before - timedelta(days=7)):
                break
            if before is None or trade.at < before:
                found.append(trade)
        return found
