"""How long the second `make run` takes until every part is well, and what the whole tree weighs."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from tests.benchmarks.result import Result
from tests.stack import Stack


def main() -> list[Result]:
    with tempfile.TemporaryDirectory() as name:
        Stack(Path(name)).start().stop()
        began = time.perf_counter()
        stack = Stack(Path(name)).start()
        seconds = time.perf_counter() - began
        time.sleep(10)  # until what grows after the start has grown
        assert stack.process
        megabytes = sum(weight(pid) for pid in [stack.process.pid, *stack.pids()]) / 1024
        parts = len(stack.pids()) + 1
        stack.stop()
    return [
        Result("second start until ready", f"{seconds:.1f} s", "≤ 8 s", seconds <= 8),
        Result(
            "the whole tree", f"{megabytes:.0f} MB", "≤ 600 MB", megabytes <= 600, f"{parts} processes, shared once"
        ),
    ]


def weight(pid: int) -> int:
    """Proportional set size in kB: what is shared between processes is counted once."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    raise LookupError(f"the kernel does not tell the weight of {pid}")
