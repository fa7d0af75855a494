"""What is known of people and desks: unread notices, the end of a desk's book, who looks at what.

The database and the store are asked once a second for those that are watched here. Nothing is announced, so nothing
can be lost; only the newest value of each is kept and sent.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable
from typing import Any

import redis.asyncio
from channels.db import database_sync_to_async

from trading.live import visibility
from trading.live.browser import Browser
from trading.live.streams import parse_stream
from trading.plain import encode

TERM_SECONDS = 10  # a process that dies is believed for so long
RENEW_SECONDS = 4


class Facts:
    def __init__(self, store: redis.asyncio.Redis) -> None:
        self.store = store
        self.values: dict[str, bytes] = {}  # by stream
        self._told: dict[int, set[str]] = {}  # by desk: what this process has said of who is here
        self._told_at = 0.0

    async def look(self, names: Iterable[str]) -> list[str]:
        """Read them anew; returns those that changed."""
        streams = {name: stream for name in names if (stream := parse_stream(name))}
        if not streams:
            return []
        people = {stream.about_id for stream in streams.values() if stream.kind == "person"}
        desks = {stream.about_id for stream in streams.values() if stream.kind == "desk"}
        here = await self._here(desks)
        of_people, books, names_of = await database_sync_to_async(_read)(people, desks, here)
        changed = []
        for name, stream in streams.items():
            known: dict[str, Any] = (
                of_people[stream.about_id]
                if stream.kind == "person"
                else {"book": books[stream.about_id], "here": _as_told(here.get(stream.about_id, []), names_of)}
            )
            value = encode(known)
            if self.values.get(name) != value:
                self.values[name] = value
                changed.append(name)
        return changed

    def keep_only(self, names: Collection[str]) -> None:
        for name in self.values.keys() - names:
            del self.values[name]

    async def tell_presence(self, browsers: Iterable[Browser]) -> None:
        """Say who is at which page of which desk here: whoever comes, goes or turns the page, and all now and then."""
        now_here: dict[int, set[str]] = {}
        for browser in browsers:
            page, symbol = browser.looks_at
            for stream in browser.streams.values():
                if stream.kind == "desk" and page and not browser.hidden:
                    row = f"{browser.who.user_id}|{browser.name}|{page}|{symbol}"
                    now_here.setdefault(stream.about_id, set()).add(row)
        renew = time.monotonic() - self._told_at > RENEW_SECONDS
        if now_here == self._told and not (renew and now_here):
            return
        until = time.time() + TERM_SECONDS
        async with self.store.pipeline(transaction=False) as together:
            for desk_id in now_here.keys() | self._told.keys():
                said, before = now_here.get(desk_id, set()), self._told.get(desk_id, set())
                if gone := before - said:
                    together.zrem(place(desk_id), *gone)
                if said:
                    together.zadd(place(desk_id), dict.fromkeys(said, until))
                    together.expire(place(desk_id), TERM_SECONDS)
            await together.execute()
        self._told, self._told_at = now_here, time.monotonic()

    async def _here(self, desk_ids: Collection[int]) -> dict[int, list[list[str]]]:
        if not desk_ids:
            return {}
        async with self.store.pipeline(transaction=False) as together:
            for desk_id in desk_ids:
                together.zrangebyscore(place(desk_id), time.time(), "+inf")
            found = await together.execute()
        pairs = zip(desk_ids, found, strict=True)
        return {desk_id: [row.decode().split("|") for row in rows] for desk_id, rows in pairs}


def place(desk_id: int) -> str:
    return f"kfweb:live:desk:{desk_id}:here"


def _read(
    people: set[int], desks: set[int], here: dict[int, list[list[str]]]
) -> tuple[dict[int, dict[str, int]], dict[int, int], dict[int, str]]:
    present = {int(row[0]) for rows in here.values() for row in rows}
    return (
        visibility.facts_of_people(people) if people else {},
        visibility.facts_of_desks(desks) if desks else {},
        visibility.names_of(present),
    )


def _as_told(rows: list[list[str]], names: dict[int, str]) -> list[dict[str, Any]]:
    """One line a person, page and instrument, in an order that does not change by itself."""
    lines = sorted({(int(row[0]), row[2], row[3]) for row in rows})
    return [
        {"id": user_id, "name": names.get(user_id, "?"), "page": page, "symbol": symbol}
        for user_id, page, symbol in lines
    ]
