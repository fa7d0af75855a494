"""One per web process: hears the relay once, serves every browser. No task, no JSON and no query per message."""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
import weakref

import redis
import redis.asyncio
from channels.db import database_sync_to_async
from django.conf import settings
from django.db import Error as DatabaseTrouble

from trading.live import crowd, visibility
from trading.live.browser import SNAPSHOT_EVERY, Browser, Fresh
from trading.live.crew import Crew
from trading.live.ear import Ear
from trading.live.facts import Facts
from trading.live.frames import Frame, message
from trading.live.lane import Lane
from trading.live.rooms import Room
from trading.live.streams import (
    ENVIRONMENTS,
    FACTS,
    NO_RELAY,
    WANTED_SECONDS,
    key,
    parse_stream,
    wanted_by,
)
from trading.plain import encode

log = logging.getLogger(__name__)

FAST, SLOW = 0.05, 1.0  # seconds between frames: a page that is looked at, a page in the background
MOST_STREAMS = 300  # a socket may watch
TOO_MANY = f"a page may watch {MOST_STREAMS} streams"
FACTS_SECONDS = 1.0
CHECK_SECONDS = 3.0  # how often we ask again who may see what
GRACE_SECONDS = 10.0  # a lagging socket has to catch up in
BEHIND = (4408, "this browser does not keep up")
SIGNED_OUT = (4401, "please sign in")
NO_LINK = encode(NO_RELAY)


