"""Something goes wrong with a process, over and over, and how long it took until all was well again."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import redis

from tests.composed import Composed, wait_for

FROZEN = (2.0, 8.0)  # seconds
PATIENCE = 120.0  # seconds until all is well again


@dataclass
class Blow:
    what: str
    at: float  # epoch seconds
    healed_after: float = 0.0  # seconds from its end until everybody had spoken anew, asked through the proxy


@dataclass
class Chaos:
    desk: Composed
    seed: int
    blows: list[Blow] = field(default_factory=list)

    def run(self, count: int, seconds: float, stop: threading.Event) -> None:
        """`count` blows spread over `seconds`, each kind at least once if there are enough of them."""
        dice = random.Random(self.seed)
        kinds = self._kinds(dice)
        order = [kinds[number % len(kinds)] for number in range(count)]
        dice.shuffle(order)
        began = time.monotonic()
        for number, (what, strike) in enumerate(order):
            due = began + seconds * number / count
            if stop.wait(max(due - time.monotonic(), 0)):
                return
            blow = Blow(what, time.time())
            strike()
            over = time.time()
            blow.healed_after = wait_for(
                lambda over=over: self._is_well(over), PATIENCE, lambda what=what: f"{what}: {self.desk.health()}"
            )
            self.blows.append(blow)

    def _kinds(self, dice: random.Random) -> list[tuple[str, Callable[[], None]]]:
        processes = ("web", "worker", "beat", "relay", "demovenue", "redis")
        kills = [(f"kill -9 {name}", lambda name=name: self._signal(dice, name, signal.SIGKILL)) for name in processes]
        freezes = [(f"freeze {name}", lambda name=name: self._freeze(dice, name)) for name in processes]
        return [
            *kills,
            *freezes,
            ("cut every database connection", self._cut_database),
            ("freeze the database", lambda: self._freeze_database(dice)),
            ("empty redis", lambda: self._empty_store()),
        ]

    def _is_well(self, since: float) -> bool:
        """Relay, exchange and worker have each been heard of since then: a state of before the blow proves nothing."""
        checks = self.desk.health().get("checks", {})
        if not all(checks.get(name, {}).get("ok") for name in ("database", "store", "relay", "worker")):
            return False
        link = checks["relay"]["links"]["demo"]
        pulse = time.time() - checks["worker"]["pulse_age_seconds"]
        return bool(min(link["heard_at"], link["relay_at"]) / 1000 > since and pulse > since)

    def _signal(self, dice: random.Random, name: str, number: int) -> None:
        chosen = dice.choice(self.desk.running[name])
        chosen.signal(number)

    def _freeze(self, dice: random.Random, name: str) -> None:
        chosen = dice.choice(self.desk.running[name])
        chosen.signal(signal.SIGSTOP)
        time.sleep(dice.uniform(*FROZEN))
        chosen.signal(signal.SIGCONT)

    def _cut_database(self) -> None:
        with psycopg.connect(self.desk.database_uri, autocommit=True) as connection:
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")

    def _freeze_database(self, dice: random.Random) -> None:
        pids = below(self.desk.database_pid)
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        time.sleep(dice.uniform(*FROZEN))
        for pid in reversed(pids):
            os.kill(pid, signal.SIGCONT)

    def _empty_store(self) -> None:
        with suppress(redis.RedisError):  # it is just being started again, and empty then
            self.desk.store().flushall()

    def told(self) -> str:
        """One line a kind: how often, and the median and the longest time to heal."""
        lines = []
        for what in sorted({blow.what for blow in self.blows}):
            times = sorted(blow.healed_after for blow in self.blows if blow.what == what)
            lines.append(
                f"{what:<32} {len(times):>3} × median {times[len(times) // 2]:5.1f} s, longest {times[-1]:5.1f} s"
            )
        return "\n".join(lines)


def below(pid: int) -> list[int]:
    """A process and everything it started."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(one for child in children for one in below(int(child)))]
