"""The relay's last word, for pages drawn by the server."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection
from decimal import Decimal
from typing import Any, cast

import msgspec
import redis

from accounts.store import store
from krakenfutures.values import BookSnapshot, Level, Ticker
from trading.live.streams import NO_RELAY, RELAY_LATE_MS, key

log = logging.getLogger(__name__)

_ticker = msgspec.json.Decoder(Ticker)


def latest_tickers(environment: str, symbols: Collection[str] | None = None) -> dict[str, Ticker]:
    """The tickers the relay knows, all or those of `symbols`; `at` of each is its age.

    Empty without a relay (or without a store: logged).
    """
    name = key(environment, "tickers")
    try:
        if symbols is None:
            rows = cast("dict[bytes, bytes]", store().hgetall(name))
        else:
            found = cast("list[bytes | None]", store().hmget(name, list(symbols))) if symbols else []
            rows = {symbol.encode(): row for symbol, row in zip(symbols, found, strict=False) if row is not None}
    except redis.RedisError as problem:
        log.warning("the store does not answer, so there are no live prices: %s", problem)
        return {}
    return {symbol.decode(): _ticker.decode(row) for symbol, row in rows.items()}


def latest_book(environment: str, symbol: str) -> BookSnapshot | None:
    """The best 25 levels of a side, as the relay last knew them; None while nobody watches it, or it is in pieces."""
    try:
        text = cast("bytes | None", store().hget(key(environment, "books"), symbol))
    except redis.RedisError as problem:
        log.warning("the store does not answer, so there is no live book: %s", problem)
        return None
    if text is None:
        return None
    book = msgspec.json.decode(text)
    if book.get("gap") or not (book["bids"] or book["asks"]):
        return None
    return BookSnapshot(symbol=symbol, bids=_levels(book["bids"]), asks=_levels(book["asks"]))


def _levels(rows: list[tuple[str, str]]) -> tuple[Level, ...]:
    return tuple(Level(price=Decimal(price), size=Decimal(size)) for price, size in rows)


def link_state(environment: str) -> dict[str, Any]:
    """`{"state": live|stale|down, "heard_at": ms, "why", "relay_at": ms, "healed"}`; down where no relay speaks."""
    try:
        text = cast("bytes | None", store().get(key(environment, "link")))
    except redis.RedisError as problem:
        log.warning("the store does not answer, so the link's state is unknown: %s", problem)
        return {**NO_RELAY, "why": "the store does not answer"}
    if text is None:
        return dict(NO_RELAY)
    link: dict[str, Any] = msgspec.json.decode(text)
    if time.time() * 1000 - link["relay_at"] > RELAY_LATE_MS:
        return {**link, "state": "down", "why": NO_RELAY["why"]}
    return link
