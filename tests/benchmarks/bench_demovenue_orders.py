"""One signed order in, matched and answered over HTTP, against an empty handler of the same server on the same core.

The orders take from a wall: each is a match, a fill, a position, two rows of log and one durable write. They are
signed before the clock starts, and spread over accounts so that no budget is spent.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from typing import Any

import psutil

from tests.benchmarks.result import Result
from tests.venue_process import authent

ACCOUNTS, EACH, ROUNDS = 80, 40, 3
LINES = 4  # connections, each with one request on its way
TARGET = 0.3
PATH = "/derivatives/api/v3/sendorder"


def main() -> list[Result]:
    folder = tempfile.mkdtemp(prefix="bench-demovenue-")
    core, other = cores()
    command = [sys.executable, "-m", "tests.benchmarks.demovenue_served", folder, str(core), str(ACCOUNTS * ROUNDS)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE)
    os.sched_setaffinity(0, {other})
    try:
        assert server.stdout is not None
        return measure(json.loads(server.stdout.readline()), psutil.Process(server.pid))
    finally:
        server.kill()
        server.wait()
        shutil.rmtree(folder, ignore_errors=True)


def measure(served: dict[str, Any], server: psutil.Process) -> list[Result]:
    empty, orders = [], []
    costs: dict[str, list[float]] = {"empty": [], "order": []}
    for number in range(ROUNDS):
        keys = served["keys"][number * ACCOUNTS : (number + 1) * ACCOUNTS]
        wanted = [_order(served, public, secret) for public, secret in keys for _ in range(EACH)]
        nothing = [_post(served["port"], "/nothing", b"x" * 78, {})] * len(wanted)
        before = _busy(server)
        empty.append(throughput(served["port"], nothing, b"{}"))
        between = _busy(server)
        orders.append(throughput(served["port"], wanted, b'"EXECUTION"'))
        costs["empty"].append((between - before) / len(wanted))
        costs["order"].append((_busy(server) - between) / len(wanted))
    ratio = statistics.median(orders) / statistics.median(empty)
    return [
        Result(
            what="a signed order matched and answered over HTTP",
            measured=f"{ratio:.2f}× an empty handler",
            target=f"≥ {TARGET}×",
            ok=ratio >= TARGET,
            detail=f"{statistics.median(orders):.0f} orders/s, {statistics.median(empty):.0f} empty answers/s;"
            f" the server's own time {_micro(costs['order'])} an order, {_micro(costs['empty'])} an empty answer",
        )
    ]


def _busy(server: psutil.Process) -> float:
    """Seconds of processor time."""
    times = server.cpu_times()
    return float(times.user + times.system)


def _micro(costs: list[float]) -> str:
    return f"{statistics.median(costs) * 1e6:.0f} µs"


def throughput(port: int, requests: Sequence[bytes], wanted: bytes) -> float:
    """Requests a second over a few lines. Raises AssertionError when an answer is not the wanted one."""
    wrong: list[bytes] = []
    threads = [
        threading.Thread(target=_talk, args=(port, requests[line::LINES], wanted, wrong)) for line in range(LINES)
    ]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong, wrong[0]
    return len(requests) / (time.perf_counter() - started)


def _talk(port: int, requests: Sequence[bytes], wanted: bytes, wrong: list[bytes]) -> None:
    with socket.create_connection(("127.0.0.1", port)) as link:
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for request in requests:
            link.sendall(request)
            answer = _answer(link)
            if wanted not in answer:
                wrong.append(answer)
                return


def _answer(link: socket.socket) -> bytes:
    data = link.recv(65536)
    while b"\r\n\r\n" not in data:
        data += link.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    while len(body) < length:
        body += link.recv(65536)
    return body


def _order(served: dict[str, Any], public: str, secret: str) -> bytes:
    body = f"orderType=ioc&symbol=PF_XBTUSD&side=buy&size=0.0001&limitPrice={served['price'] * 102 // 100}"
    headers = {"APIKey": public, "Authent": authent(secret, body, "", PATH)}
    return _post(served["port"], PATH, body.encode(), headers)


def _post(port: int, path: str, body: bytes, headers: dict[str, str]) -> bytes:
    lines = [f"POST {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", f"Content-Length: {len(body)}"]
    lines += [
        "Content-Type: application/x-www-form-urlencoded",
        *(f"{name}: {text}" for name, text in headers.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


def cores() -> tuple[int, int]:
    """One for the server, another for the load; the same one where there is no other."""
    cores = sorted(os.sched_getaffinity(0))
    return cores[0], cores[-1]
