"""The shared store (Redis, or the embedded one): one connection pool a process, with short patience."""

from __future__ import annotations

from functools import cache

import redis
from django.conf import settings


@cache
def store() -> redis.Redis:
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2)
