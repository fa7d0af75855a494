"""One active relay an environment. A standby waits, and takes over within five seconds of the other's end."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid

import redis
import redis.asyncio

from trading.live.streams import key

log = logging.getLogger(__name__)

TERM_MS = 3500
RENEW_SECONDS = 1.0
LOOK_SECONDS = 0.5

RENEW = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('pexpire', KEYS[1], ARGV[2]) end return 0"
RELEASE = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0"


class LeaseLost(Exception):
    """Somebody else may be active now: stop speaking at once."""


class Lease:
    def __init__(self, store: redis.asyncio.Redis, environment: str) -> None:
        self.store = store
        self.environment = environment
        self.key = key(environment, "lease")
        self.token = ""

    async def acquire(self) -> str:
        """Waits until the lease is ours; returns the word for this term, which no other term shares."""
        self.token = uuid.uuid4().hex
        waiting = False
        while True:
            try:
                if await self.store.set(self.key, self.token, nx=True, px=TERM_MS):
                    return self.token
            except (redis.RedisError, OSError) as problem:
                log.warning("the store does not answer the relay: %s", problem)
            if not waiting:
                log.info("another relay serves %s; this one waits", self.environment)
                waiting = True
            await asyncio.sleep(LOOK_SECONDS)

    async def keep(self) -> None:
        """Renews for ever. Raises `LeaseLost` when it cannot be sure any more."""
        sure_until = time.monotonic() + TERM_MS / 1000
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            asked = time.monotonic()
            try:
                renewed = await self.store.eval(RENEW, 1, self.key, self.token, TERM_MS)
            except (redis.RedisError, OSError) as problem:
                log.warning("the store does not answer the relay: %s", problem)
            else:
                if not renewed:
                    raise LeaseLost(f"the lease for {self.environment} is another relay's, or the store was emptied")
                sure_until = asked + TERM_MS / 1000
            if time.monotonic() > sure_until:
                raise LeaseLost(f"the store did not renew the lease for {self.environment} in time")

    async def release(self) -> None:
        try:
            await self.store.eval(RELEASE, 1, self.key, self.token)
        except (redis.RedisError, OSError) as problem:
            log.warning("the lease for %s runs out by itself: %s", self.environment, problem)
