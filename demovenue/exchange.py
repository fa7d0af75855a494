"""The exchange as its doors see it: one object, one thread, no I/O but its own database.

Every command returns after what it did is committed. Listeners hear of it after the commit, before the return.
`Refused` carries Kraken's word for whatever is not an order status.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from demovenue.clock import SECOND
from demovenue.events import Listener
from demovenue.facade.account import AccountCalls
from demovenue.facade.choices import ChoiceCalls
from demovenue.facade.control import ControlCalls
from demovenue.facade.orders import OrderCalls
from demovenue.facade.people import PeopleCalls
from demovenue.facade.public import PublicCalls
from demovenue.parts import build

STEP = 0.05  # seconds
SAVE_EVERY = 2_000_000  # microseconds of demo time between writings of clock and prices


class Exchange(PeopleCalls, OrderCalls, AccountCalls, ChoiceCalls, PublicCalls, ControlCalls):
    """`data` is a directory, or None for an exchange that forgets. `start` freezes the first demo time; without it
    demo time is the wall's. `manual` clocks stand still between `advance` calls (tests)."""

    def __init__(
        self,
        data: Path | None = None,
        *,
        seed: int = 1,
        speed: Decimal = Decimal(1),
        start: datetime | None = None,
        manual: bool = False,
        replay: Path | None = None,
    ) -> None:
        """`replay`: a CSV of time and price that drives the index of Bitcoin. ValueError when it cannot be read."""
        self._parts = build(data, seed=seed, speed=speed, start=start, manual=manual, replay=replay)
        self._saved = self._parts.floor.micros
        self._alarm = asyncio.Event()

    def step(self) -> None:
        """Let demo time catch up: market, triggers, funding, liquidations, maturities. Bounded work."""
        parts = self._parts
        with parts.floor.work():
            parts.protection.release_due(parts.floor.micros)
            parts.simulation.catch_up(parts.floor.micros)
            if parts.floor.micros - self._saved > SAVE_EVERY:
                self._saved = parts.floor.micros
                parts.memory.save()

    async def run(self) -> None:
        """`step` some twenty times a second, and whenever a held order is due, until cancelled."""
        while True:
            self.step()
            self._alarm.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._alarm.wait(), self._nap())

    def _nap(self) -> float:
        """Seconds to sleep before the next step."""
        clock, due = self._parts.clock, self._parts.protection.next_due
        if due is None or not clock.speed:
            return STEP
        return min(STEP, max(0.001, (due - clock.micros()) / SECOND / float(clock.speed)))

    def close(self) -> None:
        """Commit and let go of the database."""
        with self._command():
            self._parts.memory.save()
        self._parts.store.close()

    def subscribe(self, listener: Listener) -> None:
        self._parts.floor.listeners.append(listener)

    def unsubscribe(self, listener: Listener) -> None:
        self._parts.floor.listeners.remove(listener)
