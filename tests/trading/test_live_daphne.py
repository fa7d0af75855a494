"""Under the real server: bytes go past Daphne, a socket that never reads is let go, and memory is given back."""

from __future__ import annotations

import json
import socket
import struct
import time

import pytest

from tests.benchmarks.feed import SYMBOLS
from tests.benchmarks.load import connect, text_frame
from tests.benchmarks.rig import resident_kb, rig

STREAMS = [f"trades:demo:{symbol}" for symbol in SYMBOLS]


@pytest.fixture(scope="module")
def served():
    with rig() as desk:
        process, port = desk.daphne("kfweb.asgi:application")
        desk.python("-m", "tests.benchmarks.feed", "hub", "2000")
        yield process, port, desk.cookie


def frames(link: socket.socket, seconds: float):
    """Every frame as it comes: (opcode, payload)."""
    link.settimeout(1)
    end, data = time.monotonic() + seconds, b""
    while time.monotonic() < end:
        try:
            part = link.recv(1 << 20)
        except TimeoutError:
            continue
        except ConnectionResetError:
            return
        if not part:
            return
        data += part
        while len(data) >= 2:
            length, start = data[1], 2
            if length == 126:
                length, start = int.from_bytes(data[2:4]), 4
            elif length == 127:
                length, start = int.from_bytes(data[2:10]), 10
            if len(data) < start + length:
                break
            yield data[0] & 15, data[start : start + length]
            data = data[start + length :]


def open_page(port: int, cookie: str) -> socket.socket:
    link = connect({"port": port, "cookie": cookie})
    link.sendall(text_frame(json.dumps({"do": "watch", "streams": STREAMS}).encode()))
    return link


def test_frames_written_past_the_server_are_whole_and_lose_nothing(served):
    _, port, cookie = served
    link = open_page(port, cookie)
    numbers: dict[str, int] = {}
    newest: dict[str, int] = {}
    acknowledged = 0
    for opcode, payload in frames(link, 30):
        assert opcode == 1
        head, *messages = json.loads(payload)
        for message in messages:
            ids = [int(row["id"][1:]) for row in message["d"]["trades"]]
            if message["k"] == "upd":
                assert message["n"] == numbers[message["s"]] + 1
                assert [first - 5 for first in ids[:-1]] == ids[1:], "every trade, newest first"
                assert ids[-1] == newest.get(message["s"], ids[-1] - 5) + 5
            if ids:
                newest[message["s"]] = ids[0]
            numbers[message["s"]] = message["n"]
        if head["now"] - acknowledged > 500:
            acknowledged = head["now"]
            link.sendall(text_frame(b'{"do":"ack","f":%d}' % head["f"]))
        if len(newest) == len(STREAMS) and min(newest.values()) > 6000:
            break
    else:
        pytest.fail(f"not enough came: {newest}")
    link.close()


def test_a_socket_that_never_reads_is_let_go_with_a_reason_and_harms_nobody(served):
    process, port, cookie = served
    deaf = [open_page(port, cookie) for _ in range(10)]
    well = open_page(port, cookie)
    before = resident_kb(process.pid)
    seen = 0
    acknowledged = 0
    longest, last = 0.0, time.monotonic()
    for opcode, payload in frames(well, 22):
        assert opcode == 1
        head = json.loads(payload)[0]
        seen += 1
        longest, last = max(longest, time.monotonic() - last), time.monotonic()
        if head["now"] - acknowledged > 500:
            acknowledged = head["now"]
            well.sendall(text_frame(b'{"do":"ack","f":%d}' % head["f"]))
    assert seen > 22 * 10
    assert longest < 1.5
    assert resident_kb(process.pid) - before < 20_000
    reasons = [closing for link in deaf for opcode, closing in frames(link, 3) if opcode == 8]
    assert not reasons or all(struct.unpack("!H", closing[:2])[0] == 4408 for closing in reasons)
    for link in deaf:
        link.setblocking(False)
        assert over(link), "the server still holds it"
    well.close()


def over(link: socket.socket) -> bool:
    try:
        while link.recv(1 << 20):
            pass
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def test_nobody_else_gets_in(served):
    _, port, _ = served
    link = connect({"port": port, "cookie": "made-up"})
    closing = [payload for opcode, payload in frames(link, 3) if opcode == 8]
    assert struct.unpack("!H", closing[0][:2])[0] == 4401


@pytest.mark.parametrize("origin", ["https://evil.example", "http://127.0.0.1:1", "null", ""])
def test_a_page_of_another_origin_opens_no_socket_though_the_browser_sends_the_cookie(served, origin):
    _, port, cookie = served
    with socket.create_connection(("127.0.0.1", port), timeout=10) as link:
        link.sendall(
            (
                f"GET /ws/live HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: {origin}\r\nUpgrade: websocket\r\n"
                "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                f"Cookie: kfweb_session={cookie}\r\n\r\n"
            ).encode()
        )
        assert link.recv(200).startswith((b"HTTP/1.1 403", b"HTTP/1.1 400"))  # 400: no origin at all
