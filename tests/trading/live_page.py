"""What the tests of the live part stand on: a page with its socket, and a relay whose words are written by hand."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import redis.asyncio
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.db import connections
from django.test import Client

from kfweb.asgi import application
from krakenfutures.events import Event, TradesSnapshot
from krakenfutures.values import BookSnapshot, Level, Side, Ticker, Trade
from trading.live.hub import hub_here
from trading.live.market import Market
from trading.live.stored import write_stored
from trading.live.streams import market_group

HOST = b"127.0.0.1:8000"
Message = dict[str, Any]


class Page:
    """A browser's page: keeps every message it got, and every frame's head."""

    def __init__(self, cookie: str = "", *, origin: bytes = b"http://127.0.0.1:8000", host: bytes = HOST) -> None:
        headers = [(b"host", host), (b"origin", origin)]
        if cookie:
            headers.append((b"cookie", f"{settings.SESSION_COOKIE_NAME}={cookie}".encode()))
        self.wire = WebsocketCommunicator(application, "/ws/live", headers=headers)
        self.messages: list[Message] = []
        self.heads: list[Message] = []
        self.closed: Message | None = None

    async def open(self) -> bool:
        connected, _ = await self.wire.connect(timeout=5)
        return connected

    async def say(self, **words: object) -> None:
        await self.wire.send_json_to(words)

    async def watch(self, *streams: str) -> None:
        await self.say(do="watch", streams=list(streams))

    async def read(self, timeout: float = 3) -> None:
        """One frame, or the end."""
        event = await self.wire.receive_output(timeout)
        if event["type"] == "websocket.close":
            self.closed = event
            return
        head, *messages = json.loads(event["text"])
        self.heads.append(head)
        self.messages += messages

    async def until(self, found: Callable[[Message], bool], *, seconds: float = 5) -> Message:
        """The first message, also of those that came before, for which `found` holds."""
        end = time.monotonic() + seconds
        looked = 0
        while True:
            for message in self.messages[looked:]:
                if found(message):
                    return message
            looked = len(self.messages)
            if time.monotonic() > end:
                raise AssertionError(f"it did not come; there were {self.messages[-5:]}")
            await self.read(timeout=seconds)

    async def first(self, stream: str, kind: str = "snap") -> Message:
        return await self.until(lambda message: message["s"] == stream and message["k"] == kind)

    async def until_closed(self, seconds: float = 15) -> Message:
        end = time.monotonic() + seconds
        while self.closed is None and time.monotonic() < end:
            await self.read(timeout=seconds)
        assert self.closed is not None, "nobody closed the socket"
        return self.closed

    def of(self, stream: str) -> list[Message]:
        return [message for message in self.messages if message["s"] == stream]

    async def leave(self) -> None:
        await self.wire.disconnect(timeout=5)


async def cookie_of(user: Any) -> str:
    def sign_in() -> str:
        client = Client()
        client.force_login(user)
        return client.cookies[settings.SESSION_COOKIE_NAME].value

    return await sync_to_async(sign_in)()


@asynccontextmanager
async def page_of(user: Any):
    page = Page(await cookie_of(user))
    assert await page.open()
    try:
        yield page
    finally:
        await page.leave()


@asynccontextmanager
async def hub():
    """The hub of this test's loop, and its end: nothing may outlive a test."""
    here = hub_here()
    try:
        yield here
    finally:
        await here.close()
        await get_channel_layer().flush()
        await sync_to_async(connections.close_all)()


class Relay:
    """Says what a test wants said, by the relay's own means."""

    def __init__(self, environment: str = "demo", epoch: str = "first") -> None:
        self.market = Market(environment, epoch)
        self.store = redis.asyncio.Redis.from_url(settings.REDIS_URL)

    async def say(self, *events: Event, lose: bool = False, link: dict[str, Any] | None = None, accounts=None) -> None:
        """`lose` keeps the batch in the store but lets the message be lost on its way."""
        for event in events:
            self.market.follow(self.market.followed | {getattr(event, "symbol", "")})
            self.market.hear(event)
        batch = self.market.take(json.dumps(link).encode() if link else None, accounts or {})
        await write_stored(self.store, batch, self.market.tape)
        if not lose:
            await get_channel_layer().group_send(market_group(self.market.environment), batch)

    async def close(self) -> None:
        await self.store.aclose()


@asynccontextmanager
async def relay(environment: str = "demo", epoch: str = "first"):
    speaker = Relay(environment, epoch)
    try:
        yield speaker
    finally:
        await speaker.close()


def tick(symbol: str = "PF_XBTUSD", last: str = "60000", **fields: Any) -> Ticker:
    return Ticker(symbol=symbol, at=datetime.now(UTC), last=Decimal(last), **fields)


def trade(number: int, symbol: str = "PF_XBTUSD") -> Trade:
    return Trade(
        symbol=symbol,
        id=f"trade-{number}",
        side=Side.BUY,
        price=Decimal(60000 + number),
        size=Decimal("0.1"),
        at=datetime.now(UTC),
        seq=number,
    )


def tape(*numbers: int, symbol: str = "PF_XBTUSD") -> TradesSnapshot:
    return TradesSnapshot(symbol=symbol, trades=tuple(trade(number, symbol) for number in numbers))


def book(bid: str, ask: str, symbol: str = "PF_XBTUSD", seq: int = 1) -> BookSnapshot:
    one = Decimal(1)
    return BookSnapshot(
        symbol=symbol,
        bids=(Level(price=Decimal(bid), size=one),),
        asks=(Level(price=Decimal(ask), size=one),),
        seq=seq,
        at=datetime.now(UTC),
    )


async def eventually(true: Callable[[], bool], seconds: float = 5) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not become so"
        await asyncio.sleep(0.01)
