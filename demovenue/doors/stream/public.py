"""The feeds anybody may hear: ticker, ticker_lite, trade, book, candles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from demovenue import events
from demovenue.doors.charts import SECONDS, candle
from demovenue.doors.shapes import feeds
from demovenue.doors.stream.connection import Connection
from demovenue.values import Ticker

if TYPE_CHECKING:
    from demovenue.doors.stream.hub import Hub

PAUSE = 1.0  # seconds between two tickers of one product
CANDLES = {f"candles_trade_{resolution}": resolution for resolution in SECONDS}
PRODUCT_FEEDS = frozenset({"ticker", "ticker_lite", "trade", "book", *CANDLES})


class PublicFeeds:
    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self._restless: set[str] = set()  # products whose ticker changed
        self._traded: set[str] = set()  # products whose candles changed
        self._told_at: dict[str, float] = {}
        self._told: dict[str, Ticker] = {}

    # --- snapshots --------------------------------------------------------------------------------

    def snapshot(self, connection: Connection, feed: str, product: str) -> None:
        """What a new subscriber hears first."""
        exchange = self.hub.house.exchange
        if feed == "book":
            connection.say(feeds.book_snapshot(exchange.book(product)))
        elif feed == "trade":
            connection.say(feeds.trade_snapshot(product, exchange.trades(product, limit=100)))
        elif feed in CANDLES:
            self._candle(feed, product, connection)
        else:
            shape = feeds.ticker if feed == "ticker" else feeds.ticker_lite
            connection.say(shape(exchange.ticker(product)))

    def _candle(self, feed: str, product: str, connection: Connection | None = None) -> None:
        """The running candle, to one newcomer or to everybody."""
        found, _ = self.hub.house.exchange.candles("trade", product, CANDLES[feed], since=None, until=None, count=1)
        if not found:
            return
        fields: dict[str, Any] = {"candle": candle(found[-1]), "product_id": product}
        if connection is not None:
            connection.say({"feed": f"{feed}_snapshot", **fields})
        else:
            self.hub.tell((feed, product), {"feed": feed, **fields})

    # --- events -----------------------------------------------------------------------------------

    def on_book(self, event: events.Event) -> None:
        assert isinstance(event, events.BookDelta)
        topic = ("book", event.symbol)
        if self.hub.listeners(topic):
            self.hub.tell(topic, feeds.book_delta(event))

    def on_trade(self, event: events.Event) -> None:
        assert isinstance(event, events.Traded)
        symbol = event.trade.symbol
        self._traded.add(symbol)
        if self.hub.listeners(("trade", symbol)):
            self.hub.tell(("trade", symbol), feeds.trade(event.trade))

    def on_ticker(self, event: events.Event) -> None:
        assert isinstance(event, events.TickerChanged)
        self._restless.add(event.symbol)

    def on_turn(self, now: float) -> None:
        """Send the tickers that changed and have paused long enough."""
        for symbol in list(self._restless):
            if now - self._told_at.get(symbol, 0.0) >= PAUSE:
                self._restless.discard(symbol)
                self._ticker(symbol, now)

    def _ticker(self, symbol: str, now: float) -> None:
        self._told_at[symbol] = now
        if symbol in self._traded:
            self._traded.discard(symbol)
            for feed in CANDLES:
                if self.hub.listeners((feed, symbol)):
                    self._candle(feed, symbol)
        wanted = [feed for feed in ("ticker", "ticker_lite") if self.hub.listeners((feed, symbol))]
        if not wanted or self.hub.house.exchange.instrument(symbol) is None:
            return
        value = self.hub.house.exchange.ticker(symbol)
        if not self._is_news(symbol, value):
            return
        for feed in wanted:
            shape = feeds.ticker if feed == "ticker" else feeds.ticker_lite
            self.hub.tell((feed, symbol), shape(value))

    def _is_news(self, symbol: str, value: Ticker) -> bool:
        """False when nothing but the time moved."""
        before = self._told.get(symbol)
        self._told[symbol] = value
        return before is None or msgspec.structs.replace(before, at=value.at) != value
