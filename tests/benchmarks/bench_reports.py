"""Reports over a year of fills, and the same as a file: on SQLite and PostgreSQL.

`KFWEB_BENCH_ENTRIES` is the number of fills of the year (a million unless told otherwise).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from typing import Any

from tests.benchmarks.result import Result

ENTRIES = int(os.environ.get("KFWEB_BENCH_ENTRIES", "1000000"))
LONGEST, SHARE, MOST = 5.0, 0.3, 100.0  # seconds, of the speed of COPY, megabytes


def main() -> list[Result]:
    results = measured("SQLite", [])
    return [*results, *measured("PostgreSQL", [sys.executable, "-m", "tests.with_servers"])]


def measured(name: str, wrapper: list[str]) -> list[Result]:
    with tempfile.TemporaryDirectory(prefix="kfweb-bench-") as folder:
        environment = {key: value for key, value in os.environ.items() if key not in {"DATABASE_URL", "REDIS_URL"}}
        environment |= {"KFWEB_DATA_DIR": folder, "KFWEB_BENCH_ENTRIES": str(ENTRIES)}
        run = subprocess.run(
            [*wrapper, sys.executable, "-m", "tests.benchmarks.reports_run"],
            env=environment, text=True, capture_output=True, check=False, timeout=3600,
        )  # fmt: skip
    if run.returncode:
        raise RuntimeError(f"the reports on {name} failed:\n{run.stdout}{run.stderr}")
    found: dict[str, Any] = json.loads(run.stdout.strip().splitlines()[-1])
    pages = found["pages"]
    slowest = max(pages["day"], pages["symbol"])
    results = [
        Result(
            f"the report of a year of {ENTRIES:,} fills on {name}, by day or contract", f"{slowest:.2f} s",
            f"≤ {LONGEST:.0f} s", slowest <= LONGEST,
            ", ".join(f"{which} {value:.2f} s" for which, value in pages.items())
            + f"; the ledger was derived at {ENTRIES / found['derived']:,.0f} entries/s.",
        )
    ]  # fmt: skip
    if "copied" in found:
        share, added = found["copied"] / found["written"], found["most"] - found["before"]
        results += [
            Result(
                f"a CSV of {ENTRIES:,} rows against COPY … TO", f"{share:.2f}×", f"≥ {SHARE}×", share >= SHARE,
                f"{found['written']:.1f} against {found['copied']:.1f} s, {found['bytes'] / 1e6:.0f} MB.",
            ),
            Result(
                "memory that writing it takes", f"+{added:.0f} MB", f"≤ {MOST:.0f} MB", added <= MOST,
                f"the process had {found['before']:.0f} MB before and {found['most']:.0f} MB at most.",
            ),
        ]  # fmt: skip
    return results
