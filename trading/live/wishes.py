"""What the relay asks of the exchange: every ticker, and book and trades of what somebody looks at."""

from __future__ import annotations

import asyncio
import time

import redis.asyncio

from trading.live.streams import DEEP, key


class Wishes:
    """`krakenfutures.venue.MarketWishes`, filled by the relay as it learns of instruments and lookers."""

    def __init__(self) -> None:
        self.listed: frozenset[str] = frozenset()
        self.looked_at: frozenset[str] = frozenset()
        self._bell = asyncio.Event()

    def current(self) -> dict[str, frozenset[str]]:
        looked_at = self.looked_at & self.listed  # a browser may name what does not exist
        return {"ticker": self.listed, "book": looked_at, "trade": looked_at}

    @property
    def deep(self) -> frozenset[str]:
        """Those whose depth is looked at, of what is followed."""
        return frozenset(name.removesuffix(DEEP) for name in self.looked_at if name.endswith(DEEP)) & self.listed

    async def changed(self) -> None:
        await self._bell.wait()
        self._bell.clear()

    def update(self, *, listed: frozenset[str] | None = None, looked_at: frozenset[str] | None = None) -> None:
        before = self.current()
        self.listed = self.listed if listed is None else listed
        self.looked_at = self.looked_at if looked_at is None else looked_at
        if self.current() != before:
            self._bell.set()


async def looked_at(store: redis.asyncio.Redis, environment: str) -> frozenset[str]:
    """The instruments that some hub says somebody looks at; words whose term ran out are thrown away."""
    now, wanted = int(time.time() * 1000), key(environment, "wanted")
    async with store.pipeline(transaction=True) as together:
        together.zremrangebyscore(wanted, "-inf", now)
        together.zrange(wanted, 0, -1)
        _, symbols = await together.execute()
    return frozenset(symbol.decode() for symbol in symbols)
