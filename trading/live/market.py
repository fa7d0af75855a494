"""What the relay knows of one environment's markets, and what of it is news. Pure: no I/O."""

from __future__ import annotations

import time
from collections import deque
from typing import Any

from krakenfutures.book import Book
from krakenfutures.events import Disconnected, Event, Gap, TradesSnapshot
from krakenfutures.values import BookDelta, BookSnapshot, Ticker, Trade
from trading.live import wire
from trading.live.board import MOST_TRADES, TAPE
from trading.live.link import LinkState

DEPTH = 25
DEEP, DEEP_SECONDS = 400, 0.25  # levels of a side, told no oftener: for gathering levels and for the depth chart


class Market:
    """Hears events, newest wins; `take` hands out everything that changed since the last time, encoded."""

    def __init__(self, environment: str, epoch: str) -> None:
        self.environment, self.epoch = environment, epoch
        self.number = 0  # of the last batch
        self.link = LinkState()
        self.followed: frozenset[str] = frozenset()
        self.deep: frozenset[str] = frozenset()  # of them, the ones whose depth is looked at
        self.tickers: dict[str, Ticker] = {}
        self.books: dict[str, Book] = {}
        self.tapes: dict[str, deque[bytes]] = {}  # newest first
        self.changed_tickers: set[str] = set()
        self.changed_books: set[str] = set()
        self.changed_depths: set[str] = set()
        self.deep_told: dict[str, float] = {}  # symbol → monotonic time
        self.new_trades: dict[str, list[bytes]] = {}  # oldest first
        self.whole_tapes: set[str] = set()
        self.gone: set[str] = set()  # no longer followed
        self.shallow: frozenset[str] = frozenset()  # whose depth is no longer looked at
        self.unlisted: set[str] = set()

    @property
    def has_news(self) -> bool:
        return bool(self.changed_tickers or self.changed_books or self.new_trades or self.whole_tapes or self.gone)

    def hear(self, event: Event) -> None:
        self.link.hear(event)
        match event:
            case Ticker():
                self.tickers[event.symbol] = event
                self.changed_tickers.add(event.symbol)
            case BookDelta():
                if book := self.books.get(event.symbol):
                    book.delta(event)
                    self._moved(event.symbol)
            case BookSnapshot():
                if event.symbol in self.followed:
                    self.books.setdefault(event.symbol, Book(event.symbol)).snapshot(event)
                    self._moved(event.symbol)
            case Trade():
                self._trade(event)
            case TradesSnapshot() if event.symbol in self.followed:
                self.tapes[event.symbol] = deque(map(wire.trade_json, event.trades[:TAPE]), maxlen=TAPE)
                self.whole_tapes.add(event.symbol)
                self.new_trades.pop(event.symbol, None)
            case Gap(feed="book", symbol=str(symbol)):
                self._void([symbol])
            case Disconnected():
                self._void(list(self.books))
            case _:
                pass

    def _trade(self, trade: Trade) -> None:
        if trade.symbol not in self.tapes:
            return  # its snapshot is still to come, or nobody looks any more
        text = wire.trade_json(trade)
        self.tapes[trade.symbol].appendleft(text)
        self.new_trades.setdefault(trade.symbol, []).append(text)

    def _void(self, symbols: list[str]) -> None:
        for symbol in symbols:
            if book := self.books.get(symbol):
                book.void()
                self._moved(symbol)

    def _moved(self, symbol: str) -> None:
        self.changed_books.add(symbol)
        if symbol in self.deep:
            self.changed_depths.add(symbol)

    def follow(self, symbols: frozenset[str], deep: frozenset[str] = frozenset()) -> None:
        """Books and trades of these are wanted; what we hold of the others would only grow old."""
        self.changed_depths |= (deep - self.deep) & self.books.keys()
        self.changed_depths &= deep
        self.shallow = (self.shallow | (self.deep - deep)) - deep
        self.deep = deep
        for symbol in self.followed - symbols:
            self.books.pop(symbol, None)
            self.tapes.pop(symbol, None)
            self.deep_told.pop(symbol, None)
            self.changed_books.discard(symbol)
            self.changed_depths.discard(symbol)
            self.new_trades.pop(symbol, None)
            self.whole_tapes.discard(symbol)
            self.gone.add(symbol)
        self.gone -= symbols
        self.followed = symbols

    def forget(self, symbols: frozenset[str]) -> None:
        """These are listed no more."""
        for symbol in symbols:
            self.tickers.pop(symbol, None)
            self.changed_tickers.discard(symbol)
            self.unlisted.add(symbol)

    def take(self, link: bytes | None, accounts: dict[str, tuple[bytes, int]]) -> dict[str, Any]:
        """The next batch: one message for the channel layer, whatever has happened since the last one."""
        self.number += 1
        batch = {
            "type": "live.batch",
            "env": self.environment,
            "epoch": self.epoch,
            "n": self.number,
            "r": int(time.time() * 1000),
            "ticker": {symbol: self._ticker(symbol) for symbol in self.changed_tickers},
            "book": {symbol: self._book(symbol) for symbol in self.changed_books if symbol in self.books},
            "depth": {symbol: self._depth(symbol) for symbol in self._due()},
            "trades": {symbol: self._trades(symbol) for symbol in self.new_trades.keys() | self.whole_tapes},
            "gone": sorted(self.gone),
            "shallow": sorted(self.shallow | self.gone),
            "unlisted": sorted(self.unlisted),
            "link": link,
            "accounts": accounts,
        }
        for news in (self.changed_tickers, self.changed_books, self.new_trades, self.whole_tapes):
            news.clear()
        self.gone.clear()
        self.shallow = frozenset()
        self.unlisted.clear()
        return batch

    def _ticker(self, symbol: str) -> tuple[int | None, bytes, bytes]:
        ticker = self.tickers[symbol]
        return wire.milliseconds(ticker.at), wire.ticker_json(ticker), wire.ticker_row(ticker)

    def _book(self, symbol: str) -> tuple[int | None, bytes]:
        book = self.books[symbol]
        return wire.milliseconds(book.at), wire.book_json(book.as_snapshot(DEPTH), gap=not book.valid)

    def _due(self) -> list[str]:
        """Whose depth is told now; the others stay changed until their time has come."""
        now = time.monotonic()
        due = [one for one in self.changed_depths if now - self.deep_told.get(one, float("-inf")) >= DEEP_SECONDS]
        self.deep_told.update(dict.fromkeys(due, now))
        self.changed_depths.difference_update(due)
        return [symbol for symbol in due if symbol in self.books]

    def _depth(self, symbol: str) -> tuple[int | None, bytes]:
        book = self.books[symbol]
        return wire.milliseconds(book.at), wire.book_json(book.as_snapshot(DEEP), gap=not book.valid)

    def _trades(self, symbol: str) -> tuple[bool, list[bytes]]:
        new = self.new_trades.get(symbol, [])
        if symbol in self.whole_tapes or len(new) > MOST_TRADES:
            return True, list(self.tapes[symbol])
        return False, new[::-1]

    def tape(self, symbol: str) -> bytes:
        return b"[%s]" % b",".join(self.tapes[symbol])