class Hub:
    def __init__(self) -> None:
        self.store: redis.asyncio.Redis = redis.asyncio.Redis.from_url(
            settings.REDIS_URL, socket_timeout=5, socket_connect_timeout=5
        )
        self.browsers: set[Browser] = set()
        self.lagging: set[Browser] = set()
        self.numbers = itertools.count(1)
        self.ear = Ear(self.store, self._lost_announcements)
        self.rooms = self.ear.rooms
        self.facts = Facts(self.store)
        self.fast, self.slow = (self._lane(interval) for interval in (FAST, SLOW))
        self.lanes = self.ear.lanes = (self.fast, self.slow)
        self.wishes = asyncio.Event()
        self.crew = Crew()
        self.running: asyncio.Task[None] | None = None

    def _lane(self, interval: float) -> Lane:
        return Lane(
            interval,
            self.ear.boards,
            self.ear.rooms,
            self.facts.values,
            next_frame=self.numbers.__next__,
            fell_behind=self.fell_behind,
            lost_track=self.lost_track,
        )

    async def run(self) -> None:
        """Until something fails: then every browser is asked to come again, and the next finds a new hub."""
        for work in (self.ear.listen(), self.fast.run(), self.slow.run(), self._keep_up(), self._tell_wishes()):
            self.crew.add(work)
        self.crew.add(self._check_everybody())
        self.crew.add(self._tell_facts())
        try:
            await self.crew.wait()
        except Exception:
            log.exception("a part of the hub failed; every browser is asked to come again")
            await self.close()

    async def close(self) -> None:
        forget(self)
        for browser in self.browsers:
            browser.pipe.close(1012, "starting again")
        await self.crew.end()
        await self.store.aclose()

    # what browsers ask

    def lane_of(self, browser: Browser) -> Lane:
        return self.slow if browser.hidden else self.fast

    def enter(self, browser: Browser) -> None:
        self.browsers.add(browser)
        self.fast.watch(browser, [])

    def leave(self, browser: Browser) -> None:
        if browser not in self.browsers:
            return
        self.browsers.discard(browser)
        if browser in self.lagging:
            self.lagging.discard(browser)
        else:
            self.lane_of(browser).leave(browser)

    async def watch(self, browser: Browser, names: list[str]) -> None:
        """Every stream that may be watched begins with a snapshot; the others are refused one by one."""
        allowed: list[str] = []
        for name in dict.fromkeys(names):
            too_many = len(browser.streams.keys() | allowed) >= MOST_STREAMS and name not in browser.streams
            if why := TOO_MANY if too_many else await self._refusal(browser, name):
                self._refuse(browser, name, why)
            else:
                allowed.append(name)
        for name in allowed:
            await self._load_account(browser, name)
        await self._load_facts(allowed)
        if browser not in self.browsers:
            return  # it left while we asked the database
        if browser in self.lagging:  # they begin when it has caught up
            browser.streams |= {name: stream for name in allowed if (stream := parse_stream(name))}
            return
        self.lane_of(browser).watch(browser, allowed)
        self.wishes.set()

    async def _refusal(self, browser: Browser, name: str) -> str | None:
        stream = parse_stream(name)
        if stream is None:
            return "there is no such stream"
        see = database_sync_to_async(visibility.may_see)
        if stream.kind == "account" and not await see(browser.who.user_id, stream.account_id):
            return "there is no such account, or it is not yours to see"
        if stream.kind == "person" and stream.about_id != browser.who.user_id:
            return "there is no such person, or it is not you"
        see_desk = database_sync_to_async(visibility.may_see_desk)
        if stream.kind == "desk" and not await see_desk(browser.who.user_id, stream.about_id):
            return "there is no such desk, or it is not yours to see"
        return None

    def _refuse(self, browser: Browser, name: str, why: str) -> None:
        known = name if parse_stream(name) else "?"
        data = encode({"why": why, "stream": name[:80]})
        text = message(known, 0, "no", data, venue_ms=None, relay_ms=None)
        browser.take(Frame(next(self.numbers), int(time.time() * 1000), [text]))

    async def _load_account(self, browser: Browser, name: str) -> None:
        """Read how the account stands. What happens meanwhile is replayed after the snapshot."""
        stream = parse_stream(name)
        if stream is None or stream.kind != "account":
            return
        room = self.rooms.setdefault(stream.account_id, Room(stream.account_id))
        base = room.number
        browser.fresh[name] = Fresh(base, None)  # somebody is coming: the room stays while we ask the database
        link = self.ear.account_links.get(stream.account_id, NO_LINK)
        snapshot = await database_sync_to_async(visibility.account_snapshot)(stream.account_id, link)
        browser.fresh[name] = Fresh(base, snapshot)

    async def _load_facts(self, names: list[str]) -> None:
        """So that the snapshot says something; those that are watched already are known."""
        unknown = [name for name in names if name.startswith(("person:", "desk:")) and name not in self.facts.values]
        if unknown:
            try:
                await self.facts.look(unknown)
            except (DatabaseTrouble, redis.RedisError, OSError) as problem:
                log.warning("what is known of %s could not be read: %s", ", ".join(unknown), problem)

    def unwatch(self, browser: Browser, names: list[str]) -> None:
        if browser not in self.lagging:
            self.lane_of(browser).unwatch(browser, names)
            return
        for name in names:
            browser.streams.pop(name, None)
            browser.fresh.pop(name, None)

    async def resync(self, browser: Browser, name: str) -> None:
        if name in browser.streams:
            await self.watch(browser, [name])

    def pace(self, browser: Browser, hidden: bool) -> None:
        if browser.hidden == hidden or browser in self.lagging:
            browser.hidden = hidden
            return
        self._step_out(browser)
        browser.hidden = hidden
        self.lane_of(browser).enter(browser)

    def seen(self, browser: Browser, number: int) -> None:
        browser.seen(number)
        if browser in self.lagging and not browser.is_behind:
            self._step_in(browser)

    # those who do not keep up

    def _step_out(self, browser: Browser) -> None:
        lane = self.lane_of(browser)
        for name, stream in browser.streams.items():
            if stream.kind == "account" and name not in browser.fresh:
                browser.fresh[name] = Fresh(lane.sent_to(name), None)
        lane.leave(browser)

    def _step_in(self, browser: Browser) -> None:
        self.lagging.discard(browser)
        browser.lagging_since = None
        self.lane_of(browser).enter(browser)

    def fell_behind(self, browser: Browser) -> None:
        if browser not in self.lagging and browser in self.browsers:
            self._step_out(browser)
            browser.begin_lagging()
            self.lagging.add(browser)

    def lost_track(self, browser: Browser, name: str) -> None:
        """More happened than a room remembers: begin the stream again."""
        self.crew.add(self.resync(browser, name))

    def _see_to_lagging(self) -> None:
        now = time.monotonic()
        for browser in list(self.lagging):
            if not browser.is_behind:
                self._step_in(browser)
            elif now - (browser.lagging_since or now) > GRACE_SECONDS:
                log.info("a browser of user %s did not keep up and was let go", browser.who.user_id)
                self.dismiss(browser, BEHIND)
            elif now >= browser.next_snapshot and not browser.pipe.waiting():
                browser.next_snapshot = now + SNAPSHOT_EVERY
                browser.take(self.lane_of(browser).snapshots(browser))

    def dismiss(self, browser: Browser, why: tuple[int, str]) -> None:
        self.leave(browser)
        browser.pipe.close(*why)

    def _lost_announcements(self, room: Room) -> None:
        """Whoever watches the account gets its state anew."""
        for browser in self.browsers:
            if room.name in browser.streams:
                self.crew.add(self.resync(browser, room.name))

    # once a second

    async def _keep_up(self) -> None:
        while True:
            await asyncio.sleep(1 - time.time() % 1)
            self._see_to_lagging()
            self.ear.see_to_silence()
            for lane in self.lanes:
                lane.pulse()
            self._close_rooms()

    def _close_rooms(self) -> None:
        watched = {stream.account_id for browser in self.browsers for stream in browser.streams.values()}
        expected = {name for browser in self.browsers for name in browser.fresh}
        for account_id in self.rooms.keys() - watched:
            if self.rooms[account_id].name not in expected:
                del self.rooms[account_id]

    async def _tell_facts(self) -> None:
        """What changed of the people and desks that are watched here, and who looks at what."""
        while True:
            await asyncio.sleep(FACTS_SECONDS)
            try:
                await self.facts.tell_presence(self.browsers)
                changed = await self.facts.look(self._watched_facts())
            except (DatabaseTrouble, redis.RedisError, OSError) as problem:
                log.warning("what is known of people and desks could not be read: %s", problem)
                continue
            self.facts.keep_only(self._watched_facts())
            for name in changed:
                for lane in self.lanes:
                    lane.note_fact(name)

    def _watched_facts(self) -> set[str]:
        return {name for b in self.browsers for name, stream in b.streams.items() if stream.kind in FACTS}

    async def _tell_wishes(self) -> None:
        """Say which instruments are looked at here; the relay follows those whose term has not run out."""
        while True:
            try:
                async with asyncio.timeout(WANTED_SECONDS / 3):
                    await self.wishes.wait()
            except TimeoutError:
                pass
            self.wishes.clear()
            until = int((time.time() + WANTED_SECONDS) * 1000)
            try:
                await crowd.tell(self.store, len(self.browsers))
                for environment in ENVIRONMENTS:
                    if wanted := self._wanted(environment):
                        await self.store.zadd(key(environment, "wanted"), dict.fromkeys(wanted, until))
            except (redis.RedisError, OSError) as problem:
                log.warning("the store does not hear what is looked at: %s", problem)

    def _wanted(self, environment: str) -> set[str]:
        return {
            name
            for lane in self.lanes
            for stream in lane.names.values()
            if stream.environment == environment
            for name in wanted_by(stream)
        }

    async def _check_everybody(self) -> None:
        """Who signed out or left a desk keeps nothing: the socket is closed, or the stream taken away."""
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            if not self.browsers:
                continue
            people = {browser.who for browser in self.browsers}
            streams = [stream for browser in self.browsers for stream in browser.streams.values()]
            accounts = {stream.account_id for stream in streams if stream.kind == "account"}
            desks = {stream.about_id for stream in streams if stream.kind == "desk"}
            try:
                seen = await database_sync_to_async(visibility.look)(people, accounts, desks)
            except DatabaseTrouble as problem:
                log.warning("the database does not say who may still see what: %s", problem)
                continue
            for browser in list(self.browsers):
                if browser.who not in people:
                    continue  # came while we looked
                if browser.who not in seen.signed_in:
                    self.dismiss(browser, SIGNED_OUT)
                    continue
                self._take_away(browser, accounts, seen.pairs)
                self._take_desks_away(browser, desks, seen.on_desks)

    def _take_away(self, browser: Browser, looked_at: set[int], pairs: set[tuple[int, int]]) -> None:
        for name, stream in list(browser.streams.items()):
            lost = stream.account_id in looked_at and (browser.who.user_id, stream.account_id) not in pairs
            if stream.kind == "account" and lost:
                self.unwatch(browser, [name])
                self._refuse(browser, name, "this account is no longer yours to see")

    def _take_desks_away(self, browser: Browser, looked_at: set[int], pairs: set[tuple[int, int]]) -> None:
        for name, stream in list(browser.streams.items()):
            lost = stream.about_id in looked_at and (browser.who.user_id, stream.about_id) not in pairs
            if stream.kind == "desk" and lost:
                self.unwatch(browser, [name])
                self._refuse(browser, name, "this desk is no longer yours to see")


_hubs: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = weakref.WeakKeyDictionary()


def hub_here() -> Hub:
    """This process's hub (strictly: this event loop's), started by whoever comes first: Daphne tells no beginning."""
    loop = asyncio.get_running_loop()
    hub = _hubs.get(loop)
    if hub is None:
        hub = _hubs[loop] = Hub()
        hub.running = loop.create_task(hub.run())
    return hub


def forget(hub: Hub) -> None:
    for loop, known in list(_hubs.items()):
        if known is hub:
            del _hubs[loop]
