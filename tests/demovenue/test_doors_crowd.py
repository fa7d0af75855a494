"""Ten thousand connections from one place, and bytes that make no sense: a refusal, and memory that stays bounded."""

from __future__ import annotations

import resource
import socket
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, closing

import psutil
import pytest

from demovenue.doors.threshold import MOST
from tests.venue_process import DemoVenue, start_demovenue

pytestmark = [pytest.mark.venue, pytest.mark.timeout(180)]
CROWD = 10_000
PATIENCE = 3.0  # seconds
UPGRADE = (
    b"GET /ws/v1 HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


@pytest.fixture(scope="module")
def stormed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoVenue]:
    started = start_demovenue(tmp_path_factory.mktemp("crowd"), seed=2)
    yield started
    assert started.stop() == 0
    assert "Traceback" not in started.log.read_text()


def _connect(venue: DemoVenue, source: str = "127.0.0.1") -> socket.socket:
    return socket.create_connection(("127.0.0.1", venue.port), timeout=PATIENCE, source_address=(source, 0))


def _said(link: socket.socket) -> bytes:
    try:
        return link.recv(4096)
    except (ConnectionError, TimeoutError):
        return b""


@pytest.mark.parametrize("greeting", [b"", UPGRADE], ids=["silent", "sockets"])
def test_ten_thousand_connections_from_one_place(stormed: DemoVenue, greeting: bytes) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if 0 <= hard < CROWD + 500:
        pytest.skip(f"this machine allows {hard} open files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    process = psutil.Process(stormed.process.pid)
    before = process.memory_info().rss
    upgraded = 0
    with ExitStack() as stack:
        stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        for number in range(CROWD):
            link = stack.enter_context(closing(_connect(stormed)))
            if greeting:
                try:
                    link.sendall(greeting)
                except ConnectionError:
                    continue
                upgraded += number % 50 == 0 and b" 101 " in _said(link)
        # Somebody at another address is served as if nothing were.
        with closing(_connect(stormed, "127.0.0.2")) as elsewhere:
            elsewhere.sendall(b"GET /derivatives/api/v3/instruments/status HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert b"200 OK" in _said(elsewhere)
        assert len(process.net_connections("tcp")) <= MOST + 50
        assert process.memory_info().rss - before < 200 * 1024 * 1024
    assert upgraded <= 100, "a hundred sockets are allowed from one address"


@pytest.mark.parametrize(
    "sent",
    [
        b"\x00\xff\xfe garbage\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /derivatives/api/v3/tickers/%ff%fe HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 20_000 + b"\r\n",
        b"POST /derivatives/api/v3/sendorder HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        b"POST /derivatives/api/v3/sendorder HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\nabc",
        b"POST /demo/signup HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
        b"POST /demo/signup HTTP/1.1\r\nHost: localhost\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
        b"POST /api/history/v3/x HTTP/1.1\r\nHost: x\r\nContent-Encoding: deflate\r\nContent-Length: 3\r\n\r\nabc",
    ],
    ids=["bytes", "version", "path", "long", "headers", "negative", "endless", "chunks", "gzip", "deflate"],
)
def test_what_is_no_request_is_refused_or_waited_for_and_nothing_breaks(stormed: DemoVenue, sent: bytes) -> None:
    with closing(_connect(stormed)) as link:
        try:
            link.sendall(sent)
            answer = _said(link)
        except ConnectionError:
            answer = b""
    assert not answer or answer.split()[1].startswith(b"4"), answer[:200]
    assert b"Traceback" not in answer
    assert stormed.get("/derivatives/api/v3/instruments/status").ok


def test_a_body_without_end_is_cut_off(stormed: DemoVenue) -> None:
    process = psutil.Process(stormed.process.pid)
    before = process.memory_info().rss
    with closing(_connect(stormed)) as link:
        link.sendall(b"POST /derivatives/api/v3/sendorder HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        chunk = b"10000\r\n" + b"a" * 65536 + b"\r\n"
        with pytest.raises(OSError):
            while True:
                link.sendall(chunk)
    assert process.memory_info().rss - before < 32 * 1024 * 1024


def test_a_bomb_is_not_unpacked(stormed: DemoVenue) -> None:
    """A gigabyte of zeros in a megabyte."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    packed = b"".join(packer.compress(b"\0" * (1 << 20)) for _ in range(256)) + packer.flush()
    process = psutil.Process(stormed.process.pid)
    before = process.memory_info().rss
    answer = stormed.session.post(
        stormed.url + "/demo/signup", data=packed, headers={"Content-Encoding": "gzip"}, timeout=30
    )
    assert answer.status_code in (400, 413)
    assert process.memory_info().rss - before < 64 * 1024 * 1024
