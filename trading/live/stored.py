"""What the relay keeps in the store of the present, so that whoever comes, or lost the thread, can begin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import redis.asyncio

from trading.live.streams import key

KEPT_SECONDS = 30  # without a relay nothing here outlives this


@dataclass(frozen=True, slots=True)
class Stored:
    """Everything of one environment; `number` is the batch of `epoch` it is true after."""

    epoch: str
    number: int
    tickers: Mapping[str, bytes] = field(default_factory=dict)
    books: Mapping[str, bytes] = field(default_factory=dict)
    tapes: Mapping[str, bytes] = field(default_factory=dict)  # JSON lists, newest first
    link: bytes | None = None


async def read_stored(store: redis.asyncio.Redis, environment: str) -> Stored | None:
    """All of one moment; None where no relay has been."""
    async with store.pipeline(transaction=True) as together:
        for what in ("tickers", "books", "tapes"):
            together.hgetall(key(environment, what))
        together.get(key(environment, "batch"))
        together.get(key(environment, "link"))
        tickers, books, tapes, batch, link = await together.execute()
    if batch is None:
        return None
    epoch, number = batch.decode().split()
    return Stored(epoch, int(number), _named(tickers), _named(books), _named(tapes), link)


def _named(part: Mapping[bytes, bytes]) -> dict[str, bytes]:
    return {symbol.decode(): text for symbol, text in part.items()}
