"""How long browsers hear nothing when the active relay is killed and the one that stands by takes over."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

import redis

from tests.benchmarks.result import Result
from tests.benchmarks.rig import Rig
from tests.venue_process import start_demovenue

KILLS = 8
PATIENCE = 60.0  # seconds
BATCH, LEASE = "kfweb:live:demo:batch", "kfweb:live:demo:lease"


def main() -> list[Result]:
    with tempfile.TemporaryDirectory() as name:
        rig = Rig(Path(name))
        with rig.stack:
            rig.prepare()
            venue = start_demovenue(Path(name) / "venue", seed=3)
            rig.stack.callback(venue.stop)
            rig.environment |= {"KFWEB_DEMO_URL": venue.url}
            store = redis.Redis.from_url(rig.environment["REDIS_URL"])
            gaps = [gap(rig, store) for _ in range(KILLS)]
    worst = max(gaps)
    detail = f"median {statistics.median(gaps):.1f} s of {KILLS} kills with -9, until the first batch of the other"
    return [Result("relay takeover, the slowest", f"{worst:.1f} s", "≤ 5 s", worst <= 5, detail)]


def gap(rig: Rig, store: redis.Redis) -> float:
    """Seconds from the kill to the first batch of its successor."""
    active = rig.python("manage.py", "relay", wait=lambda: store.get(BATCH))
    known = set(rig.folder.glob("relay.*.log"))
    standby = rig.python("manage.py", "relay", wait=lambda: _waits(rig, known))
    before = _epoch(store)
    active.kill()
    killed = time.monotonic()
    while _epoch(store) == before:
        if time.monotonic() - killed > PATIENCE:
            raise RuntimeError("nobody took over")
        time.sleep(0.01)
    silent = time.monotonic() - killed
    standby.terminate()
    standby.wait()
    store.delete(BATCH, LEASE)
    return silent


def _waits(rig: Rig, known: set[Path]) -> bool:
    return any(b"this one waits" in log.read_bytes() for log in set(rig.folder.glob("relay.*.log")) - known)


def _epoch(store: redis.Redis) -> bytes:
    return bytes(store.get(BATCH) or b" ").split(b" ")[0]
