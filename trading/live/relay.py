"""One public socket an environment, one private socket a key, one message a batch: the exchange, for everybody.

Nothing here is decided by the page: hubs say what is looked at, rows say which keys are used.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import redis
import redis.asyncio
from channels.layers import get_channel_layer
from django.db import Error as DatabaseTrouble
from django.db import close_old_connections

from krakenfutures.errors import KrakenError
from krakenfutures.events import Event
from krakenfutures.venue import Credentials, Venue
from trading.live.crew import Crew
from trading.live.lease import Lease, LeaseLost
from trading.live.market import Market
from trading.live.private import PrivateSocket
from trading.live.stored import write_stored
from trading.live.streams import market_group
from trading.live.wishes import Wishes, looked_at
from trading.publish import account_number_key

log = logging.getLogger(__name__)

BATCH_SECONDS = 0.01  # between two batches; the first after a pause leaves at once (it is the hubs that conflate)
LOOK_SECONDS = 0.25  # how often we ask what is looked at, and whether the link still lives
SPEAK_SECONDS = 1.0  # a hub that hears nothing for three of these knows that we are gone
KEYS_SECONDS = 1.0  # how soon a new key is followed, and a retired one let go
LISTING_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Doors:
    """What the relay needs of the rest of the desk. Synchronous; called in threads."""

    venue: Callable[[], Venue]
    keys: Callable[[], Iterable[tuple[int, int]]]  # (key, account) of every usable key of the environment
    open_key: Callable[[int], Credentials]
    hear: Callable[[int, Event], None]
    sync: Callable[[int], object]


class Relay:
    """One environment."""

    def __init__(self, environment: str, doors: Doors, store: redis.asyncio.Redis) -> None:
        self.environment, self.doors, self.store = environment, doors, store
        self.lease = Lease(store, environment)
        self.layer = get_channel_layer()
        self.threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix=f"relay-{environment}")

    async def run(self) -> None:
        """For ever: wait for the lease, serve for as long as it is ours."""
        try:
            while True:
                epoch = await self.lease.acquire()
                log.info("this relay serves %s now", self.environment)
                try:
                    await Term(self, epoch).serve()
                except LeaseLost as lost:
                    log.warning("no longer serving %s: %s", self.environment, lost)
                finally:
                    await self.lease.release()
        finally:
            self.threads.shutdown(wait=False, cancel_futures=True)

    async def in_thread(self, work: Callable[..., Any], *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self.threads, _with_database, work, *arguments)


def _with_database(work: Callable[..., Any], *arguments: Any) -> Any:
    close_old_connections()
    try:
        return work(*arguments)
    finally:
        close_old_connections()


class Term:
    """What one relay does while it holds the lease of an environment."""

    def __init__(self, relay: Relay, epoch: str) -> None:
        self.relay, self.environment, self.store = relay, relay.environment, relay.store
        self.doors, self.in_thread = relay.doors, relay.in_thread
        self.market = Market(self.environment, epoch)
        self.wishes = Wishes()
        self.sockets: dict[int, PrivateSocket] = {}  # by key
        self.tasks: dict[int, asyncio.Task[None]] = {}
        self.crew = Crew()
        self.bell = asyncio.Event()
        self.link: bytes | None = None  # news of the links, for the next batch
        self.accounts: dict[str, tuple[bytes, int]] = {}
        self.missed_store = False

    async def serve(self) -> None:
        """Until the lease is lost (raises `LeaseLost`) or something fails (raises that)."""
        for work in (
            self.relay.lease.keep(),
            self._learn_listing(),
            self._listen(),
            self._speak(),
            self._look_around(),
            self._tell_links(),
            self._follow_keys(),
        ):
            self.crew.add(work)
        try:
            await self.crew.wait()
        finally:
            await self.crew.end()

    # the exchange

    async def _learn_listing(self) -> None:
        while True:
            try:
                venue = self.doors.venue()
                instruments = await self.in_thread(venue.market.instruments)
            except KrakenError as problem:
                log.warning("the list of instruments of %s cannot be read: %s", self.environment, problem)
                await asyncio.sleep(2)
                continue
            listed = frozenset(instrument.symbol for instrument in instruments if not instrument.expired)
            self.wishes.update(listed=listed)
            self.market.forget(frozenset(self.market.tickers) - listed)
            await asyncio.sleep(LISTING_SECONDS)

    async def _listen(self) -> None:
        async with aclosing(self.doors.venue().watch_market(self.wishes)) as events:  # type: ignore[type-var]
            async for event in events:
                self.market.hear(event)
                if self.market.has_news:
                    self.bell.set()

    async def _look_around(self) -> None:
        while True:
            try:
                wanted = await looked_at(self.store, self.environment)
            except (redis.RedisError, OSError) as problem:
                log.warning("the store does not say what is looked at: %s", problem)
            else:
                self.wishes.update(looked_at=wanted)
                self.market.follow(self.wishes.current()["book"], self.wishes.deep)
            await asyncio.sleep(LOOK_SECONDS)

    # the browsers' side

    async def _speak(self) -> None:
        while True:
            await self.bell.wait()
            self.bell.clear()
            began = time.monotonic()
            link, self.link = self.link, None
            accounts, self.accounts = self.accounts, {}
            batch = self.market.take(link, accounts)
            try:
                await write_stored(self.store, batch, self.market.tape)
                await self.relay.layer.group_send(market_group(self.environment), batch)
                self.missed_store = False
            except (redis.RedisError, OSError) as problem:
                if not self.missed_store:
                    log.warning("the store does not take what the relay says: %s", problem)
                self.missed_store = True
            await asyncio.sleep(began + BATCH_SECONDS - time.monotonic())

    async def _tell_links(self) -> None:
        """Once a second, and at once when a state changes: a page must not look live when it is not."""
        told: dict[int, str] = {}
        told_at = 0.0
        while True:
            states = {0: self.market.link.state} | {key: socket.link.state for key, socket in self.sockets.items()}
            if states != told or time.monotonic() - told_at >= SPEAK_SECONDS:
                told, told_at = states, time.monotonic()
                self.accounts = await self._account_links()
                self.market.link.healed = sum(socket.link.healed for socket in self.sockets.values())
                self.link = self.market.link.json()
                self.bell.set()
            await asyncio.sleep(LOOK_SECONDS)

    async def _account_links(self) -> dict[str, tuple[bytes, int]]:
        """Each account's link, and how many events were announced about it: a hub that heard fewer lost one."""
        sockets = list(self.sockets.values())
        if not sockets:
            return {}
        try:
            counts = await self.store.mget([account_number_key(socket.account_id) for socket in sockets])
        except (redis.RedisError, OSError) as problem:
            log.warning("the store does not say what was announced: %s", problem)
            return {}
        pairs = zip(sockets, counts, strict=True)
        return {str(socket.account_id): (socket.link.json(), int(count or 0)) for socket, count in pairs}

    # the keys

    async def _follow_keys(self) -> None:
        while True:
            try:
                keys = dict(await self.in_thread(lambda: list(self.doors.keys())))
            except DatabaseTrouble as problem:
                log.warning("the database does not say which keys there are: %s", problem)
            else:
                for key_id in self.tasks.keys() - keys.keys():
                    self.tasks.pop(key_id).cancel()
                    del self.sockets[key_id]
                for key_id in keys.keys() - self.tasks.keys():
                    self.sockets[key_id] = socket = self._socket(key_id, keys[key_id])
                    self.tasks[key_id] = self.crew.add(socket.run())
            await asyncio.sleep(KEYS_SECONDS)

    def _socket(self, key_id: int, account_id: int) -> PrivateSocket:
        return PrivateSocket(
            key_id,
            account_id,
            self.doors.venue(),
            in_thread=self.in_thread,
            open_key=self.doors.open_key,
            hear=self.doors.hear,
            sync=self.doors.sync,
        )
