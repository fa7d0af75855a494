"""Workers that read a history are killed in the middle, and two read it at once: every row is there once in the end.

The size comes from `KFWEB_TEST_HISTORY_FILLS` and `KFWEB_TEST_HISTORY_ENTRIES`, the number of kills from
`KFWEB_TEST_HISTORY_KILLS`. Beyond a few thousand rows the exchange's history budget makes it wait for minutes.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks.rig import Rig, rig
from tests.venue_process import ROOT, start_demovenue

pytestmark = pytest.mark.venue
FILLS = int(os.environ.get("KFWEB_TEST_HISTORY_FILLS", "700"))
ENTRIES = int(os.environ.get("KFWEB_TEST_HISTORY_ENTRIES", "6000"))
KILLS = int(os.environ.get("KFWEB_TEST_HISTORY_KILLS", "4"))
LONGEST = 3600


def worker(desk: Rig, *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.trading.history_worker", *words]
    return subprocess.Popen(command, cwd=ROOT, env=desk.environment, stdout=subprocess.PIPE, text=True)


def told(process: subprocess.Popen[str]) -> str:
    out, _ = process.communicate(timeout=LONGEST)
    assert process.returncode == 0
    return out


def begins(process: subprocess.Popen[str]) -> None:
    assert process.stdout
    assert process.stdout.readline() == "reading\n"


@pytest.mark.timeout(LONGEST)
def test_every_row_is_stored_once_although_workers_are_killed(tmp_path: Path) -> None:
    made = [sys.executable, "-m", "tests.trading.past", str(tmp_path), str(FILLS), str(ENTRIES)]
    truth: dict[str, Any] = json.loads(subprocess.run(made, cwd=ROOT, check=True, capture_output=True).stdout)
    venue = start_demovenue(tmp_path, seed=5)
    venue.control("POST", "/demo/clock", {"speed": 0})
    moments = random.Random(20261122)
    try:
        with rig() as desk:
            desk.environment["KFWEB_DEMO_URL"] = venue.url
            key = told(worker(desk, "add", truth["uid"], truth["public"], truth["private"])).strip()
            for _ in range(KILLS):
                victim = worker(desk, "read", key)
                begins(victim)
                time.sleep(moments.uniform(0.05, 1.0))
                victim.kill()
                victim.wait()
            both = [worker(desk, "read", key) for _ in range(2)]
            try:
                for one in both:
                    told(one)
            finally:
                for one in both:
                    one.kill()
            found = json.loads(told(worker(desk, "count")))
    finally:
        venue.stop()
    assert {name: found[name] for name in ("fills", "entries", "kinds", "events")} == {
        name: truth[name] for name in ("fills", "entries", "kinds", "events")
    }
    assert found["unexplained"] == []
    assert found["wallets"] > 4
    assert found["ledger"] == 0  # one ledger entry for each money row, no more
    assert found["summed"] == 0  # and each once in the sums of the reports
    assert found["rows"] == truth["entries"]
