"""One key's private socket: what the exchange says of an account goes into rows, in order; a loss is made good."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Any

from django.core.exceptions import ObjectDoesNotExist

from accounts.vault import VaultError
from krakenfutures.errors import KrakenError
from krakenfutures.events import BalancesChanged, Connected, Event, PositionsChanged
from krakenfutures.signing import BadSecret
from krakenfutures.venue import Credentials, Venue
from trading.live.link import LinkState

log = logging.getLogger(__name__)

CONFLATE_SECONDS = 1.0  # positions and balances move with every price; rows need not
AGAIN_SECONDS = 5.0  # after a read that failed

InThread = Callable[..., Awaitable[Any]]


class PrivateSocket:
    """`hear(account_id, event)` and `sync(key_id)` are synchronous and touch the database; `open_key` too."""

    def __init__(
        self,
        key_id: int,
        account_id: int,
        venue: Venue,
        *,
        in_thread: InThread,
        open_key: Callable[[int], Credentials],
        hear: Callable[[int, Event], None],
        sync: Callable[[int], object],
    ) -> None:
        self.key_id, self.account_id, self.venue = key_id, account_id, venue
        self._in_thread, self._open_key, self._hear, self._sync = in_thread, open_key, hear, sync
        self.link = LinkState()
        self._waiting: deque[Event] = deque()
        self._positions: PositionsChanged | None = None
        self._balances: BalancesChanged | None = None
        self._bell = asyncio.Event()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as together:
            together.create_task(self._listen())
            together.create_task(self._write_down())

    async def _listen(self) -> None:
        try:
            credentials = await self._in_thread(self._open_key, self.key_id)
            async with aclosing(self.venue.watch_account(credentials)) as events:  # type: ignore[type-var]
                async for event in events:
                    self.take(event)
        except (VaultError, BadSecret, ObjectDoesNotExist) as problem:
            self.link.why = f"the key cannot be used: {problem}"
            log.warning("key %s cannot be used for the private feed: %s", self.key_id, problem)
            await asyncio.Event().wait()  # until the key is replaced; the state says why nothing comes

    def take(self, event: Event) -> None:
        """Queue it. Orders and fills keep their order; of positions and balances only the newest is kept."""
        self.link.hear(event)
        match event:
            case PositionsChanged():
                self._positions = event
            case BalancesChanged():
                self._balances = merged(self._balances, event)
            case _:
                self._waiting.append(event)
        self._bell.set()

    async def _write_down(self) -> None:
        while True:
            await self._bell.wait()
            self._bell.clear()
            while self._waiting:
                event = self._waiting.popleft()
                if isinstance(event, Connected):
                    await self._catch_up(event)
                await self._write(event)
            await self._write_state()

    async def _write_state(self) -> None:
        positions, self._positions = self._positions, None
        balances, self._balances = self._balances, None
        if positions is None and balances is None:
            return
        for event in (positions, balances):
            if event is not None:
                await self._write(event)
        await self._pause()

    async def _pause(self) -> None:
        """Before the next positions and balances; orders and fills do not wait for it."""
        try:
            async with asyncio.timeout(CONFLATE_SECONDS):
                while not self._waiting:
                    await self._bell.wait()
                    self._bell.clear()
        except TimeoutError:
            pass
        self._bell.set()

    async def _write(self, event: Event) -> None:
        try:
            await self._in_thread(self._hear, self.account_id, event)
        except Exception:
            log.exception("could not write down %s of account %s", type(event).__name__, self.account_id)
            await self._catch_up(None)

    async def _catch_up(self, connected: Connected | None) -> None:
        """Read everything by REST: arriving and coming back are the same. Keeps trying: without it we would lie."""
        while True:
            try:
                changed = await self._in_thread(self._sync, self.key_id)
            except KrakenError as problem:
                log.warning("could not read account %s after a new connection: %s", self.account_id, problem)
                await asyncio.sleep(AGAIN_SECONDS)
                continue
            except Exception:
                log.exception("could not read account %s after a new connection", self.account_id)
                await asyncio.sleep(AGAIN_SECONDS)
                continue
            if connected is not None and connected.attempt > 1 and isinstance(changed, int):
                self.link.healed += changed
            return


def merged(older: BalancesChanged | None, newer: BalancesChanged) -> BalancesChanged:
    """Sections that the newer one does not name are still true as the older one said."""
    if older is None or newer.complete:
        return newer
    return BalancesChanged(
        complete=older.complete,
        cash=newer.cash if newer.cash is not None else older.cash,
        margin_accounts=newer.margin_accounts if newer.margin_accounts is not None else older.margin_accounts,
        flex=newer.flex if newer.flex is not None else older.flex,
        seq=newer.seq,
    )
