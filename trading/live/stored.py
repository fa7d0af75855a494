"""What the relay keeps in the store of the present, so that whoever comes, or lost the thread, can begin."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

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
    depths: Mapping[str, bytes] = field(default_factory=dict)
    tapes: Mapping[str, bytes] = field(default_factory=dict)  # JSON lists, newest first
    link: bytes | None = None


async def read_stored(store: redis.asyncio.Redis, environment: str) -> Stored | None:
    """All of one moment; None where no relay has been."""
    async with store.pipeline(transaction=True) as together:
        for what in ("tickers", "books", "depths", "tapes"):
            together.hgetall(key(environment, what))
        together.get(key(environment, "batch"))
        together.get(key(environment, "link"))
        tickers, books, depths, tapes, batch, link = await together.execute()
    if batch is None:
        return None
    epoch, number = batch.decode().split()
    return Stored(epoch, int(number), _named(tickers), _named(books), _named(depths), _named(tapes), link)


async def write_stored(store: redis.asyncio.Redis, batch: Mapping[str, Any], tape: Callable[[str], bytes]) -> None:
    """Before the batch is published, so that whoever reads after hearing it finds it. One round trip."""
    environment = batch["env"]
    tickers, books, depths, tapes = (key(environment, what) for what in ("tickers", "books", "depths", "tapes"))
    async with store.pipeline(transaction=True) as together:
        if batch["n"] == 1:
            together.delete(books, depths, tapes)  # another relay's; we have not followed them from there
        if batch["ticker"]:
            together.hset(tickers, mapping={symbol: whole for symbol, (_, whole, _) in batch["ticker"].items()})
        if batch["book"]:
            together.hset(books, mapping={symbol: book for symbol, (_, book) in batch["book"].items()})
        if batch["depth"]:
            together.hset(depths, mapping={symbol: book for symbol, (_, book) in batch["depth"].items()})
        if batch["trades"]:
            together.hset(tapes, mapping={symbol: tape(symbol) for symbol in batch["trades"]})
        if batch["gone"]:
            together.hdel(books, *batch["gone"])
            together.hdel(tapes, *batch["gone"])
        if batch["shallow"]:
            together.hdel(depths, *batch["shallow"])
        if batch["unlisted"]:
            together.hdel(tickers, *batch["unlisted"])
        together.set(key(environment, "batch"), f"{batch['epoch']} {batch['n']}", ex=KEPT_SECONDS)
        if batch["link"] is not None:  # once a second at least
            together.set(key(environment, "link"), batch["link"], ex=KEPT_SECONDS)
            for name in (tickers, books, depths, tapes):
                together.expire(name, KEPT_SECONDS)
        await together.execute()


def _named(part: Mapping[bytes, bytes]) -> dict[str, bytes]:
    return {symbol.decode(): text for symbol, text in part.items()}
