"""One browser's socket as the hub sees it: what it watches, and how much of what it was sent it has seen."""

from __future__ import annotations

import secrets
import time
from collections import deque
from typing import NamedTuple

from trading.live.frames import Frame
from trading.live.streams import Stream
from trading.live.transport import Pipe

UNSEEN_BYTES = 1024 * 1024  # beyond this a socket gets snapshots only
SNAPSHOT_EVERY = 2.0  # seconds between the snapshots that a lagging socket gets
UNSEEN_FRAMES = 2000  # for a reader that never acknowledges, however little it is sent
WAITING_BYTES = 256 * 1024  # the same for what waits in this process


class Fresh(NamedTuple):
    """How a stream begins for a browser: with this snapshot (or none) true after `base`, then what came since."""

    base: int
    snapshot: bytes | None


class Who(NamedTuple):
    """Whom the socket was opened for; checked again while it is open."""

    user_id: int
    session_key: str
    session_hash: str  # changes with the password


class Browser:
    __slots__ = (
        "acked",
        "fresh",
        "group",
        "hidden",
        "lagging_since",
        "looks_at",
        "name",
        "next_snapshot",
        "pipe",
        "streams",
        "total",
        "unseen",
        "who",
    )

    def __init__(self, who: Who, pipe: Pipe) -> None:
        self.who = who
        self.pipe = pipe
        self.streams: dict[str, Stream] = {}
        self.fresh: dict[str, Fresh] = {}  # account streams that begin at the next flush
        self.group: frozenset[str] | None = None  # the set of streams it is served with, once placed
        self.hidden = False
        self.name = secrets.token_hex(8)  # of the socket, to tell it from the same person's others
        self.looks_at: tuple[str, str] = ("", "")  # the page and the instrument, as the page says
        self.total = 0  # bytes sent, ever
        self.acked = 0  # of them, known to have been seen
        self.unseen: deque[tuple[int, int]] = deque()  # frame number, `total` after it
        self.lagging_since: float | None = None
        self.next_snapshot = 0.0

    def take(self, frame: Frame) -> None:
        self.total += len(frame.wire)
        self.unseen.append((frame.number, self.total))
        self.pipe.write(frame)

    def seen(self, number: int) -> None:
        """The page has read everything up to this frame."""
        unseen = self.unseen
        while unseen and unseen[0][0] <= number:
            self.acked = unseen.popleft()[1]

    @property
    def is_behind(self) -> bool:
        return (
            self.total - self.acked > UNSEEN_BYTES
            or len(self.unseen) > UNSEEN_FRAMES
            or self.pipe.waiting() > WAITING_BYTES
        )

    def begin_lagging(self) -> None:
        self.lagging_since = time.monotonic()
        self.next_snapshot = self.lagging_since + SNAPSHOT_EVERY
