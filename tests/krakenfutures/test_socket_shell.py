"""The socket against a small real server that misbehaves in the ways real ones do."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from krakenfutures.events import Connected, Disconnected, Event
from krakenfutures.io.socket import Limits, pause_after, watch_account, watch_market
from krakenfutures.values import Ticker
from tests.krakenfutures.wire import CREDENTIALS, as_json, sample, text_of

QUICK = Limits(silence=0.3, ping=20, first_pause=0.01, longest_pause=0.05, settled=5)


class Wishes:
    def __init__(self, **wanted: set[str]) -> None:
        self.wanted = {feed: frozenset(symbols) for feed, symbols in wanted.items()}
        self._changed = asyncio.Event()

    def current(self) -> dict[str, frozenset[str]]:
        return self.wanted

    async def changed(self) -> None:
        await self._changed.wait()
        self._changed.clear()

    def now(self, **wanted: set[str]) -> None:
        self.wanted = {feed: frozenset(symbols) for feed, symbols in wanted.items()}
        self._changed.set()


class Server:
    """Remembers what each connection said; `behave` decides what it does."""

    def __init__(self, behave: Callable[[Server, ServerConnection], Awaitable[None]]) -> None:
        self.said: list[list[dict[str, Any]]] = []
        self._behave = behave

    async def handle(self, socket: ServerConnection) -> None:
        self.said.append([])
        with suppress(ConnectionClosed):
            await self._behave(self, socket)

    async def listen(self, socket: ServerConnection) -> AsyncIterator[dict[str, Any]]:
        async for line in socket:
            words = json.loads(line)
            self.said[-1].append(words)
            yield words

    @property
    def connections(self) -> int:
        return len(self.said)


@asynccontextmanager
async def running(behave: Callable[[Server, ServerConnection], Awaitable[None]]) -> AsyncIterator[tuple[Server, str]]:
    server = Server(behave)
    async with serve(server.handle, "127.0.0.1", 0, ping_interval=None) as listening:
        port = next(iter(listening.sockets)).getsockname()[1]
        yield server, f"ws://127.0.0.1:{port}"


async def first(stream: AsyncIterator[Event], wanted: type, times: int = 1) -> list[Any]:
    """Everything up to and including the given number of events of a kind."""
    seen: list[Any] = []
    async with asyncio.timeout(8):
        async for event in stream:
            seen.append(event)
            times -= isinstance(event, wanted)
            if not times:
                break
    return seen


async def ticking(server: Server, socket: ServerConnection) -> None:
    await socket.send(text_of("ws_info"))
    async for words in server.listen(socket):
        if words.get("feed") == "ticker" and words["event"] == "subscribe":
            for symbol in words["product_ids"]:
                await socket.send(as_json({**sample("ws_ticker"), "product_id": symbol}))


async def test_a_market_is_watched_from_the_first_connection_on():
    async with (
        running(ticking) as (server, url),
        aclosing(watch_market(url, Wishes(ticker={"PF_XBTUSD"}), QUICK)) as s,
    ):
        events = await first(s, Ticker)

    assert events[0] == Connected(attempt=1)
    assert events[-1].symbol == "PF_XBTUSD"
    assert server.said[0][0] == {"event": "subscribe", "feed": "heartbeat"}


async def test_changed_wishes_need_no_new_connection():
    wishes = Wishes(ticker={"PF_XBTUSD"})
    async with running(ticking) as (server, url), aclosing(watch_market(url, wishes, QUICK)) as stream:
        await first(stream, Ticker)
        wishes.now(ticker={"PF_ETHUSD"})
        events = await first(stream, Ticker)

    assert events[-1].symbol == "PF_ETHUSD"
    assert server.connections == 1
    assert [words["event"] for words in server.said[0][2:]] == ["unsubscribe", "subscribe"]


async def test_a_dropped_connection_is_told_and_made_again_with_the_same_words():
    async def drop_once(server: Server, socket: ServerConnection) -> None:
        if server.connections == 1:
            async for words in server.listen(socket):
                if words.get("product_ids"):
                    socket.transport.abort()
        await ticking(server, socket)

    wishes = Wishes(ticker={"PF_XBTUSD"})
    async with running(drop_once) as (server, url), aclosing(watch_market(url, wishes, QUICK)) as stream:
        events = await first(stream, Ticker)

    assert [type(event) for event in events if isinstance(event, Connected | Disconnected)] == [
        Connected,
        Disconnected,
        Connected,
    ]
    assert server.said[0] == server.said[1]


async def test_an_open_socket_that_says_nothing_is_cut():
    async def freeze(server: Server, socket: ServerConnection) -> None:
        async for _ in server.listen(socket):
            pass

    async with running(freeze) as (_, url), aclosing(watch_market(url, Wishes(), QUICK)) as stream:
        events = await first(stream, Disconnected)

    assert "nothing was heard" in events[-1].why


async def test_a_slow_reader_is_not_taken_for_a_silent_venue():
    async def chatter(server: Server, socket: ServerConnection) -> None:
        while True:
            await socket.send(text_of("ws_heartbeat"))
            await asyncio.sleep(0.05)

    async with running(chatter) as (server, url), aclosing(watch_market(url, Wishes(), QUICK)) as stream:
        await first(stream, Connected)
        await anext(stream)
        await asyncio.sleep(QUICK.silence * 3)
        events = [await anext(stream) for _ in range(10)]

    assert not any(isinstance(event, Disconnected) for event in events)
    assert server.connections == 1


async def test_a_server_that_accepts_and_closes_is_not_flooded():
    async def close(server: Server, socket: ServerConnection) -> None:
        await socket.close()

    async with running(close) as (_, url), aclosing(watch_market(url, Wishes(), QUICK)) as stream:
        events = await first(stream, Disconnected, times=6)

    pauses = [event.retry_in for event in events if isinstance(event, Disconnected)]
    assert min(pauses[3:]) >= QUICK.longest_pause / 2


def test_pauses_double_up_to_a_limit_and_are_spread():
    limits = Limits()
    spread = {pause_after(3, limits) for _ in range(50)}

    assert all(1.0 <= pause <= 2.0 for pause in spread)
    assert len(spread) > 10
    assert max(pause_after(1000, limits) for _ in range(50)) <= limits.longest_pause


async def test_a_venue_that_is_not_there_is_told_and_tried_again():
    async with aclosing(watch_market("ws://127.0.0.1:9", Wishes(), QUICK)) as stream:
        events = await first(stream, Disconnected, times=2)

    assert [type(event) for event in events] == [Disconnected, Disconnected]
    assert "no connection" in events[0].why


async def test_a_venue_that_answers_with_an_error_page_is_named():
    async def unreachable(server: Server, socket: ServerConnection) -> None: ...

    server = Server(unreachable)
    async with serve(
        server.handle, "127.0.0.1", 0, process_request=lambda c, r: c.respond(503, "busy\n")
    ) as listening:
        port = next(iter(listening.sockets)).getsockname()[1]
        async with aclosing(watch_market(f"ws://127.0.0.1:{port}", Wishes(), QUICK)) as stream:
            (event,) = await first(stream, Disconnected)

    assert "HTTP 503" in event.why


async def test_private_streams_use_a_new_challenge_on_every_connection():
    async def challenge(server: Server, socket: ServerConnection) -> None:
        async for words in server.listen(socket):
            if words["event"] == "challenge":
                await socket.send(json.dumps({"event": "challenge", "message": f"challenge {server.connections}"}))
            elif words["feed"] == "notifications_auth":
                await socket.close(1012)

    async with running(challenge) as (server, url), aclosing(watch_account(url, CREDENTIALS, QUICK)) as stream:
        events = await first(stream, Disconnected, times=2)

    assert [type(event) for event in events] == [Connected, Disconnected] * 2
    assert "1012" in events[1].why
    used = [{words["original_challenge"] for words in said if "original_challenge" in words} for said in server.said]
    assert used[:2] == [{"challenge 1"}, {"challenge 2"}]


async def test_wishes_that_fail_end_the_connection_instead_of_being_ignored():
    class Broken(Wishes):
        async def changed(self) -> None:
            raise ValueError("no such store")

    async with running(ticking) as (_, url), aclosing(watch_market(url, Broken(), QUICK)) as stream:
        events = await first(stream, Disconnected)

    assert "no such store" in events[-1].why


@pytest.mark.parametrize("line", ["nonsense", '{"feed":"weather"}'])
async def test_a_line_nobody_understands_does_not_end_the_connection(line):
    async def puzzling(server: Server, socket: ServerConnection) -> None:
        await socket.send(line)
        await ticking(server, socket)

    wishes = Wishes(ticker={"PF_XBTUSD"})
    async with running(puzzling) as (server, url), aclosing(watch_market(url, wishes, QUICK)) as stream:
        await first(stream, Ticker)

    assert server.connections == 1
