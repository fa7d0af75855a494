"""`make bench`: every benchmark, or those named: `make bench ARGS="fanout pages"`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def main(names: list[str]) -> int:
    """Each in a process of its own, so that none inherits what another warmed up or left behind."""
    here = Path(__file__).parent
    found = sorted(path.stem.removeprefix("bench_") for path in here.glob("bench_*.py"))
    if unknown := set(names) - set(found):
        print(f"No such benchmark: {', '.join(sorted(unknown))}. There are: {', '.join(found)}.")
        return 2
    failed = []
    for name in names or found:
        print(f"== {name}", flush=True)
        if subprocess.call([sys.executable, "-m", "tests.benchmarks.one", name]):
            failed.append(name)
    if failed:
        print(f"Did not run to its end: {', '.join(failed)}")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
