"""Run one benchmark in this process, show what it found and keep it in var/bench/."""

from __future__ import annotations

import importlib
import sys

from tests.benchmarks.result import keep, machine, show


def main(name: str) -> None:
    results = importlib.import_module(f"tests.benchmarks.bench_{name}").main()
    print(f"  on {machine()}")
    show(results)
    keep(name, results)


if __name__ == "__main__":
    main(sys.argv[1])
