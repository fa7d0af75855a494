"""Keeps a socket to the venue open and moves its lines. What they mean is decided by `krakenfutures.feed`.

Iterate `watch_market` or `watch_account` and close the iterator (`contextlib.aclosing`) when done.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from krakenfutures.events import Connected, Disconnected, Event
from krakenfutures.feed import AccountFeed, MarketFeed
from krakenfutures.venue import Credentials, MarketWishes


@dataclass(frozen=True, slots=True)
class Limits:
    """All in seconds."""

    silence: float = 10.0  # heartbeats come every second: so long without a line means the link is dead
    ping: float = 25.0  # Kraken closes after a minute without a ping
    opening: float = 10.0
    first_pause: float = 0.5
    longest_pause: float = 30.0
    settled: float = 20.0  # a connection that lived so long ends well: the next pause is short again


class Feed(Protocol):
    @property
    def ready(self) -> bool: ...
    def hello(self) -> list[str]: ...
    def catch_up(self) -> list[str]: ...
    def answers(self) -> list[str]: ...
    def receive(self, text: str | bytes) -> Iterator[Event]: ...


def watch_market(url: str, wanted: MarketWishes, limits: Limits = Limits()) -> AsyncIterator[Event]:
    """The public streams that are wished for, for ever. Changed wishes are followed without a new connection."""
    return follow(url, MarketFeed(wanted.current), limits, changed=wanted.changed)


def watch_account(url: str, credentials: Credentials, limits: Limits = Limits()) -> AsyncIterator[Event]:
    """The private streams of a key, for ever. Raises `signing.BadSecret` for a secret that is not base64."""
    return follow(url, AccountFeed(credentials), limits)


async def follow(
    url: str,
    feed: Feed,
    limits: Limits = Limits(),
    *,
    changed: Callable[[], Awaitable[None]] | None = None,
) -> AsyncIterator[Event]:
    """Connects, listens, and connects again. Losses are events: `Disconnected` says why and when it tries again."""
    attempt = failures = 0
    while True:
        attempt += 1
        link = _Link(feed, limits, changed)
        opened = time.monotonic()
        try:
            async for event in link.events(url, attempt):
                yield event
        except (OSError, TimeoutError, WebSocketException) as problem:
            why = link.complaint or _why(problem)
        else:
            why = "the venue closed the connection"
        lived = time.monotonic() - opened
        failures = 1 if link.opened and lived >= limits.settled else failures + 1
        pause = pause_after(failures, limits)
        yield Disconnected(why=why, retry_in=pause)
        await asyncio.sleep(pause)


def pause_after(failures: int, limits: Limits) -> float:
    """Doubles with every failure, opened-and-closed ones included; spread, so that clients do not come as one."""
    longest = min(limits.longest_pause, limits.first_pause * 2 ** min(failures - 1, 16))
    return float(longest * random.uniform(0.5, 1.0))


class _Link:
    """One connection."""

    def __init__(self, feed: Feed, limits: Limits, changed: Callable[[], Awaitable[None]] | None) -> None:
        self._feed = feed
        self._limits = limits
        self._changed = changed
        self._waiting_since: float | None = None
        self.opened = False
        self.complaint = ""

    async def events(self, url: str, attempt: int) -> AsyncIterator[Event]:
        limits = self._limits
        async with connect(
            url,
            compression=None,
            open_timeout=limits.opening,
            ping_interval=limits.ping,
            ping_timeout=limits.ping,
            close_timeout=1,
            max_size=2**25,
            max_queue=4096,
        ) as socket:
            self.opened = True
            helpers = [self._help(socket, self._mind_silence(socket))]
            try:
                for line in self._feed.hello():
                    await socket.send(line)
                if self._changed is not None:
                    helpers.append(self._help(socket, self._follow_wishes(socket, self._changed)))
                async for event in self._listen(socket, attempt):
                    yield event
            finally:
                for helper in helpers:
                    helper.cancel()
                await asyncio.gather(*helpers, return_exceptions=True)

    async def _listen(self, socket: ClientConnection, attempt: int) -> AsyncIterator[Event]:
        announced = False
        while True:
            if self._feed.ready and not announced:
                announced = True
                yield Connected(attempt=attempt)
            self._waiting_since = time.monotonic()
            line = await socket.recv(decode=False)
            self._waiting_since = None  # a slow reader is not a silent venue
            for event in self._feed.receive(line):
                yield event
            for answer in self._feed.answers():
                await socket.send(answer)

    def _help(self, socket: ClientConnection, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Runs beside the listening; when it fails, the connection ends and says why, instead of going on half."""
        helper = asyncio.create_task(work)

        def ended(task: asyncio.Task[None]) -> None:
            problem = None if task.cancelled() else task.exception()
            if problem is not None:
                self.complaint = f"a helper of the connection failed ({type(problem).__name__}: {problem})"
                socket.transport.abort()

        helper.add_done_callback(ended)
        return helper

    async def _mind_silence(self, socket: ClientConnection) -> None:
        """An open socket that says nothing looks healthy to everybody else; here it is cut."""
        while True:
            await asyncio.sleep(self._limits.silence / 5)
            since = self._waiting_since
            if since is not None and time.monotonic() - since > self._limits.silence:
                self.complaint = f"nothing was heard for {self._limits.silence:g} s"
                socket.transport.abort()
                return

    async def _follow_wishes(self, socket: ClientConnection, changed: Callable[[], Awaitable[None]]) -> None:
        with suppress(ConnectionClosed):
            while True:
                while lines := self._feed.catch_up():  # what changed while these are sent comes with the next
                    for line in lines:
                        await socket.send(line)
                await changed()


def _why(problem: Exception) -> str:
    if isinstance(problem, InvalidStatus):
        return f"the venue answered HTTP {problem.response.status_code}"
    if isinstance(problem, ConnectionClosed):
        close = problem.rcvd
        return f"the venue closed the connection ({close.code})" if close else "the connection broke"
    if isinstance(problem, TimeoutError):
        return "the venue did not answer in time"
    return f"no connection to the venue ({type(problem).__name__})"
