"""How many ticks a second one web process brings to 500 browsers, against the textbook and against Node."""

from __future__ import annotations

import shutil
import subprocess

from tests.benchmarks.feed import SYMBOLS
from tests.benchmarks.result import Result
from tests.benchmarks.rig import Rig, cpu_seconds, found, free_port, listens, load, rig, told

SOCKETS, SECONDS = 500, 6
HUB_RATE = 4_000  # ticks a second offered: what fits into the frames, so that none of the tape is skipped
TEXTBOOK_RATE = 400  # far more than it carries


def main() -> list[Result]:
    with rig() as desk:
        textbook = run_textbook(desk)
    with rig() as desk:
        hub, share = run_hub(desk)
    node, why = run_node()
    ratio = hub / textbook
    against_node = f"Node's ws {node:,.0f}" if node else why
    return [
        Result(
            f"ticks a second delivered to {SOCKETS} sockets on {len(SYMBOLS)} products, one process under Daphne",
            f"{hub:,.0f}, {ratio:,.0f}× the textbook's {textbook:,.0f}",
            "≥ 100× the textbook",
            ratio >= 100,
            f"Of {HUB_RATE:,} ticks a second each browser got {hub / SOCKETS / HUB_RATE:.1%}; "
            f"the web process used {share:.0%} of a core.",
        ),
        Result(
            "the same against Node's ws broadcasting one frame a tick",
            f"{hub / node:,.1f}× ({hub:,.0f} against {node:,.0f})" if node else "not compared",
            "ahead of it, where Node and ws are present",
            hub > node if node else None,
            against_node,
        ),
    ]


def run_hub(desk: Rig) -> tuple[float, float]:
    process, port = desk.daphne("kfweb.asgi:application")
    desk.python("-m", "tests.benchmarks.feed", "hub", str(HUB_RATE))
    streams = [f"trades:demo:{symbol}" for symbol in SYMBOLS]
    browsers = load(
        port, sockets=SOCKETS, cookie=desk.cookie, streams=streams, seconds=SECONDS, needle='"id":', ack=0.5
    )
    told(browsers, "ready")
    before = cpu_seconds(process.pid)
    answer = found(browsers)
    share = (cpu_seconds(process.pid) - before) / (SECONDS + 2)
    if answer["closed"]:
        raise RuntimeError(f"{answer['closed']} sockets were closed")
    return answer["ticks_a_second"], share


def run_textbook(desk: Rig) -> float:
    _, port = desk.daphne("tests.benchmarks.textbook:application")
    browsers = load(port, sockets=SOCKETS, path="/ticks", seconds=SECONDS, needle='"id":', ack=0, settle=3)
    told(browsers, "ready")
    desk.python("-m", "tests.benchmarks.feed", "textbook", str(TEXTBOOK_RATE))
    return float(found(browsers)["ticks_a_second"])


def run_node() -> tuple[float, str]:
    """Zero, and why, where there is nothing to compare with."""
    if not shutil.which("node"):
        return 0, "There is no Node here."
    if subprocess.run(["node", "-e", "require('ws')"], capture_output=True).returncode:
        return 0, "Node is here, its ws package is not (NODE_PATH may name a folder that has it)."
    port = free_port()
    process = subprocess.Popen(["node", "tests/benchmarks/broadcast.cjs", str(port)])
    try:
        while not listens(port):
            if process.poll() is not None:
                return 0, "Node's server did not start."
        return float(
            found(load(port, sockets=SOCKETS, path="/ticks", seconds=SECONDS, needle='"id":', ack=0))["ticks_a_second"]
        ), ""
    finally:
        process.terminate()
        process.wait()
