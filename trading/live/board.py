"""The last value of every market stream of one environment, as the relay's batches tell it. Pure: no I/O."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from krakenfutures.values import Ticker
from trading.live import wire
from trading.live.frames import message
from trading.live.stored import Stored
from trading.live.streams import NO_RELAY, Stream
from trading.plain import encode

TAPE = 50  # trades a snapshot holds
MOST_TRADES = 500  # that one message tells one by one

Batch = Mapping[str, Any]  # made by `trading.live.market`
Addition = Sequence[Any] | None  # changed symbols (text), new trades (JSON, newest first), or simply "it changed"

_ticker = msgspec.json.Decoder(Ticker)
_parts = msgspec.json.Decoder(list[msgspec.Raw])


class Entry(NamedTuple):
    data: bytes
    venue_ms: int | None
    relay_ms: int | None


class Change(NamedTuple):
    stream: str
    addition: Addition


EMPTY_BOOK = Entry(b'{"bids":[],"asks":[],"gap":true}', None, None)
NOTHING = Entry(b"{}", None, None)


class Board:
    def __init__(self, environment: str) -> None:
        self.environment = environment
        self.epoch = ""  # which relay
        self.number = 0  # of its last batch
        self.tickers: dict[str, Entry] = {}
        self.rows: dict[str, bytes] = {}
        self.books: dict[str, Entry] = {}
        self.depths: dict[str, Entry] = {}  # the same books, deeper and less often
        self.tapes: dict[str, deque[bytes]] = {}  # newest first
        self.link = Entry(encode(NO_RELAY), None, None)
        self.relay_ms: int | None = None

    def follows(self, batch: Batch) -> bool:
        """Whether nothing was lost between the last batch and this one."""
        return bool(batch["epoch"] == self.epoch and batch["n"] == self.number + 1)

    def is_old(self, batch: Batch) -> bool:
        return bool(batch["epoch"] == self.epoch and batch["n"] <= self.number)

    def apply(self, batch: Batch) -> Iterator[Change]:
        """Take over what the batch says; tells which streams changed."""
        self.epoch, self.number, self.relay_ms = batch["epoch"], batch["n"], batch["r"]
        for symbol, (venue_ms, whole, row) in batch["ticker"].items():
            self.tickers[symbol] = Entry(whole, venue_ms, self.relay_ms)
            self.rows[symbol] = row
            yield Change(f"ticker:{self.environment}:{symbol}", None)
        if batch["ticker"]:
            yield Change(f"tickers:{self.environment}", tuple(batch["ticker"]))
        for symbol, (venue_ms, book) in batch["book"].items():
            self.books[symbol] = Entry(book, venue_ms, self.relay_ms)
            yield Change(f"book:{self.environment}:{symbol}", None)
        for symbol, (venue_ms, book) in batch["depth"].items():
            self.depths[symbol] = Entry(book, venue_ms, self.relay_ms)
            yield Change(f"depth:{self.environment}:{symbol}", None)
        for symbol, (whole, trades) in batch["trades"].items():
            tape = self.tapes.setdefault(symbol, deque(maxlen=TAPE))
            if whole:
                tape.clear()
            tape.extendleft(reversed(trades))
            yield Change(f"trades:{self.environment}:{symbol}", None if whole else trades)
        for symbol in batch["gone"]:  # no longer followed: an old book must not pass for a fresh one
            self.books.pop(symbol, None)
            self.tapes.pop(symbol, None)
        for symbol in batch["shallow"]:
            self.depths.pop(symbol, None)
        for symbol in batch["unlisted"]:
            self.tickers.pop(symbol, None)
            self.rows.pop(symbol, None)
        if batch["unlisted"]:
            yield Change(f"tickers:{self.environment}", None)
        if batch["link"] is not None:
            self.link = Entry(batch["link"], None, self.relay_ms)
            yield Change(f"link:{self.environment}", None)

    def load(self, stored: Stored) -> None:
        """Begin anew from what the relay keeps in the store."""
        self.epoch, self.number = stored.epoch, stored.number
        decoded = {symbol: _ticker.decode(text) for symbol, text in stored.tickers.items()}
        self.tickers = {
            symbol: Entry(text, wire.milliseconds(decoded[symbol].at), None) for symbol, text in stored.tickers.items()
        }
        self.rows = {symbol: wire.ticker_row(ticker) for symbol, ticker in decoded.items()}
        self.books = {symbol: Entry(text, None, None) for symbol, text in stored.books.items()}
        self.depths = {symbol: Entry(text, None, None) for symbol, text in stored.depths.items()}
        self.tapes = {
            symbol: deque((bytes(part) for part in _parts.decode(text)), maxlen=TAPE)
            for symbol, text in stored.tapes.items()
        }
        if stored.link:
            self.link = Entry(stored.link, None, None)

    def relay_is_silent(self) -> Iterator[Change]:
        """Nothing came from the relay for too long: what it last said of the link no longer holds."""
        link = {**msgspec.json.decode(self.link.data), "state": NO_RELAY["state"], "why": NO_RELAY["why"]}
        self.link = Entry(encode(link), None, None)
        yield Change(f"link:{self.environment}", None)

    def snapshot(self, stream: Stream) -> Entry:
        """The whole state of a stream. One that nobody has told us of yet is empty, and says so."""
        match stream.kind:
            case "ticker":
                return self.tickers.get(stream.symbol, NOTHING)
            case "book":
                return self.books.get(stream.symbol, EMPTY_BOOK)
            case "depth":
                return self.depths.get(stream.symbol, EMPTY_BOOK)
            case "trades":
                return Entry(b'{"trades":[%s]}' % b",".join(self.tapes.get(stream.symbol, ())), None, self.relay_ms)
            case "tickers":
                return Entry(self._rows_json(self.rows), None, self.relay_ms)
            case _:
                return self.link

    def update(self, stream: Stream, additions: list[Addition]) -> tuple[str, Entry]:
        """What `additions` come to, as one message: its kind and its data. The newest of each wins, trades add up."""
        if stream.kind == "tickers" and None not in additions:
            symbols = {str(symbol): None for part in additions if part for symbol in part}
            rows = {symbol: self.rows[symbol] for symbol in symbols if symbol in self.rows}
            return "upd", Entry(self._rows_json(rows), None, self.relay_ms)
        if stream.kind == "trades":
            trades = [bytes(trade) for part in reversed(additions) if part for trade in part]  # newest first
            if None not in additions and len(trades) <= MOST_TRADES:
                return "upd", Entry(b'{"trades":[%s]}' % b",".join(trades), None, self.relay_ms)
            return "snap", self.snapshot(stream)  # too many to tell, or a new beginning: the page replaces all
        if stream.kind == "tickers":
            return "snap", self.snapshot(stream)
        return "upd", self.snapshot(stream)

    @staticmethod
    def _rows_json(rows: Mapping[str, bytes]) -> bytes:
        return b"{%s}" % b",".join(b'"%s":%s' % (symbol.encode(), row) for symbol, row in rows.items())


def market_message(name: str, number: int, kind: str, entry: Entry) -> bytes:
    return message(name, number, kind, entry.data, venue_ms=entry.venue_ms, relay_ms=entry.relay_ms)
