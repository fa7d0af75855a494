"""The shared store (Redis, or the embedded one): one connection pool a process, with short patience."""

from __future__ import annotations

import hashlib
import os
import threading
from functools import cache
from typing import Any

import redis
from django.conf import settings


@cache
def store() -> redis.Redis:
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2)


class Script:
    """A script inside the store. Each thread keeps a connection for them: to borrow one takes longer than they do."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._digest = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()  # its name in the store

    def __call__(self, place: str, *arguments: str | float) -> Any:
        """Run it for the key at `place`. Raises `redis.RedisError`."""
        try:
            connection = own_connection()
            connection.send_command("EVALSHA", self._digest, 1, place, *arguments)
            return connection.read_response()
        except (redis.ConnectionError, redis.exceptions.NoScriptError):  # the store was started anew since
            return store().eval(self._text, 1, place, *arguments)


_own = threading.local()


def own_connection() -> Any:
    """Also one of its own for a forked child. It connects, and connects again, when something is sent."""
    client, process = store(), os.getpid()
    if getattr(_own, "of", None) != (client, process):
        _own.of, _own.connection = (client, process), client.connection_pool.make_connection()
    return _own.connection
