"""What a web process hears of the relay and of the actions, through one channel of the layer."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import redis
import redis.asyncio
from channels.layers import get_channel_layer

from trading.live.board import Batch, Board, Change
from trading.live.lane import Lane
from trading.live.rooms import Room
from trading.live.stored import read_stored
from trading.live.streams import ENVIRONMENTS, RELAY_LATE_MS, market_group
from trading.publish import ACCOUNTS_GROUP

log = logging.getLogger(__name__)


class Ear:
    """Keeps the boards and the rooms, and tells the lanes what changed."""

    def __init__(self, store: redis.asyncio.Redis, lost: Callable[[Room], None]) -> None:
        self.store = store
        self.lost = lost  # announcements about an account are missing
        self.boards = {environment: Board(environment) for environment in ENVIRONMENTS}
        self.rooms: dict[int, Room] = {}
        self.account_links: dict[int, bytes] = {}
        self.lanes: Sequence[Lane] = ()
        self.heard_relay: dict[str, float] = {}  # environment → monotonic time of the last batch

    async def listen(self) -> None:
        layer = get_channel_layer()
        while True:
            try:
                channel = await layer.new_channel()
                for group in (ACCOUNTS_GROUP, *map(market_group, ENVIRONMENTS)):
                    await layer.group_add(group, channel)
                for environment in ENVIRONMENTS:
                    await self._read_stored(environment)
                while True:
                    await self._hear(await layer.receive(channel))
            except (redis.RedisError, OSError) as problem:
                log.warning("the store does not answer the hub: %s", problem)
                await asyncio.sleep(1)

    async def _hear(self, event: dict[str, Any]) -> None:
        if event["type"] == "account.event":
            self._account_event(event["account"], event["number"], event["body"])
        elif event["type"] == "live.batch":
            await self._batch(event)

    async def _batch(self, batch: Batch) -> None:
        environment = batch["env"]
        board = self.boards[environment]
        self.heard_relay[environment] = time.monotonic()
        if not board.follows(batch) and not board.is_old(batch):
            log.info("batches of %s are missing before %s; reading all again", environment, batch["n"])
            await self._read_stored(environment)
        if not board.is_old(batch):
            self._note(board.apply(batch))
        for account_id, (link, announced) in batch["accounts"].items():
            self._account_link(int(account_id), link, announced)

    def _note(self, changes: Iterable[Change]) -> None:
        for change in changes:
            for lane in self.lanes:
                lane.note(change.stream, change.addition)

    async def _read_stored(self, environment: str) -> None:
        stored = await read_stored(self.store, environment)
        if stored is None:
            return
        self.boards[environment].load(stored)
        self.heard_relay[environment] = time.monotonic()  # should it be gone, that shows in three seconds
        for lane in self.lanes:
            lane.restart(environment)

    def _account_event(self, account_id: int, announced: int, body: bytes) -> None:
        room = self.rooms.get(account_id)
        if room is None:
            return
        complete = room.heard(announced)
        self._add_event(room, body)
        if not complete:
            self.lost(room)

    def _account_link(self, account_id: int, link: bytes, announced: int) -> None:
        self.account_links[account_id] = link
        room = self.rooms.get(account_id)
        if room is None:
            return
        self._add_event(room, b'{"kind":"link",' + link[1:])
        if not room.compare(announced):
            self.lost(room)

    def _add_event(self, room: Room, body: bytes) -> None:
        room.add(body, None)
        for lane in self.lanes:
            lane.note_event(room)
        room.forget(min(lane.sent_to(room.name) for lane in self.lanes))

    def see_to_silence(self) -> None:
        """A relay that stopped speaking cannot say so itself."""
        for environment, heard in list(self.heard_relay.items()):
            if time.monotonic() - heard > RELAY_LATE_MS / 1000:
                del self.heard_relay[environment]
                self._note(self.boards[environment].relay_is_silent())
