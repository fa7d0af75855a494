"""Who listens to what, and the events of the exchange on their way to them."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable

from demovenue import events
from demovenue.doors.answers import millis
from demovenue.doors.faults import Fault
from demovenue.doors.house import House
from demovenue.doors.stream.connection import Connection, Topic, message
from demovenue.doors.stream.private import PrivateFeeds
from demovenue.doors.stream.public import PublicFeeds

log = logging.getLogger("demovenue.stream")

SILENCE = 60.0  # seconds after which a client that never pings is let go
TURN = 0.1  # seconds between two looks at what is due
DEFAULT_FREEZE = 30.0  # seconds


class Hub:
    def __init__(self, house: House) -> None:
        self.house = house
        self.connections: set[Connection] = set()
        self.peers: Counter[str] = Counter()
        self._listeners: dict[Topic, set[Connection]] = defaultdict(set)
        self.public = PublicFeeds(self)
        self.private = PrivateFeeds(self)
        self._reactions: dict[type, Callable[[events.Event], None]] = {
            events.BookDelta: self.public.on_book,
            events.Traded: self.public.on_trade,
            events.TickerChanged: self.public.on_ticker,
            events.OrderChanged: self.private.on_order,
            events.Filled: self.private.on_fill,
            events.PositionsChanged: self.private.on_positions,
            events.BalancesChanged: self.private.on_balances,
            events.Logged: self.private.on_log,
            events.KeyRevoked: self._on_revoked,
        }
        house.exchange.subscribe(self.on_event)

    def on_event(self, event: events.Event) -> None:
        reaction = self._reactions.get(type(event))
        # Orders are seen also while nobody listens: one of them may be to hide.
        if reaction is not None and (self.connections or type(event) is events.OrderChanged):
            reaction(event)

    # --- connections ------------------------------------------------------------------------------

    def join(self, connection: Connection) -> None:
        self.connections.add(connection)
        self.peers[connection.peer] += 1

    def leave(self, connection: Connection) -> None:
        self.connections.discard(connection)
        self.peers[connection.peer] -= 1
        for topic in connection.topics:
            self._forget(topic, connection)

    def is_full(self, peer: str) -> bool:
        return self.peers[peer] >= self.house.sockets_per_client

    def add(self, connection: Connection, topic: Topic) -> bool:
        """True when it is new to this connection."""
        if topic in connection.topics:
            return False
        connection.topics.add(topic)
        self._listeners[topic].add(connection)
        return True

    def remove(self, connection: Connection, topic: Topic) -> bool:
        """True when it had been subscribed."""
        if topic not in connection.topics:
            return False
        connection.topics.discard(topic)
        self._forget(topic, connection)
        return True

    def _forget(self, topic: Topic, connection: Connection) -> None:
        listeners = self._listeners.get(topic)
        if listeners is not None:
            listeners.discard(connection)
            if not listeners:
                del self._listeners[topic]

    def listeners(self, topic: Topic) -> Iterable[Connection]:
        return self._listeners.get(topic, ())

    def topics(self, feed: str) -> list[str]:
        """The products or accounts somebody hears this feed of."""
        return [subject for name, subject in self._listeners if name == feed]

    # --- telling ----------------------------------------------------------------------------------

    def tell(self, topic: Topic, fields: object) -> None:
        """An update to everyone who subscribed, encoded once."""
        listeners = self._listeners.get(topic)
        if listeners:
            self.tell_some(topic, fields, listeners)

    def tell_some(self, topic: Topic, fields: object, listeners: Iterable[Connection]) -> None:
        framed = message(fields)
        if self.house.faults.is_quiet:
            for connection in listeners:
                connection.send(framed)
            return
        gap = self._gap(topic[0])
        for connection in list(listeners):
            self._tell_badly(connection, topic[0], framed, gap)

    def _gap(self, feed: str) -> Fault | None:
        """A number is to be skipped for everybody. Only the book, unless the fault's path names another feed."""
        return self.house.faults.meet_feed("ws_gap", feed, default="book")

    def _tell_badly(self, connection: Connection, feed: str, framed: bytes, gap: Fault | None) -> None:
        faults = self.house.faults
        if gap or any(faults.meet_feed("ws_gap", feed, default="book", key=key) for key in connection.keys):
            return
        connection.send(framed)
        if any(faults.meet_feed("ws_duplicate", feed, key=key) for key in (None, *connection.keys)):
            connection.send(framed)

    # --- misfortunes ------------------------------------------------------------------------------

    def strike(self, fault: Fault) -> None:
        """`ws_freeze` and `ws_drop` hit at once whoever is connected."""
        hit = [one for one in self.connections if fault.key is None or fault.key in one.keys]
        for connection in hit:
            if fault.name == "ws_freeze":
                connection.freeze(fault.seconds or DEFAULT_FREEZE)
            else:
                connection.cut()
        if hit:
            fault.spend()

    def thaw(self) -> None:
        for connection in self.connections:
            connection.thaw()

    def announce(self) -> None:
        """The list of notices changed."""
        for account in self.topics("notifications_auth"):
            self.tell(("notifications_auth", account), self.private.notices())

    def _on_revoked(self, event: events.Event) -> None:
        assert isinstance(event, events.KeyRevoked)
        self.house.forget_key(event.public)
        for connection in [one for one in self.connections if event.public in one.keys]:
            connection.cut()

    # --- time -------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Heartbeats, conflated feeds and the silence rule, until cancelled."""
        due = time.monotonic()
        while True:
            await asyncio.sleep(TURN)
            now = time.monotonic()
            self.public.on_turn(now)
            self.private.on_turn()
            if now >= due:
                due = now + 1
                self.private.on_second()
                self.tell(("heartbeat", ""), {"feed": "heartbeat", "time": millis(self.house.now())})
                await self._let_silent_go(now)

    async def _let_silent_go(self, now: float) -> None:
        silent = [one for one in self.connections if now - one.heard_at > SILENCE]
        for connection in silent:
            asyncio.get_running_loop().create_task(connection.socket.close(code=1000)).add_done_callback(_note)

    async def close(self) -> None:
        self.house.exchange.unsubscribe(self.on_event)
        await asyncio.gather(*(one.socket.close(code=1001) for one in list(self.connections)))


def _note(task: asyncio.Task[bool]) -> None:
    if not task.cancelled() and task.exception() is not None:
        log.debug("a silent client went on its own: %s", task.exception())
