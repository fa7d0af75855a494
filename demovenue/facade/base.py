"""What every call to the exchange goes through."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from demovenue.clock import from_micros
from demovenue.parts import Parts


class Command:
    """One piece of work. The market is played up to now first, so that a command never meets the past."""

    __slots__ = ("_parts",)

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def __enter__(self) -> Parts:
        parts = self._parts
        parts.floor.begin()
        try:
            parts.protection.release_due(parts.floor.micros)
            parts.simulation.catch_up(parts.floor.micros)
        except BaseException:
            parts.floor.end()
            raise
        return parts

    def __exit__(self, *_error: object) -> None:
        self._parts.floor.end()


class Calls:
    _parts: Parts
    _alarm: asyncio.Event  # something is due before the next step would be

    def _command(self) -> Command:
        return Command(self._parts)

    @contextmanager
    def _read(self) -> Iterator[Parts]:
        """What depends on the time of day, such as funding, is reckoned for now."""
        floor = self._parts.floor
        floor.micros = max(floor.micros, floor.clock.micros())
        yield self._parts

    def now(self) -> datetime:
        """Demo time, aware UTC: the `serverTime` of every answer."""
        return from_micros(self._parts.clock.micros())
