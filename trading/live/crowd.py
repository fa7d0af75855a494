"""How many browsers each web process holds: told to the store, for whoever runs the installation."""

from __future__ import annotations

import os
import socket
from typing import cast

import redis.asyncio

from accounts.store import store

TOLD_SECONDS = 15  # a process that says nothing for so long is gone
HERE = f"{socket.gethostname()}:{os.getpid()}"
PREFIX = "kfweb:live:crowd:"


async def tell(door: redis.asyncio.Redis, count: int) -> None:
    await door.set(PREFIX + HERE, count, ex=TOLD_SECONDS)


def browsers() -> dict[str, int]:
    """By web process (`host:pid`). Raises `redis.RedisError`."""
    names = [cast("bytes", name) for name in store().scan_iter(match=f"{PREFIX}*", count=500)]
    counts = cast("list[bytes | None]", store().mget(names)) if names else []
    return {
        name.decode().removeprefix(PREFIX): int(count)
        for name, count in zip(names, counts, strict=True)
        if count is not None
    }
