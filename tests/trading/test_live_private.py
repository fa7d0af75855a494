"""One key's private socket: order is kept, states are conflated, and what could not be written is read again."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import pytest

from accounts.vault import VaultError
from krakenfutures.errors import Unreachable
from krakenfutures.events import Connected, Event, FillsHappened, OrderChanged, PositionsChanged
from krakenfutures.values import Position
from krakenfutures.venue import Credentials
from tests.trading.live_page import eventually
from trading.live.private import PrivateSocket


class Script:
    """A venue that says what it is given, and a desk that writes down what it hears."""

    def __init__(self) -> None:
        self.events: asyncio.Queue[Event] = asyncio.Queue()
        self.heard: list[Event] = []
        self.syncs = 0
        self.found = 0
        self.troubles: list[Exception] = []
        self.closed_vault = False

    async def watch_account(self, _credentials: Credentials):
        while True:
            yield await self.events.get()

    def hear(self, _account_id: int, event: Event) -> None:
        if isinstance(event, OrderChanged) and event.order_id == "poison":
            raise RuntimeError("this row cannot be written")
        self.heard.append(event)

    def sync(self, _key_id: int) -> int:
        if self.troubles:
            raise self.troubles.pop()
        self.syncs += 1
        return self.found

    def open_key(self, _key_id: int) -> Credentials:
        if self.closed_vault:
            raise VaultError("the master key is another one")
        return Credentials("key", "secret")


async def at_once(work: Any, *arguments: Any) -> Any:
    await asyncio.sleep(0)
    return work(*arguments)


@pytest.fixture
def script() -> Script:
    return Script()


@asynccontextmanager
async def running(script: Script):
    socket = PrivateSocket(
        1, 2, script, in_thread=at_once, open_key=script.open_key, hear=script.hear, sync=script.sync
    )  # type: ignore[arg-type]
    task = asyncio.create_task(socket.run())
    try:
        yield socket
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def order(name: str) -> OrderChanged:
    return OrderChanged(order_id=name, client_id=None, gone=False, reason="")


def positions(size: int) -> PositionsChanged:
    return PositionsChanged(positions=(Position(symbol="PF_XBTUSD", size=Decimal(size), entry=Decimal(1)),))


async def test_orders_and_fills_are_written_in_the_order_they_were_said(script):
    async with running(script):
        said = [order(str(number)) for number in range(50)] + [FillsHappened(fills=())]
        for event in said:
            script.events.put_nowait(event)
        await eventually(lambda: len(script.heard) == 51)
        assert script.heard == said


async def test_of_positions_only_the_newest_is_written_and_orders_do_not_wait_for_them(script):
    async with running(script):
        for number in range(1, 21):
            script.events.put_nowait(positions(number))
            await asyncio.sleep(0.01)
        script.events.put_nowait(order("now"))
        await eventually(lambda: order("now") in script.heard, seconds=0.5)
        await eventually(lambda: positions(20) in script.heard, seconds=2)
        assert len(script.heard) <= 5


async def test_every_connection_reads_the_account_and_a_reconnection_counts_what_it_found(script):
    async with running(script) as socket:
        script.found = 3
        script.events.put_nowait(Connected(attempt=1))
        await eventually(lambda: script.syncs == 1)
        assert socket.link.healed == 0
        script.events.put_nowait(Connected(attempt=2))
        await eventually(lambda: script.syncs == 2)
        assert socket.link.healed == 3


async def test_a_read_that_fails_is_tried_again(script, monkeypatch):
    monkeypatch.setattr("trading.live.private.AGAIN_SECONDS", 0.01)
    script.troubles = [Unreachable("no answer"), RuntimeError("a bug")]
    async with running(script):
        script.events.put_nowait(Connected(attempt=1))
        await eventually(lambda: script.syncs == 1)


async def test_what_cannot_be_written_is_read_anew_and_the_next_is_written(script):
    async with running(script):
        script.events.put_nowait(order("poison"))
        script.events.put_nowait(order("next"))
        await eventually(lambda: order("next") in script.heard)
        assert script.syncs == 1


async def test_a_key_that_cannot_be_opened_says_so_and_harms_nothing(script):
    script.closed_vault = True
    async with running(script) as socket:
        await eventually(lambda: "cannot be used" in socket.link.why)
        assert socket.link.state == "down"
