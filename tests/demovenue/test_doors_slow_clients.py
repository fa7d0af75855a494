"""A client that does not read, or never says a word, is let go; the others do not notice."""

from __future__ import annotations

import asyncio
import socket
import time
from pathlib import Path

import aiohttp
import psutil
import pytest
from aiohttp import web

from demovenue.doors.server import Options, build
from demovenue.doors.stream import hub
from demovenue.exchange import Exchange
from tests.demovenue.listener import Listener
from tests.venue_process import DemoVenue, start_demovenue

SYMBOLS = '["PF_XBTUSD","PI_XBTUSD","PF_ETHUSD","PF_SOLUSD","PF_LTCUSD","PF_XRPUSD"]'


def _masked(text: str) -> bytes:
    """A client's text frame with an all-zero mask."""
    payload = text.encode()
    assert 125 < len(payload) < 65536
    return b"\x81\xfe" + len(payload).to_bytes(2) + bytes(4) + payload


def _handshake(venue: DemoVenue) -> socket.socket:
    raw = socket.create_connection(("127.0.0.1", venue.port), timeout=10)
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    raw.sendall(
        b"GET /ws/v1 HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    assert b"101" in raw.recv(1024)
    return raw


@pytest.mark.venue
def test_who_never_reads_is_cut_off_and_costs_little(tmp_path: Path) -> None:
    venue = start_demovenue(tmp_path)
    try:
        process = psutil.Process(venue.process.pid)
        before = process.memory_info().rss
        request = _masked('{"event":"subscribe","feed":"trade","product_ids":' + SYMBOLS + "}" + " " * 60)
        raw = _handshake(venue)
        with Listener(venue) as reader:
            reader.subscribe("ticker", "PF_XBTUSD")
            with pytest.raises(OSError):
                for _ in range(2000):
                    raw.sendall(request)
                    time.sleep(0.012)
            assert process.memory_info().rss - before < 64 * 1024 * 1024
            reader.feed("ticker")
        raw.close()
    finally:
        assert venue.stop() == 0


async def test_who_says_nothing_for_a_minute_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """The minute is shortened; the rule is the same. Pings count as words."""
    monkeypatch.setattr(hub, "SILENCE", 1.0)
    exchange = Exchange(None, seed=1)
    options = Options(host="127.0.0.1", port=0, data=None, seed=1, allow_control=False, sockets=10)
    runner = web.AppRunner(build(exchange, options))
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        async with aiohttp.ClientSession() as session:
            silent = await session.ws_connect(f"http://127.0.0.1:{port}/ws/v1")
            pinging = await session.ws_connect(f"http://127.0.0.1:{port}/ws/v1", heartbeat=0.4)
            heard = [await silent.receive(timeout=5) for _ in range(2)]
            assert heard[1].type is aiohttp.WSMsgType.CLOSE
            await pinging.receive(timeout=5)
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(pinging.receive(), 2)
            await pinging.close()
    finally:
        await runner.cleanup()
        exchange.close()
