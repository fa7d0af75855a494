"""What happened, by whose it is and what kind: streams of numbered records that only ever grow at their end.

A row of the table is a page of up to 64 records, so that writing costs a row for many of them, and a page of answers
reads a few rows. Numbers and times rise along a stream. `tags` names what the records of a page are about, so that a
search for something rare passes by the pages that have none of it; the caller still looks at every record.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple, TypeVar

import msgspec

R = TypeVar("R")
PAGE = 64  # records
BEYOND = 2**62  # above every number

SCHEMA = """
CREATE TABLE IF NOT EXISTS events (stream TEXT, owner TEXT, last INTEGER, at INTEGER NOT NULL, tags TEXT NOT NULL,
    bodies BLOB NOT NULL, PRIMARY KEY (stream, owner, last)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS events_at ON events (stream, owner, at);
"""


class Happened(NamedTuple):
    """One record on its way into the archive. `at` is epoch milliseconds, `body` its JSON."""

    stream: str
    owner: str
    number: int
    at: int
    tags: tuple[str, ...]
    body: bytes


class Archive:
    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def add(self, happened: Iterable[Happened]) -> None:
        """The caller has begun a transaction."""
        self._db.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)", _pages(happened))

    def read(
        self,
        kind: type[R],
        stream: str,
        owner: str,
        *,
        low: int = 0,
        high: int = BEYOND,
        ascending: bool = True,
        tags: Sequence[Sequence[str]] = (),
    ) -> Iterator[R]:
        """Records numbered from `low` up to below `high`, read as they are taken. `tags`: pages that have one of each
        of these groups."""
        where = ["stream = ?", "owner = ?", "last >= ?"]
        values: list[Any] = [stream, owner, low]
        if high < BEYOND:
            end = "(SELECT MIN(last) FROM events WHERE stream = ? AND owner = ? AND last >= ?)"
            where.append(f"last <= COALESCE({end}, {BEYOND})")
            values += [stream, owner, high]
        for group in filter(None, tags):
            where.append("(" + " OR ".join("instr(tags, ?)" for _ in group) + ")")
            values += [f"|{tag}|" for tag in group]
        order = "ASC" if ascending else "DESC"
        # Conditions are words of this module; everything from outside is bound.
        sql = f"SELECT bodies FROM events WHERE {' AND '.join(where)} ORDER BY last {order}"  # noqa: S608
        decode = msgspec.json.Decoder(list[tuple[int, int, kind]]).decode  # type: ignore[valid-type]
        for (bodies,) in self._db.execute(sql, values):
            rows = decode(bodies)
            for number, _, record in rows if ascending else reversed(rows):
                if low <= number < high:
                    yield record

    def number_at(self, stream: str, owner: str, at: int) -> int:
        """The number of the first record at or after a moment: a page is never searched for by time."""
        sql = "SELECT bodies FROM events WHERE stream = ? AND owner = ? AND at >= ? ORDER BY at, last LIMIT 1"
        row = self._db.execute(sql, (stream, owner, at)).fetchone()
        if row is None:
            return BEYOND
        rows = msgspec.json.decode(row[0], type=list[tuple[int, int, Any]])
        return next(number for number, moment, _ in rows if moment >= at)

    def newest(self, streams: Sequence[str]) -> dict[str, int]:
        """The highest number of each owner."""
        marks = ", ".join("?" * len(streams))
        sql = f"SELECT owner, MAX(last) FROM events WHERE stream IN ({marks}) GROUP BY owner"  # noqa: S608
        return dict(self._db.execute(sql, streams))


def _pages(happened: Iterable[Happened]) -> Iterator[tuple[str, str, int, int, str, bytes]]:
    streams: dict[tuple[str, str], list[Happened]] = defaultdict(list)
    for one in happened:
        streams[one[:2]].append(one)
    for (stream, owner), found in sorted(streams.items()):
        for start in range(0, len(found), PAGE):
            page = found[start : start + PAGE]
            tags = "".join(f"{tag}|" for tag in sorted({tag for one in page for tag in one.tags}))
            bodies = b"[" + b",".join(b"[%d,%d,%b]" % (one.number, one.at, one.body) for one in page) + b"]"
            yield stream, owner, page[-1].number, page[-1].at, "|" + tags, bodies
