"""How old a price is when a browser has it: exchange → relay → store → hub → 500 sockets, every part the real one."""

from __future__ import annotations

import os
import time

from tests.benchmarks.feed import SYMBOLS
from tests.benchmarks.result import Result
from tests.benchmarks.rig import Rig, cpu_seconds, found, free_port, listens, load, rig, told

SOCKETS, RATE, SECONDS = 500, 50, 15
INTERVAL_MS = 50  # trading.live.hub.FAST
ALLOWED_MS = INTERVAL_MS + 25


def main() -> list[Result]:
    with rig() as desk:
        answer, web, relay = run(desk)
    ages = f"p50 {answer['p50_ms']} ms, p99 {answer['p99_ms']} ms"
    return [
        Result(
            f"age of a tick at {SOCKETS} sockets × {RATE} ticks/s, from the exchange's frame to the browser's receipt",
            f"{ages}, conflated at {INTERVAL_MS} ms",
            f"p99 ≤ {ALLOWED_MS} ms",
            answer["p99_ms"] <= ALLOWED_MS,
            f"{answer['messages']:,} prices arrived; both ends read the same clock. Five processes share the cores: "
            f"the load of the last minute was {os.getloadavg()[0]:.1f}.",
        ),
        Result("share of one core the web process used", f"{web:.0%}", "≤ 40 %", web <= 0.4, f"Relay: {relay:.0%}."),
        Result(
            "gaps in the streams' numbers, seen by the browsers",
            str(answer["gaps"]),
            "none unreported",
            not answer["gaps"] and not answer["closed"],
            f"{answer['closed']} sockets were closed.",
        ),
    ]


def run(desk: Rig) -> tuple[dict[str, float], float, float]:
    port = free_port()
    desk.python("-m", "tests.benchmarks.upstream", str(port), str(RATE), wait=lambda: listens(port))
    relay = desk.python("manage.py", "relay", "--environment", "demo", KFWEB_DEMO_URL=f"http://127.0.0.1:{port}")
    process, web_port = desk.daphne("kfweb.asgi:application")
    streams = [f"ticker:demo:{symbol}" for symbol in SYMBOLS]
    browsers = load(
        web_port,
        sockets=SOCKETS,
        cookie=desk.cookie,
        streams=streams,
        seconds=SECONDS,
        settle=4,
        ages=True,
        check=True,
    )
    told(browsers, "ready")
    time.sleep(4)
    began, web, upstream = time.monotonic(), cpu_seconds(process.pid), cpu_seconds(relay.pid)
    time.sleep(SECONDS - 1)
    spent = time.monotonic() - began
    shares = (cpu_seconds(process.pid) - web) / spent, (cpu_seconds(relay.pid) - upstream) / spent
    return found(browsers), *shares
