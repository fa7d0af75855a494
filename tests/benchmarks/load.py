"""Many browsers' sockets in one process: raw sockets and epoll, frames told by counting, next to no work a frame.

`python -m tests.benchmarks.load '{"port": …}'`. Says "ready" when all are connected and watch, and at the end one line
of JSON. Options: sockets, cookie, streams, seconds (of measuring), settle (seconds before it), needle (what marks one
tick), ack (seconds between acknowledgements, 0 for never), ages (keep each tick's age), check (look for gaps),
path (of the socket), idle (only connect, say "ready", and read until the process is ended).
"""

from __future__ import annotations

import json
import os
import re
import select
import socket
import struct
import sys
import time
from dataclasses import dataclass, field
from typing import Any, NoReturn

MESSAGE = re.compile(rb'"s":"([a-z:A-Z0-9_]+)","n":(\d+),"k":"(\w+)"(?:,"t":(\d{13}))?')
FRAME = re.compile(rb'\[\{"f":(\d+)')
BUFFER = 1 << 20
HELD = 2000


@dataclass(slots=True)
class Browser:
    link: socket.socket
    tail: bytes = b""
    newest: int = 0
    numbers: dict[bytes, int] = field(default_factory=dict)


@dataclass(slots=True)
class Findings:
    ticks: int = 0
    bytes: int = 0
    gaps: int = 0
    closed: int = 0
    ages: list[int] = field(default_factory=list)


def connect(options: dict[str, Any]) -> socket.socket:
    link = socket.create_connection(("127.0.0.1", options["port"]))
    host = f"127.0.0.1:{options['port']}"
    link.sendall(
        (
            f"GET {options.get('path', '/ws/live')} HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nCookie: kfweb_session={options.get('cookie', '')}\r\n\r\n"
        ).encode()
    )
    answer = b""
    while b"\r\n\r\n" not in answer:
        part = link.recv(1)  # not a byte of what comes after
        if not part:
            raise ConnectionError(f"the handshake was refused: {answer[:200]!r}")
        answer += part
    if b" 101 " not in answer.split(b"\r\n")[0]:
        raise ConnectionError(f"the handshake was refused: {answer[:200]!r}")
    return link


def text_frame(text: bytes) -> bytes:
    """Masked with zeros: allowed, and free."""
    length = struct.pack("!B", 0x80 | len(text)) if len(text) < 126 else struct.pack("!BH", 0x80 | 126, len(text))
    return b"\x81" + length + b"\0\0\0\0" + text


def look(browser: Browser, data: bytes, now: int, found: Findings, options: dict[str, Any]) -> None:
    found.bytes += len(data)
    found.ticks += data.count(options["needle"])
    heads = FRAME.findall(data[-4096:]) or FRAME.findall(data)
    if heads:
        browser.newest = int(heads[-1])
    if not (options.get("ages") or options.get("check")):
        return
    data = browser.tail + data
    end = 0
    for match in MESSAGE.finditer(data):
        end = match.end()
        stream, number, kind, told = match.groups()
        last = browser.numbers.get(stream)
        if kind == b"upd" and last is not None and int(number) != last + 1:
            found.gaps += 1
        browser.numbers[stream] = int(number)
        if told and kind == b"upd" and options.get("ages"):
            found.ages.append(now - int(told))
    browser.tail = data[max(end, len(data) - 120) :]


def main(options: dict[str, Any]) -> dict[str, Any]:
    options["needle"] = options.get("needle", '"n":').encode()
    watch = text_frame(json.dumps({"do": "watch", "streams": options.get("streams", [])}).encode())
    poll, browsers = select.epoll(), {}
    for _ in range(options["sockets"]):
        link = connect(options)
        if not options.get("path"):
            link.sendall(watch)
        link.setblocking(False)
        browsers[link.fileno()] = Browser(link)
        poll.register(link.fileno(), select.EPOLLIN)
    if options.get("idle"):
        wait_idle(poll, browsers)
    print("ready", flush=True)
    found = Findings()
    began = time.monotonic() + options.get("settle", 2)
    end = began + options["seconds"]
    ack, next_ack = options.get("ack", 1.0), time.monotonic()
    measuring, arrived = False, []
    buffer = bytearray(BUFFER)
    while (moment := time.monotonic()) < end:
        if not measuring and moment >= began:
            measuring, found = True, Findings()
            began = moment
            cpu = time.process_time()
        ready = poll.poll(0 if arrived else 0.05)
        for number, _ in ready:
            if data := receive(browsers[number], buffer, found, poll):
                arrived.append((browsers[number], data, time.time()))
        if not ready or len(arrived) > HELD:  # looked at once nothing more waits: looking must not age what arrives
            for browser, data, at in arrived:
                look(browser, data, int(at * 1000), found, options)
            arrived.clear()
        if ack and moment >= next_ack:
            next_ack = moment + ack
            for browser in browsers.values():
                acknowledge(browser)
    spent = time.monotonic() - began
    return report(found, spent, time.process_time() - cpu)


def receive(browser: Browser, buffer: bytearray, found: Findings, poll: select.epoll) -> bytes:
    try:
        size = browser.link.recv_into(buffer)
    except OSError:
        size = 0
    if not size:
        found.closed += 1
        poll.unregister(browser.link.fileno())
    return bytes(memoryview(buffer)[:size])


def acknowledge(browser: Browser) -> None:
    if browser.newest:
        try:
            browser.link.send(text_frame(b'{"do":"ack","f":%d}' % browser.newest))
        except OSError:
            return


def wait_idle(poll: select.epoll, browsers: dict[int, Browser]) -> NoReturn:
    print("ready", flush=True)
    while True:
        for number, _ in poll.poll():
            if not browsers[number].link.recv(1 << 16):
                raise ConnectionError("an idle socket was closed")


def report(found: Findings, seconds: float, cpu: float) -> dict[str, Any]:
    ages = sorted(found.ages)
    return {
        "ticks_a_second": found.ticks / seconds,
        "bytes_a_second": found.bytes / seconds,
        "gaps": found.gaps,
        "closed": found.closed,
        "messages": len(ages),
        "p50_ms": ages[len(ages) // 2] if ages else None,
        "p99_ms": ages[int(len(ages) * 0.99)] if ages else None,
        "load_cpu": cpu / seconds,
        "pid": os.getpid(),
    }


if __name__ == "__main__":
    print(json.dumps(main(json.loads(sys.argv[1]))), flush=True)
