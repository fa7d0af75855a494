"""History ingest: 25,000 fills parsed and stored, against bare `executemany` of the same rows, on both databases."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.ingest_run import FILLS
from tests.benchmarks.result import Result

TARGET = 0.3


def main() -> list[Result]:
    return [measured("SQLite", []), measured("PostgreSQL", [sys.executable, "-m", "tests.with_servers"])]


def measured(name: str, wrapper: list[str]) -> Result:
    with tempfile.TemporaryDirectory(prefix="kfweb-bench-") as folder:
        environment = {key: value for key, value in os.environ.items() if key not in {"DATABASE_URL", "REDIS_URL"}}
        environment["KFWEB_DATA_DIR"] = str(Path(folder))
        run = subprocess.run(
            [*wrapper, sys.executable, "-m", "tests.benchmarks.ingest_run"],
            env=environment, text=True, capture_output=True, check=False, timeout=600,
        )  # fmt: skip
    if run.returncode:
        raise RuntimeError(f"ingest on {name} failed:\n{run.stdout}{run.stderr}")
    found = json.loads(run.stdout.strip().splitlines()[-1])
    ratio = found["bare"] / found["ours"]
    return Result(
        what=f"history ingest on {name}",
        measured=f"{ratio:.2f}× the speed of bare executemany",
        target=f"≥ {TARGET}×",
        ok=ratio >= TARGET,
        detail=f"{FILLS:,} fills parsed and stored in {found['ours']:.2f} s; bare insert {found['bare']:.2f} s.",
    )
