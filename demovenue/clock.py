"""Demo time: the wall's, or one of its own; faster, or in jumps."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECOND = 1_000_000


def from_micros(micros: int) -> datetime:
    """Whole milliseconds, aware UTC: what records are stamped with."""
    return EPOCH + timedelta(milliseconds=micros // 1000)


def to_micros(at: datetime) -> int:
    return (at - EPOCH) // timedelta(microseconds=1)


def to_millis(at: datetime) -> int:
    since = at - EPOCH  # its own division takes four times as long, and every record is stamped
    return since.days * 86_400_000 + since.seconds * 1000 + since.microseconds // 1000


def wall_micros() -> int:
    return time.time_ns() // 1000


class DemoClock:
    """Counts microseconds. `speed` 0 stands still: then only `advance` moves it."""

    def __init__(self, start: int, speed: Decimal, wall: Callable[[], int] = wall_micros) -> None:
        self._wall = wall
        self.started = start  # exactly, while `micros` has already moved on
        self._base = start
        self._since = wall()
        self.speed = speed

    def micros(self) -> int:
        return self._base + int((self._wall() - self._since) * self.speed)

    def advance(self, seconds: Decimal) -> None:
        if seconds < 0:
            raise ValueError("demo time does not run backwards")
        self._base += int(seconds * SECOND)

    def set_speed(self, speed: Decimal) -> None:
        if not 0 <= speed <= 1000:
            raise ValueError("speed is between 0 and 1000")
        self._base, self._since = self.micros(), self._wall()
        self.speed = speed
