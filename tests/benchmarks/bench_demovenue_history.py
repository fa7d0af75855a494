"""Pages of history for an account with 100,000 fills, against one with 1,000; and how long 90 days of candles take."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import requests

from demovenue.exchange import Exchange
from tests.benchmarks.result import Result
from tests.venue_process import authent

MANY, FEW = 100_000, 1_000
TIMES = 20  # the history pool allows 100 calls
TARGET = 1.2
LONGEST = 10.0  # seconds for the candles
PAGES = {
    "executions": ("/api/history/v3/executions", {"count": 100}),
    "orders": ("/api/history/v3/orders", {"count": 100}),
    "positions": ("/api/history/v3/positions", {"count": 100}),
    "account log": ("/api/history/v3/account-log", {"count": 25}),
    "fills": ("/derivatives/api/v3/fills", {}),
}


def main() -> list[Result]:
    return [*candles(), *pages()]


def candles() -> list[Result]:
    folder = Path(tempfile.mkdtemp(prefix="bench-demovenue-"))
    try:
        started = time.perf_counter()
        exchange = Exchange(folder, seed=9)
        symbols = [one.symbol for one in exchange.instruments()]
        found = sum(
            len(exchange.candles(kind, symbol, "1d", since=None, until=None, count=90)[0])
            for symbol in symbols
            for kind in ("trade", "mark", "spot")
        )
        took = time.perf_counter() - started
        exchange.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return [
        Result(
            what="a first start with 90 days of candles for all instruments",
            measured=f"{took:.1f} s",
            target=f"≤ {LONGEST:.0f} s",
            ok=took <= LONGEST,
            detail=f"{len(symbols)} instruments, {found:,} daily candles read back",
        )
    ]


def pages() -> list[Result]:
    folder = tempfile.mkdtemp(prefix="bench-demovenue-")
    command = [sys.executable, "-m", "tests.benchmarks.demovenue_historic", folder, str(MANY), str(FEW)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE)
    try:
        assert server.stdout is not None
        return measure(json.loads(server.stdout.readline()))
    finally:
        server.kill()
        server.wait()
        shutil.rmtree(folder, ignore_errors=True)


def measure(served: dict[str, Any]) -> list[Result]:
    results = []
    with requests.Session() as session:
        for name, (path, params) in PAGES.items():
            busy, quiet = [], []
            for _ in range(TIMES):
                for key, found in zip(served["keys"], (busy, quiet), strict=True):
                    found.append(_timed(session, served["port"], key, path, params))
            slow, fast = min(busy), min(quiet)  # what else the machine does only ever adds
            ratio = slow / fast
            results.append(
                Result(
                    what=f"a page of {name}, {MANY:,} fills against {FEW:,}",
                    measured=f"{ratio:.2f}×",
                    target=f"≤ {TARGET}×",
                    ok=ratio <= TARGET,
                    detail=f"the quickest of {TIMES}: {slow * 1000:.1f} and {fast * 1000:.1f} ms",
                )
            )
    return results


def _timed(session: requests.Session, port: int, key: list[str], path: str, params: dict[str, int]) -> float:
    query = urlencode(params)
    headers = {"APIKey": key[0], "Authent": authent(key[1], query, "", path)}
    address = f"http://127.0.0.1:{port}{path}" + (f"?{query}" if query else "")
    started = time.perf_counter()
    answer = session.get(address, headers=headers, timeout=30)
    took = time.perf_counter() - started
    assert answer.ok, answer.text
    return took
