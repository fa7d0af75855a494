"""What a benchmark found: a ratio or a figure, what it was held against, and what it should reach."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Result:
    """`measured` and `target` are sentences with units; `ok` is None where nothing was to be reached or compared."""

    what: str
    measured: str
    target: str
    ok: bool | None
    detail: str = ""


def machine() -> str:
    memory = int(os.sysconf("SC_PAGE_SIZE")) * int(os.sysconf("SC_PHYS_PAGES")) >> 30
    kind = f"{platform.system()} {platform.machine()}"
    return f"{os.cpu_count()} cores, {memory} GiB, {kind}, Python {platform.python_version()}"


def keep(name: str, results: list[Result]) -> None:
    folder = Path("var/bench")
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"machine": machine(), "results": [asdict(result) for result in results]}, indent=1)
    (folder / f"{name}.json").write_text(text + "\n")


def show(results: list[Result]) -> None:
    for result in results:
        word = {True: "reached", False: "NOT reached", None: "told"}[result.ok]
        print(f"  {result.what}: {result.measured} (to reach: {result.target}): {word}. {result.detail}")
