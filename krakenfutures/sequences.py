"""Keeps count of numbered streams and says of each number what it means."""

from __future__ import annotations

from enum import Enum

from krakenfutures.events import Gap

Stream = tuple[str, str | None]  # the feed, and the symbol where it has one

PATIENCE = 500  # lines of a void stream after which its snapshot is asked for again
STRIKES = 3  # gaps without one number in order: this stream does not count the way we think


class Verdict(Enum):
    IN_ORDER = "in order"
    SEEN = "seen"  # an older number: we have it already
    VOID = "void"  # of no use before the next snapshot
    GAP = "gap"


class Sequences:
    def __init__(self) -> None:
        self._last: dict[Stream, int] = {}
        self._void: dict[Stream, int] = {}
        self._strikes: dict[Stream, int] = {}

    def clear(self) -> None:
        """A new connection counts anew."""
        for memory in (self._last, self._void, self._strikes):
            memory.clear()

    def forget(self, stream: Stream) -> None:
        for memory in (self._last, self._void, self._strikes):
            memory.pop(stream, None)

    def start(self, stream: Stream, seq: int | None) -> None:
        """A snapshot came: what follows is counted from it."""
        self._void.pop(stream, None)
        if seq is not None:
            self._last[stream] = seq

    def check(self, stream: Stream, seq: int, *, needs_snapshot: bool = True) -> tuple[Verdict, Gap | None]:
        """What the next number means. A gap is told once, and again when no snapshot comes for a long time."""
        if stream in self._void:
            return self._still_void(stream, seq)
        last = self._last.get(stream)
        if last is None and needs_snapshot:
            return Verdict.VOID, None
        if last is None or seq == last + 1:
            self._last[stream] = seq
            self._strikes.pop(stream, None)
            return Verdict.IN_ORDER, None
        if seq <= last:
            return Verdict.SEEN, None
        return self._skipped(stream, last, seq)

    def _skipped(self, stream: Stream, last: int, seq: int) -> tuple[Verdict, Gap | None]:
        strikes = self._strikes[stream] = self._strikes.get(stream, 0) + 1
        if strikes > STRIKES and stream[0] == "trade":
            self._last[stream] = seq
            return Verdict.IN_ORDER, None
        self._void[stream] = 0
        return Verdict.GAP, Gap(feed=stream[0], symbol=stream[1], expected=last + 1, got=seq)

    def _still_void(self, stream: Stream, seq: int) -> tuple[Verdict, Gap | None]:
        self._void[stream] += 1
        if self._void[stream] % PATIENCE:
            return Verdict.VOID, None
        expected = self._last.get(stream, seq - 1) + 1
        return Verdict.GAP, Gap(feed=stream[0], symbol=stream[1], expected=expected, got=seq)
