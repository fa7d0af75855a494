"""Browsers that are served at the same pace, grouped by what they watch: a frame is made once for each group."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from trading.live.board import Addition, Board, market_message
from trading.live.browser import Browser
from trading.live.frames import Frame, message
from trading.live.rooms import Room
from trading.live.streams import FACTS, Stream, parse_stream

QUIET_MS = 900  # a group hears something at least once a second


class Group:
    __slots__ = ("browsers", "sent_at", "streams")

    def __init__(self, streams: frozenset[str]) -> None:
        self.streams = streams
        self.browsers: set[Browser] = set()
        self.sent_at = 0  # epoch milliseconds


class Lane:
    """Numbers and what is pending are the lane's own, so a stream's numbers rise by one for all who ride in it."""

    def __init__(
        self,
        interval: float,
        boards: Mapping[str, Board],
        rooms: Mapping[int, Room],
        facts: Mapping[str, bytes],
        *,
        next_frame: Callable[[], int],
        fell_behind: Callable[[Browser], None],
        lost_track: Callable[[Browser, str], None],
    ) -> None:
        self.interval = interval  # seconds between flushes
        self.boards, self.rooms, self.facts = boards, rooms, facts
        self.next_frame, self.fell_behind, self.lost_track = next_frame, fell_behind, lost_track
        self.groups: dict[frozenset[str], Group] = {}
        self.watched: Counter[str] = Counter()
        self.names: dict[str, Stream] = {}
        self.numbers: dict[str, int] = {}
        self.flushed: dict[str, int] = {}  # account streams: the last event that has left
        self.pending: dict[str, list[Addition]] = {}
        self.joining: dict[Browser, set[str]] = {}
        self.bell = asyncio.Event()

    # who rides

    def watch(self, browser: Browser, names: Iterable[str]) -> None:
        """Begin these streams for the browser at the next flush, those it has already from anew."""
        waiting = self.joining.setdefault(browser, set())
        for name in names:
            if name not in browser.streams:
                stream = parse_stream(name)
                if stream is None:
                    raise ValueError(f"{name!r} is no stream")
                browser.streams[name] = stream
                self._take_on(name, stream)
            waiting.add(name)
        self.bell.set()

    def unwatch(self, browser: Browser, names: Iterable[str]) -> None:
        for name in names:
            if browser.streams.pop(name, None):
                browser.fresh.pop(name, None)
                self._let_go(name)
        self.joining.setdefault(browser, set())
        self.bell.set()

    def enter(self, browser: Browser) -> None:
        """Somebody who watches already comes over from another lane, or back."""
        for name, stream in browser.streams.items():
            self._take_on(name, stream)
        self.joining[browser] = set(browser.streams)
        self.bell.set()

    def leave(self, browser: Browser) -> None:
        """Account streams go on later with the event after the last one sent."""
        self.joining.pop(browser, None)
        self._unplace(browser)
        for name in browser.streams:
            self._let_go(name)

    def sent_to(self, name: str) -> int:
        """The last event of an account stream that has left for everybody in this lane."""
        return self.flushed.get(name, 0)

    def _take_on(self, name: str, stream: Stream) -> None:
        if name not in self.watched:
            self.names[name] = stream
            if stream.kind == "account":
                self.flushed[name] = self.rooms[stream.account_id].number
        self.watched[name] += 1

    def _let_go(self, name: str) -> None:
        self.watched[name] -= 1
        if not self.watched[name]:
            del self.watched[name], self.names[name]
            self.pending.pop(name, None)

    def _place(self, browser: Browser) -> None:
        streams = frozenset(browser.streams)
        if browser.group == streams:
            return
        self._unplace(browser)
        if streams not in self.groups:
            self.groups[streams] = Group(streams)
        self.groups[streams].browsers.add(browser)
        browser.group = streams

    def _unplace(self, browser: Browser) -> None:
        if browser.group is None:
            return
        group = self.groups[browser.group]
        group.browsers.discard(browser)
        if not group.browsers:
            del self.groups[browser.group]
        browser.group = None

    # what changes

    def note(self, name: str, addition: Addition) -> None:
        if name in self.watched:
            self.pending.setdefault(name, []).append(addition)
            self.bell.set()

    def note_event(self, room: Room) -> None:
        if room.name in self.watched:
            self.pending.setdefault(room.name, [])
            self.bell.set()
        else:
            self.flushed[room.name] = room.number

    def note_fact(self, name: str) -> None:
        """Its last value changed; only that one is sent, however often it did."""
        if name in self.watched:
            self.pending.setdefault(name, [])
            self.bell.set()

    def restart(self, environment: str) -> None:
        """What was said of the environment may have holes: everybody gets the whole state."""
        for group in self.groups.values():
            names = {name for name in group.streams if self.names[name].environment == environment}
            for browser in group.browsers if names else ():
                self.joining.setdefault(browser, set()).update(names)
        self.bell.set()

    # what leaves

    async def run(self) -> None:
        """The first change after a pause leaves at once, the next no sooner than an interval later."""
        while True:
            await self.bell.wait()
            self.bell.clear()
            began = time.monotonic()
            self.flush()
            await asyncio.sleep(began + self.interval - time.monotonic())

    def flush(self) -> None:
        pending, self.pending = self.pending, {}
        rendered = ((name, self._render(name, additions)) for name, additions in pending.items())
        messages = {name: text for name, text in rendered if text}
        if messages:
            for group in list(self.groups.values()):
                if found := messages.keys() & group.streams:
                    self._hand(group, [messages[name] for name in found])
        self._admit()

    def pulse(self) -> None:
        """An empty frame where nothing was said for a second: silence then means a broken link."""
        late = _now() - QUIET_MS
        for group in [group for group in self.groups.values() if group.sent_at < late]:
            self._hand(group, [])

    def _hand(self, group: Group, messages: list[bytes]) -> None:
        group.sent_at = _now()
        frame = Frame(self.next_frame(), group.sent_at, messages)
        behind = []
        for browser in group.browsers:
            browser.take(frame)
            if browser.is_behind:
                behind.append(browser)
        for browser in behind:
            self.fell_behind(browser)

    def _render(self, name: str, additions: list[Addition]) -> bytes:
        stream = self.names[name]
        if stream.kind == "account":
            room = self.rooms[stream.account_id]
            events = room.after(self.sent_to(name))
            self.flushed[name] = room.number
            return b",".join(events)
        number = self.numbers[name] = self.numbers.get(name, 0) + 1
        if stream.kind in FACTS:
            return message(name, number, "upd", self.facts.get(name, b"{}"), venue_ms=None, relay_ms=None)
        kind, entry = self.boards[stream.environment].update(stream, additions)
        return market_message(name, number, kind, entry)

    def _admit(self) -> None:
        """Those who came, or came for more, since the last flush: snapshots first, then a place in a group."""
        joining, self.joining = self.joining, {}
        made: dict[str, bytes] = {}
        for browser, names in joining.items():
            wanted = names & browser.streams.keys()
            parts = [part for name in wanted for part in self._beginning(browser, name, made)]
            self._place(browser)
            if parts:
                browser.take(Frame(self.next_frame(), _now(), parts))

    def _beginning(self, browser: Browser, name: str, made: dict[str, bytes]) -> list[bytes]:
        stream = browser.streams[name]
        if stream.kind == "account":
            return self._account_beginning(browser, stream, name)
        if name not in made and stream.kind in FACTS:
            value = self.facts.get(name, b"{}")
            made[name] = message(name, self.numbers.get(name, 0), "snap", value, venue_ms=None, relay_ms=None)
        if name not in made:
            entry = self.boards[stream.environment].snapshot(stream)
            made[name] = market_message(name, self.numbers.get(name, 0), "snap", entry)
        return [made[name]]

    def _account_beginning(self, browser: Browser, stream: Stream, name: str) -> list[bytes]:
        fresh = browser.fresh.pop(name, None)
        if fresh is None:
            return []
        room = self.rooms[stream.account_id]
        if not room.reaches(fresh.base):
            self.lost_track(browser, name)
            return []
        parts = room.after(fresh.base)
        if fresh.snapshot is not None:
            snapshot = message(name, fresh.base, "snap", fresh.snapshot, venue_ms=None, relay_ms=None)
            parts.insert(0, snapshot)
        return parts

    def snapshots(self, browser: Browser) -> Frame:
        """The state of every market stream, for a browser that is not served otherwise just now."""
        made: dict[str, bytes] = {}
        names = [name for name, stream in browser.streams.items() if stream.kind != "account"]
        parts = [part for name in names for part in self._beginning(browser, name, made)]
        return Frame(self.next_frame(), _now(), parts)


def _now() -> int:
    return int(time.time() * 1000)
