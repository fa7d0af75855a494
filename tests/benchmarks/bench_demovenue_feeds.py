"""Two hundred sockets hear five books each, at fifty updates a second and book: does what they hear get older?"""

from __future__ import annotations

import json
import os
import re
import select
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

from tests.benchmarks.bench_demovenue_orders import cores
from tests.benchmarks.demovenue_feeding import A_SECOND, SYMBOLS
from tests.benchmarks.load import connect, text_frame
from tests.benchmarks.result import Result

SOCKETS, SECONDS, SETTLE = 200, 30, 5
GROWTH = 50  # milliseconds between the first and the last third that count as noise
TOLD = re.compile(rb'"timestamp":(\d{13})')


def main() -> list[Result]:
    folder = tempfile.mkdtemp(prefix="bench-demovenue-")
    core, other = cores()
    command = [sys.executable, "-m", "tests.benchmarks.demovenue_feeding", folder, str(core), str(SOCKETS + 10)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE)
    os.sched_setaffinity(0, {other})
    try:
        assert server.stdout is not None
        return measure(int(server.stdout.readline()))
    finally:
        server.kill()
        server.wait()
        shutil.rmtree(folder, ignore_errors=True)


def measure(port: int) -> list[Result]:
    links = [_listener(port) for _ in range(SOCKETS)]
    _listen(links, SETTLE)
    ages, messages = _listen(links, SECONDS)
    third = len(ages) // 3
    first, last = statistics.median(ages[:third]), statistics.median(ages[-third:])
    each = messages / SOCKETS / len(SYMBOLS) / SECONDS
    return [
        Result(
            what=f"{SOCKETS} sockets × {len(SYMBOLS)} books",
            measured=f"an update is {first:.0f} ms old in the first third, {last:.0f} ms in the last",
            target=f"at {A_SECOND} updates/s and book, no older by more than {GROWTH} ms",
            ok=last - first <= GROWTH and each >= A_SECOND * 0.95,
            detail=f"{each:.1f} updates/s and book on each socket, {messages / SECONDS:,.0f} messages/s in all,"
            f" p99 {statistics.quantiles(ages, n=100)[98]:.0f} ms, on one core",
        )
    ]


def _listener(port: int) -> socket.socket:
    link = connect({"port": port, "path": "/ws/v1"})
    wish = {"event": "subscribe", "feed": "book", "product_ids": list(SYMBOLS)}
    link.sendall(text_frame(json.dumps(wish).encode()))
    link.setblocking(False)
    return link


def _listen(links: list[socket.socket], seconds: float) -> tuple[list[float], int]:
    """How old the newest update of every read was, in order, and how many updates there were."""
    poll, by_number = select.epoll(), {link.fileno(): link for link in links}
    for number in by_number:
        poll.register(number, select.EPOLLIN)
    ages: list[float] = []
    messages, ends = 0, time.monotonic() + seconds
    while time.monotonic() < ends:
        for number, _ in poll.poll(0.1):
            data = by_number[number].recv(1 << 18)
            messages += data.count(b'"feed":"book",')
            told = TOLD.findall(data, max(0, len(data) - 400))
            if told:
                ages.append(time.time() * 1000 - int(told[-1]))
    poll.close()
    return ages, messages
