"""What to say after connecting, what a line means, and what to say about it. Waits for nothing, sends nothing.

Whoever moves the bytes sends `hello()` on every new connection, hands each line to `receive()`, and sends what
`answers()` gives back. The hundredth connection is the same as the first.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping

from krakenfutures.events import BalancesChanged, Event, TradesSnapshot
from krakenfutures.parse.stream import Challenge, read_line
from krakenfutures.sequences import Sequences, Stream, Verdict
from krakenfutures.signing import signed_challenge
from krakenfutures.values import BookDelta, BookSnapshot, Trade
from krakenfutures.venue import Credentials

Wishes = Mapping[str, frozenset[str]]

HEARTBEAT = '{"event":"subscribe","feed":"heartbeat"}'
PRIVATE_FEEDS = ("open_orders", "fills", "open_positions", "balances", "account_log", "notifications_auth")
PRODUCTS_A_LINE = 100


class MarketFeed:
    """The public streams. `wishes` is asked for what is wanted now: {"book": {"PF_XBTUSD"}, "ticker": …}."""

    def __init__(self, wishes: Callable[[], Wishes]) -> None:
        self._wishes = wishes
        self._asked: dict[str, frozenset[str]] = {}
        self._sequences = Sequences()
        self._answers: list[str] = []

    @property
    def ready(self) -> bool:
        """Everything wished for has been asked for; public streams need nothing more than `hello`."""
        return True

    def hello(self) -> list[str]:
        """What to send on a new connection, of which the venue knows nothing."""
        self._asked, self._answers = {}, []
        self._sequences.clear()
        return [HEARTBEAT, *self.catch_up()]

    def catch_up(self) -> list[str]:
        """What to send because the wishes changed; nothing when they did not."""
        wanted, lines = dict(self._wishes()), []
        for feed in sorted(self._asked.keys() | wanted.keys()):
            before, now = self._asked.get(feed, frozenset()), wanted.get(feed, frozenset())
            for symbol in before - now:
                self._sequences.forget((feed, symbol))
            lines += _lines("unsubscribe", feed, before - now)
            lines += _lines("subscribe", feed, now - before)
        self._asked = wanted
        return lines

    def answers(self) -> list[str]:
        """What the lines received so far ask us to send; empty after it was taken."""
        lines, self._answers = self._answers, []
        return lines

    def receive(self, text: str | bytes) -> Iterator[Event]:
        """The events of one line. Repeated numbers are dropped; after a gap a stream is silent until its snapshot."""
        event = read_line(text)
        if isinstance(event, BookDelta):
            yield from self._numbered(("book", event.symbol), event.seq, event)
        elif isinstance(event, Trade) and event.seq is not None:
            yield from self._numbered(("trade", event.symbol), event.seq, event)
        elif isinstance(event, BookSnapshot):
            self._sequences.start(("book", event.symbol), event.seq)
            yield event
        elif isinstance(event, TradesSnapshot):
            newest = max((trade.seq for trade in event.trades if trade.seq is not None), default=None)
            self._sequences.start(("trade", event.symbol), newest)
            yield event
        elif not isinstance(event, Challenge):
            yield event

    def _numbered(self, stream: Stream, seq: int, event: Event) -> Iterator[Event]:
        verdict, gap = self._sequences.check(stream, seq, needs_snapshot=stream[0] == "book")
        if verdict is Verdict.IN_ORDER:
            yield event
        elif gap is not None:
            feed, symbol = stream
            if symbol in self._asked.get(feed, frozenset()):
                self._answers += [*_lines("unsubscribe", feed, {symbol}), *_lines("subscribe", feed, {symbol})]
            yield gap


class AccountFeed:
    """The private streams of one key: first a challenge, then its signature with every subscription."""

    def __init__(self, credentials: Credentials, feeds: tuple[str, ...] = PRIVATE_FEEDS) -> None:
        self._credentials = credentials
        self._feeds = feeds
        self._proof: dict[str, str] = {}
        self._sequences = Sequences()
        self._answers: list[str] = []

    @property
    def ready(self) -> bool:
        """The challenge came and everything has been asked for."""
        return bool(self._proof)

    def hello(self) -> list[str]:
        """A new connection needs a new challenge: the old one is worth nothing there."""
        self._proof, self._answers = {}, []
        self._sequences.clear()
        return [HEARTBEAT, _line({"event": "challenge", "api_key": self._credentials.key})]

    def catch_up(self) -> list[str]:
        return []

    def answers(self) -> list[str]:
        lines, self._answers = self._answers, []
        return lines

    def receive(self, text: str | bytes) -> Iterator[Event]:
        """The events of one line. Raises `signing.BadSecret` when the challenge cannot be signed."""
        event = read_line(text)
        if isinstance(event, Challenge):
            self._prove(event.text)
        elif isinstance(event, BalancesChanged) and event.seq is not None:
            yield from self._balances(event, event.seq)
        else:
            yield event

    def _prove(self, challenge: str) -> None:
        self._proof = {
            "api_key": self._credentials.key,
            "original_challenge": challenge,
            "signed_challenge": signed_challenge(self._credentials.secret, challenge),
        }
        self._answers += [self._private("subscribe", feed) for feed in self._feeds]

    def _private(self, event: str, feed: str) -> str:
        return _line({"event": event, "feed": feed, **self._proof})

    def _balances(self, event: BalancesChanged, seq: int) -> Iterator[Event]:
        stream: Stream = ("balances", None)
        if event.complete:
            self._sequences.start(stream, seq)
            yield event
            return
        verdict, gap = self._sequences.check(stream, seq)
        if verdict is Verdict.IN_ORDER:
            yield event
        elif gap is not None:
            self._answers += [self._private(word, "balances") for word in ("unsubscribe", "subscribe")]
            yield gap


def _lines(event: str, feed: str, symbols: frozenset[str] | set[str | None]) -> list[str]:
    """As few lines as possible: the venue counts requests, not products."""
    names = sorted(symbol for symbol in symbols if symbol)
    parts = [names[start : start + PRODUCTS_A_LINE] for start in range(0, len(names), PRODUCTS_A_LINE)]
    return [_line({"event": event, "feed": feed, "product_ids": part}) for part in parts]


def _line(words: Mapping[str, object]) -> str:
    return json.dumps(words, separators=(",", ":"))
