"""Browsers that never read, at full feed: the web process stays as large as it was, the others notice nothing.

`python -m tests.benchmarks.bench_deaf_browser --seconds 30` for a short look.
"""

from __future__ import annotations

import argparse
import os
import time

from tests.benchmarks.feed import SYMBOLS
from tests.benchmarks.load import connect, text_frame
from tests.benchmarks.result import Result, show
from tests.benchmarks.rig import Rig, found, load, resident_kb, rig, told

DEAF, WELL, RATE = 20, 50, 2_000
GROWTH_MB = 8.0
WATCH = b'{"do":"watch","streams":[' + b",".join(b'"trades:demo:%s"' % s.encode() for s in SYMBOLS) + b"]}"


def main(seconds: float = 0) -> list[Result]:
    seconds = seconds or float(os.environ.get("KFWEB_BENCH_SECONDS", "300"))
    with rig() as desk:
        sizes, answer, let_go = run(desk, seconds)
    third = len(sizes) // 3
    growth = (max(sizes[-third:]) - max(sizes[:third])) / 1024
    return [
        Result(
            f"growth of the web process over {seconds:.0f} s with {DEAF} browsers that never read, at full feed",
            f"{growth:+.1f} MB (from {sizes[0] / 1024:.0f} MB, at most {max(sizes) / 1024:.0f} MB)",
            f"flat: ≤ {GROWTH_MB:.0f} MB between the first third and the last",
            growth <= GROWTH_MB,
            f"Each was let go and came again: {let_go} times in all.",
        ),
        Result(
            f"the {WELL} others meanwhile",
            f"{answer['ticks_a_second'] / WELL:,.0f} ticks a second each, {answer['gaps']} gaps, "
            f"{answer['closed']} closed",
            f"unharmed: ≥ 95 % of {RATE:,} ticks a second, no gap, none closed",
            answer["ticks_a_second"] >= 0.95 * RATE * WELL and not answer["gaps"] and not answer["closed"],
        ),
    ]


def run(desk: Rig, seconds: float) -> tuple[list[int], dict[str, float], int]:
    process, port = desk.daphne("kfweb.asgi:application")
    desk.python("-m", "tests.benchmarks.feed", "hub", str(RATE))
    streams = [f"trades:demo:{symbol}" for symbol in SYMBOLS]
    well = load(
        port,
        sockets=WELL,
        cookie=desk.cookie,
        streams=streams,
        seconds=seconds - 4,
        settle=4,
        needle='"id":',
        check=True,
    )
    told(well, "ready")
    deaf = [listen_never(port, desk.cookie) for _ in range(DEAF)]
    sizes, let_go, end = [], 0, time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(1)
        sizes.append(resident_kb(process.pid))
        for place, link in enumerate(deaf):
            if is_over(link):
                link.close()
                let_go += 1
                deaf[place] = listen_never(port, desk.cookie)
    for link in deaf:
        link.close()
    return sizes, found(well, seconds + 60), let_go


def listen_never(port: int, cookie: str):  # type: ignore[no-untyped-def]
    link = connect({"port": port, "cookie": cookie})
    link.sendall(text_frame(WATCH))
    return link


def is_over(link) -> bool:  # type: ignore[no-untyped-def]
    """Without reading: a peer that went away answers a byte with a reset."""
    try:
        link.send(text_frame(b'{"do":"ack","f":0}'))
    except OSError:
        return True
    return False


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=300)
    show(main(parser.parse_args().seconds))
