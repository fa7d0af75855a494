"""Child processes: started, watched, restarted with backoff, and never left behind."""

from __future__ import annotations

import ctypes
import signal
import subprocess
import sys
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

PR_SET_PDEATHSIG = 1
TOO_MANY, WITHIN = 5, 60.0  # that many deaths within that many seconds end the tree
LOG_LIMIT = 20_000_000  # bytes; a longer log is set aside at the next start


def die_with_parent() -> None:
    """Run in the child: the kernel ends it when the parent is killed, however that happens (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


@dataclass
class Child:
    name: str
    command: list[str]
    log: Path
    folder: Path  # where it runs
    process: subprocess.Popen[bytes] | None = None
    deaths: deque[float] = field(default_factory=lambda: deque(maxlen=TOO_MANY))
    start_at: float = 0.0  # monotonic; when a dead child may be started again

    def start(self) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > LOG_LIMIT:
            self.log.replace(self.log.with_suffix(".old.log"))
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                start_new_session=True,  # Ctrl-C reaches the parent only, which stops the rest in order
                preexec_fn=die_with_parent,
            )

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def tend(self, now: float) -> str | None:
        """Restart it if it died. Returns a remark when something happened; raises `Hopeless` when it keeps dying."""
        if self.is_running or now < self.start_at:
            return None
        if self.process is not None:
            code = self.process.returncode
            self.process = None
            self.deaths.append(now)
            if len(self.deaths) == TOO_MANY and now - self.deaths[0] < WITHIN:
                raise Hopeless(self)
            lately = sum(now - one < WITHIN for one in self.deaths)  # one that lasted is started again soon
            pause = min(0.5 * 2 ** (lately - 1), 10)
            self.start_at = now + pause
            return f"{self.name} ended ({describe(code)}); starting it again in {pause:g} s"
        self.start()
        return f"{self.name} started again"

    def stop(self, seconds: float) -> None:
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def last_words(self, lines: int = 12) -> str:
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


class Hopeless(Exception):
    """A child keeps dying."""

    def __init__(self, child: Child) -> None:
        super().__init__(f"{child.name} ended {TOO_MANY} times within {WITHIN:g} s. Its last words, from {child.log}:")
        self.child = child


def describe(code: int | None) -> str:
    if code is not None and code < 0:
        return f"killed by {signal.Signals(-code).name}"
    return f"exit code {code}"


def stop_all(children: list[Child], seconds: float = 8) -> None:
    """All at once, except the first, which the others may still need: it goes last."""
    for child in children[1:]:
        if child.is_running and child.process:
            child.process.terminate()
    end = time.monotonic() + seconds
    for child in children[1:]:
        child.stop(max(end - time.monotonic(), 0.1))
    for child in children[:1]:
        child.stop(seconds)
