"""The history: a page of fills at any depth, a log becoming a ledger, and what a full sync does to live prices.

`KFWEB_BENCH_FILLS` is the number of fills the pages are asked of (a million unless told otherwise).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from kfweb.celery import GIVES_WAY
from tests.benchmarks import bench_tick_age
from tests.benchmarks.result import Result
from tests.benchmarks.rig import ROOT, Rig, rig
from tests.venue_process import start_demovenue

FILLS = int(os.environ.get("KFWEB_BENCH_FILLS", "1000000"))
LIMITS = {"SQLite": 150.0, "PostgreSQL": 100.0}  # milliseconds
FLAT, ENTRIES_A_SECOND, HARM = 1.5, 10_000, 1.1
PAST = ("12000", "100000")  # fills and rows of the log that a sync reads meanwhile


def main() -> list[Result]:
    results = []
    for name, wrapper in (("SQLite", []), ("PostgreSQL", [sys.executable, "-m", "tests.with_servers"])):
        results += measured(name, wrapper)
    return [*results, unharmed()]


def measured(name: str, wrapper: list[str]) -> list[Result]:
    with tempfile.TemporaryDirectory(prefix="kfweb-bench-") as folder:
        environment = {key: value for key, value in os.environ.items() if key not in {"DATABASE_URL", "REDIS_URL"}}
        environment |= {"KFWEB_DATA_DIR": folder, "KFWEB_BENCH_FILLS": str(FILLS)}
        run = subprocess.run(
            [*wrapper, sys.executable, "-m", "tests.benchmarks.history_run"],
            env=environment, text=True, capture_output=True, check=False, timeout=3600,
        )  # fmt: skip
    if run.returncode:
        raise RuntimeError(f"the history on {name} failed:\n{run.stdout}{run.stderr}")
    found = json.loads(run.stdout.strip().splitlines()[-1])
    pages: dict[str, float] = found["pages"]
    first, *deeper = (value for where, value in pages.items() if where.startswith("depth"))
    slowest = max(pages.values())
    detail = ", ".join(f"{where} {value:.0f} ms" for where, value in pages.items())
    return [
        Result(
            f"a page of 100 out of {FILLS:,} fills on {name}, slowest of all places and filters",
            f"{slowest:.0f} ms", f"≤ {LIMITS[name]:.0f} ms", slowest <= LIMITS[name],
            f"{detail}; the rows were made in {found['made']:.0f} s.",
        ),
        Result(
            f"the deepest page against the first on {name}", f"{max(deeper) / first:.2f}×", f"≤ {FLAT}×",
            max(deeper) <= FLAT * first,
        ),
        Result(
            f"log to ledger on {name}", f"{found['ledger']:,.0f} entries/s", f"≥ {ENTRIES_A_SECOND:,}",
            found["ledger"] >= ENTRIES_A_SECOND,
        ),
    ]  # fmt: skip


def unharmed() -> Result:
    """The age of ticks alone, and while a worker reads a whole history."""
    with tempfile.TemporaryDirectory(prefix="kfweb-bench-past-") as folder:
        made = [sys.executable, "-m", "tests.trading.past", folder, *PAST]
        told = json.loads(subprocess.run(made, cwd=ROOT, check=True, capture_output=True).stdout)
        venue = start_demovenue(Path(folder), seed=5)
        try:
            with rig() as desk:
                alone, _, _ = bench_tick_age.run(desk)
            with rig() as desk:
                reader = read_history(desk, venue.url, told)
                meanwhile, _, _ = bench_tick_age.run(desk)
                still = reader.poll() is None
                stored = rows_of(desk)
        finally:
            venue.stop()
    ratio = meanwhile["p99_ms"] / alone["p99_ms"]
    return Result(
        "age of a tick (p99) while a full sync runs, against without",
        f"{ratio:.2f}×", f"≤ {HARM}×", ratio <= HARM,
        f"{meanwhile['p99_ms']} against {alone['p99_ms']} ms; {stored:,} rows of the log were stored meanwhile, and "
        f"the sync {'went on' if still else 'had ended'} when the measurement did. "
        f"The load of the last minute was {os.getloadavg()[0]:.1f}.",
    )  # fmt: skip


def read_history(desk: Rig, url: str, told: dict[str, Any]) -> subprocess.Popen[bytes]:
    """A worker that reads for as long as the exchange lets it, and gives way as the desk's workers do."""
    environment = desk.environment | {"KFWEB_DEMO_URL": url}
    command = [sys.executable, "-m", "tests.trading.history_worker"]
    add = [*command, "add", told["uid"], told["public"], told["private"]]
    key = subprocess.run(add, cwd=ROOT, env=environment, check=True, capture_output=True, text=True).stdout.strip()
    return desk.start("nice", "-n", str(GIVES_WAY), *command, "read", key, KFWEB_DEMO_URL=url)


def rows_of(desk: Rig) -> int:
    command = [sys.executable, "-m", "tests.trading.history_worker", "count"]
    run = subprocess.run(command, cwd=ROOT, env=desk.environment, check=True, capture_output=True, text=True)
    return int(json.loads(run.stdout)["entries"])
