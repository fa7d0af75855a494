"""Telling the browsers about an account, from any process and from synchronous code."""

from __future__ import annotations

import asyncio
import atexit
import logging
import os
import threading
from functools import partial
from typing import Any

import redis.asyncio
from channels.layers import get_channel_layer
from django.conf import settings
from django.db import transaction

from trading.plain import to_json

log = logging.getLogger(__name__)

ACCOUNTS_GROUP = "live.accounts"  # the channel group that every hub listens to
TOGETHER_SECONDS = 0.005  # announcements wait so long for one another, and for the answer that brought them about
KINDS = frozenset({"order", "fill", "positions", "wallets", "notice", "halt", "deadman", "withdrawal"})


def account_number_key(account_id: int) -> str:
    """Counts the events announced about an account, so that a lost one is noticed."""
    return f"kfweb:live:account:{account_id}:number"


def announce(account_id: int, kind: str, data: dict[str, Any]) -> None:
    """Send an event to everybody who watches the account, once the transaction at hand is committed.

    Decimals travel as plain text, times as ISO 8601. Never fails because of the store: a browser that misses an event
    sees the gap in the numbers and asks again.
    """
    if kind not in KINDS:
        raise ValueError(f"{kind!r} is no kind of account event")
    body = to_json({**data, "kind": kind})
    transaction.on_commit(partial(_publish, account_id, body))


def _publish(account_id: int, body: bytes) -> None:
    _publisher().send(account_id, body)


class Publisher:
    """One thread with one event loop that lasts: connections are opened once a process, not once a message."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.loop = asyncio.new_event_loop()
        self.waiting: asyncio.Queue[tuple[int, bytes]] = asyncio.Queue(maxsize=10_000)
        threading.Thread(target=self._run, name="announce", daemon=True).start()
        atexit.register(self.drain)

    def send(self, account_id: int, body: bytes) -> None:
        self.loop.call_soon_threadsafe(self._take, account_id, body)

    def drain(self, seconds: float = 1.0) -> None:
        """Wait until what was announced has left: a short-lived process would take it to the grave."""
        if self.pid != os.getpid():
            return
        done = asyncio.run_coroutine_threadsafe(asyncio.wait_for(self.waiting.join(), seconds), self.loop)
        try:
            done.result(seconds + 0.5)
        except TimeoutError:
            log.warning("the store does not answer; %d announcements were not sent", self.waiting.qsize())

    def _take(self, account_id: int, body: bytes) -> None:
        try:
            self.waiting.put_nowait((account_id, body))
        except asyncio.QueueFull:
            log.warning("too many announcements wait for the store; dropped one of account %s", account_id)

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_until_complete(self._pump())

    async def _pump(self) -> None:
        store = redis.asyncio.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2)
        layer = get_channel_layer()
        while True:
            batch = [await self.waiting.get()]
            await asyncio.sleep(TOGETHER_SECONDS)
            while not self.waiting.empty():
                batch.append(self.waiting.get_nowait())
            try:
                await _tell(batch, store, layer)
            except (redis.RedisError, OSError) as problem:
                log.warning("could not announce %d events of accounts: %s", len(batch), problem)
            except Exception:
                log.exception("could not announce %d events of accounts", len(batch))
            finally:
                for _ in batch:
                    self.waiting.task_done()


async def _tell(batch: list[tuple[int, bytes]], store: redis.asyncio.Redis, layer: Any) -> None:
    """In the order they were announced; the numbers of all of them with one call."""
    async with store.pipeline(transaction=False) as calls:
        for account_id, _ in batch:
            calls.incr(account_number_key(account_id))
        numbers = await calls.execute()
    for (account_id, body), number in zip(batch, numbers, strict=True):
        message = {"type": "account.event", "account": account_id, "number": number, "body": body}
        await layer.group_send(ACCOUNTS_GROUP, message)


_lock = threading.Lock()
_current: Publisher | None = None


def _publisher() -> Publisher:
    """This process's publisher; a forked child makes its own, for threads do not survive a fork."""
    global _current
    with _lock:
        if _current is None or _current.pid != os.getpid():
            _current = Publisher()
        return _current
