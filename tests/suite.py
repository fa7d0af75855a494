"""The whole suite, two processes at a time; what failed is then run again, alone, twice at most.

Journeys start whole desks and browsers, and a shared machine can starve one of them for seconds. A test that passes
alone is named as unsteady, loudly, and the run is green; one that fails each time is red. Nothing else is forgiven.

    python -m tests.suite [--faults] [pytest's arguments]
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

NOTHING_CHOSEN = 5  # what pytest answers when no test is selected
PASSES = ("not browser and not composed", "browser")
FAULTS = ("composed",)  # whole installations, for minutes: asked for with --faults
FORGIVEN_AT_MOST = 10  # more than that is no accident
AGAIN_AT_MOST = 2


def pytest(arguments: list[str], failures: Path) -> int:
    command = [sys.executable, "-m", "pytest", "-p", "tests.failures", *arguments]
    return subprocess.call(command, env=os.environ | {"KFWEB_TEST_FAILURES": str(failures)})


def main(arguments: list[str]) -> int:
    """Pages come last and in processes of their own: a browser's driver keeps an event loop that others trip over."""
    passes = PASSES
    if arguments[:1] == ["--faults"]:
        passes, arguments = FAULTS, arguments[1:]
    codes = [part(["-m", marks, *arguments]) for marks in passes]
    wrong = [code for code in codes if code not in {0, NOTHING_CHOSEN}]
    return wrong[0] if wrong else min(codes)


def part(arguments: list[str]) -> int:
    with tempfile.TemporaryDirectory() as folder:
        failures = Path(folder) / "failed"
        code = pytest(["-n", "2", "--dist", "loadfile", *arguments], failures)
        failed = failures.read_text().splitlines() if failures.exists() else []
        if code != 1 or not failed or len(failed) > FORGIVEN_AT_MOST:
            return code
        left = failed
        for _ in range(AGAIN_AT_MOST):
            print(f"\nOnce more, alone: {len(left)} of the suite's tests", flush=True)
            code = pytest(["-v", *left], failures)
            left = [name for name in left if name in set(failures.read_text().splitlines())]
            if code == 0:
                break
    for name in failed:
        print(f"{'FAILED EACH TIME' if name in left else 'UNSTEADY (failed, passed alone)'}: {name}", flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
