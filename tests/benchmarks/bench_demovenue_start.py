"""How long `python -m demovenue` takes until it answers: in an empty directory, in one where much has happened, and
after a month in which nobody was there; beside a server of the same library that serves nothing."""

from __future__ import annotations

import json
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import psutil
import requests

from demovenue.exchange import Exchange
from tests.benchmarks.demovenue_historic import trade
from tests.benchmarks.result import Result
from tests.venue_process import free_port

FILLS = 20_000
TIMES = 5
TARGET = 2.0  # seconds
MONTH = 30 * 86_400 * 1_000_000  # microseconds
NOTHING = (
    "import sys; from aiohttp import web; app = web.Application();"
    "app.router.add_get('/{path:.*}', lambda request: web.Response());"
    "web.run_app(app, host='127.0.0.1', port=int(sys.argv[1]), print=None)"
)


def main() -> list[Result]:
    folder = Path(tempfile.mkdtemp(prefix="bench-demovenue-"))
    try:
        nothing = statistics.median(started(["-c", NOTHING, "PORT"])[0] for _ in range(TIMES))
        first = [started(_venue(folder / f"first-{number}")) for number in range(TIMES)]
        second = [started(_venue(folder / "first-0")) for _ in range(TIMES)]
        live(folder / "busy")
        busy = [started(_venue(folder / "busy")) for _ in range(TIMES)]
        left = []
        for _ in range(TIMES):
            leave_for_a_month(folder / "busy")
            left.append(started(_venue(folder / "busy")))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return [
        _result("a first start, with 90 days of candles", first, nothing),
        _result("a second start", second, nothing),
        _result(f"a start with {FILLS:,} fills in the books", busy, nothing),
        _result("the same after a month in which nobody was there", left, nothing),
    ]


def _result(what: str, starts: Sequence[tuple[float, float]], nothing: float) -> Result:
    times = [seconds for seconds, _ in starts]
    usual, own = statistics.median(times), statistics.median(own for _, own in starts)
    return Result(
        what=what,
        measured=f"{usual:.2f} s",
        target=f"< {TARGET:.0f} s",
        ok=usual < TARGET,
        detail=f"{usual / nothing:.1f}× a server that serves nothing ({nothing:.2f} s); slowest {max(times):.2f} s;"
        f" {own:.2f} s of processor time",
    )


def _venue(folder: Path) -> list[str]:
    return ["-m", "demovenue", "--port", "PORT", "--data", str(folder), "--seed", "1"]


def started(arguments: Sequence[str]) -> tuple[float, float]:
    """Seconds from the command to the first answer, and of them the processor's, which other work does not stretch."""
    port = free_port()
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *(one.replace("PORT", str(port)) for one in arguments)], stdout=subprocess.PIPE
    )
    try:
        while True:
            try:
                requests.get(f"http://127.0.0.1:{port}/derivatives/api/v3/instruments/status", timeout=10)
                times = psutil.Process(process.pid).cpu_times()
                return time.perf_counter() - began, times.user + times.system
            except requests.ConnectionError:
                assert process.poll() is None, "it ended"
                time.sleep(0.01)
    finally:
        process.terminate()
        process.communicate()


def live(folder: Path) -> None:
    """An account with many fills."""
    exchange = Exchange(folder, seed=1)
    account = exchange.sign_up().account.uid
    exchange.fund(account, wallet="flex", currency="usd", amount=Decimal(1_000_000))
    trade(exchange, account, FILLS)
    exchange.close()


def leave_for_a_month(folder: Path) -> None:
    """As if the process had ended thirty days ago."""
    with sqlite3.connect(folder / "demovenue.sqlite3") as db:
        (body,) = db.execute("SELECT body FROM meta WHERE name = 'clock'").fetchone()
        clock = json.loads(body)
        clock["wall"] -= MONTH
        db.execute("UPDATE meta SET body = ? WHERE name = 'clock'", (json.dumps(clock).encode(),))
    db.close()
