"""The relay's last word, for pages drawn by the server."""

from __future__ import annotations

import logging
from functools import cache
from typing import cast

import msgspec
import redis
from django.conf import settings

from krakenfutures.values import Ticker
from trading.live.streams import key

log = logging.getLogger(__name__)

_ticker = msgspec.json.Decoder(Ticker)


class Link(msgspec.Struct, frozen=True):
    """How the way from the exchange to the relay is. Times are epoch milliseconds."""

    state: str  # live, stale, down
    heard_at: int | None  # when the exchange last said anything
    relay_at: int  # when the relay last said so
    why: str = ""
    healed: int = 0  # events found missing after reconnects, and made good


_link = msgspec.json.Decoder(Link)


@cache
def _store() -> redis.Redis:
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2)


def latest_tickers(environment: str) -> dict[str, Ticker]:
    """Every ticker the relay knows; `at` of each is its age. Empty without a relay (or without a store: logged)."""
    try:
        rows = cast("dict[bytes, bytes]", _store().hgetall(key(environment, "tickers")))
    except redis.RedisError as problem:
        log.warning("the store does not answer, so there are no live prices: %s", problem)
        return {}
    return {symbol.decode(): _ticker.decode(row) for symbol, row in rows.items()}


def latest_link(environment: str) -> Link | None:
    """The state of the relay's link; None without a relay (or without a store: logged)."""
    try:
        text = cast("bytes | None", _store().get(key(environment, "link")))
    except redis.RedisError as problem:
        log.warning("the store does not answer, so the link's state is unknown: %s", problem)
        return None
    return _link.decode(text) if text else None
