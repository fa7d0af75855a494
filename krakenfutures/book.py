"""An order book kept from a snapshot and numbered changes. A skipped number voids it until the next snapshot."""

from __future__ import annotations

from bisect import bisect_left, insort
from datetime import datetime
from decimal import Decimal
from operator import neg

from krakenfutures.events import Gap
from krakenfutures.values import BookDelta, BookSnapshot, Level, Side


class _Ladder:
    """One side: sizes by price, and the prices in order, best first."""

    def __init__(self, side: Side) -> None:
        self._rank = neg if side is Side.BUY else None
        self.sizes: dict[Decimal, Decimal] = {}
        self.prices: list[Decimal] = []

    def reset(self, levels: tuple[Level, ...]) -> None:
        self.sizes = {level.price: level.size for level in levels if level.size > 0}
        self.prices = sorted(self.sizes, key=self._rank)

    def put(self, price: Decimal, size: Decimal) -> None:
        known = price in self.sizes
        if size > 0:
            self.sizes[price] = size
            if not known:
                insort(self.prices, price, key=self._rank)
        elif known:
            del self.sizes[price]
            rank = -price if self._rank else price
            del self.prices[bisect_left(self.prices, rank, key=self._rank)]

    def top(self, depth: int | None) -> tuple[Level, ...]:
        return tuple(Level(price=price, size=self.sizes[price]) for price in self.prices[:depth])


class Book:
    """The book of one symbol. While it is not `valid` it shows nothing: half a book is a lie."""

    def __init__(self, symbol: str) -> None:
        self.symbol = symbol
        self.valid = False
        self.seq: int | None = None
        self.at: datetime | None = None
        self._bids = _Ladder(Side.BUY)
        self._asks = _Ladder(Side.SELL)

    def snapshot(self, snapshot: BookSnapshot) -> None:
        """Start anew from the whole book."""
        self._bids.reset(snapshot.bids)
        self._asks.reset(snapshot.asks)
        self.seq, self.at, self.valid = snapshot.seq, snapshot.at, True

    def delta(self, delta: BookDelta) -> Gap | None:
        """Apply one change. A number already seen changes nothing; a skipped one voids the book and is returned."""
        if not self.valid or self.seq is None:
            return None
        if delta.seq <= self.seq:
            return None
        if delta.seq != self.seq + 1:
            self.void()
            return Gap(feed="book", symbol=self.symbol, expected=self.seq + 1, got=delta.seq)
        side = self._bids if delta.side is Side.BUY else self._asks
        side.put(delta.price, delta.size)
        self.seq, self.at = delta.seq, delta.at
        return None

    def void(self) -> None:
        """What we hold is not to be trusted any more."""
        self.valid = False

    def levels(self, depth: int | None = None) -> tuple[tuple[Level, ...], tuple[Level, ...]]:
        """Bids and asks, best first, `depth` of each; nothing while the book is void."""
        if not self.valid:
            return (), ()
        return self._bids.top(depth), self._asks.top(depth)

    def best(self) -> tuple[Level | None, Level | None]:
        """The best bid and the best ask; None for an empty side."""
        bids, asks = self.levels(1)
        return (bids[0] if bids else None), (asks[0] if asks else None)

    def as_snapshot(self, depth: int | None = None) -> BookSnapshot:
        bids, asks = self.levels(depth)
        return BookSnapshot(symbol=self.symbol, bids=bids, asks=asks, seq=self.seq, at=self.at)
