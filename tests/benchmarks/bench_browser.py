"""Frames a second of the Markets page in Chromium: 200 instruments, 1,000 row updates a second by its own protocol."""

from __future__ import annotations

import asyncio
import json
import random
import re
import statistics
import time
from functools import partial
from typing import Any

from aiohttp import web

from tests.benchmarks.fed_page import MEASURE, each_second, feeding, median_frames
from tests.benchmarks.result import Result
from tests.benchmarks.served import Served
from tests.chromium import FLAGS, chromium

INSTRUMENTS, FRAMES, ROWS = 200, 20, 50  # 20 frames a second of 50 rows
SECONDS = 12
FAST, LONG = 55.0, 50.0


def main() -> list[Result]:
    from playwright.sync_api import sync_playwright

    path = chromium()
    if path is None:
        why = "There is no Chromium here."
        return [Result("Markets page, frames", "nothing", f"≥ {FAST:.0f} frames/s", None, why)]
    served = Served(instruments=INSTRUMENTS)
    sent = {"rows": 0}
    with feeding(served, "/markets/", partial(feed, listed(served), sent)) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        idle = page.evaluate(MEASURE, 4)  # an empty page: what the machine itself is busy with
        page.goto(address)
        page.wait_for_timeout(2000)
        before, began = sent["rows"], time.monotonic()
        found = page.evaluate(MEASURE, SECONDS)
        rate = (sent["rows"] - before) / (time.monotonic() - began)
        browser.close()
    return [frames(found["gaps"], rate, idle["gaps"]), tasks(found["long"], idle["long"])]


def frames(gaps: list[float], rate: float, idle: list[float]) -> Result:
    seconds = each_second(gaps)
    median = statistics.median(seconds)
    return Result(
        what=f"Markets page, {INSTRUMENTS} instruments, {rate:,.0f} row updates a second",
        measured=f"{median:.0f} frames/s (median), {min(seconds):.0f} in the slowest second",
        target=f"≥ {FAST:.0f} frames/s (median)",
        ok=median >= FAST and rate > 900,
        detail=f"An empty page beside it: {median_frames(idle):.0f} frames/s.",
    )


def tasks(long: list[float], idle: list[float]) -> Result:
    longest = max(long, default=0.0)
    told = f"{longest:.0f} ms" if long else "none reported"
    detail = f"{len(long)} tasks over 50 ms in {SECONDS} s; an empty page beside it had {len(idle)} in 4 s."
    return Result("Markets page, longest task", told, f"≤ {LONG:.0f} ms", longest <= LONG, detail)


def listed(served: Served) -> list[str]:
    _, _, page = served.get("/markets/")
    symbols = re.findall(r'<tr data-symbol="([^"]+)"', page.decode())
    assert len(symbols) >= INSTRUMENTS - 20, len(symbols)
    return symbols


async def feed(symbols: list[str], sent: dict[str, int], socket: web.WebSocketResponse) -> None:
    number, due = 0, time.monotonic()
    while not socket.closed:
        number += 1
        moment = int(time.time() * 1000)
        rows = {symbol: row() for symbol in random.sample(symbols, ROWS)}
        kind = "snap" if number == 1 else "upd"
        messages: list[Any] = [
            {"f": number, "now": moment},
            {"s": "tickers:demo", "n": number, "k": kind, "d": rows},
        ]
        if number % FRAMES == 1:
            link = {"state": "live", "heard_at": moment, "relay_at": moment, "why": "", "healed": 0}
            messages.append({"s": "link:demo", "n": number // FRAMES, "k": "snap", "d": link})
        await socket.send_str(json.dumps(messages))
        sent["rows"] += ROWS
        due += 1 / FRAMES
        await asyncio.sleep(max(0.0, due - time.monotonic()))


def row() -> dict[str, str]:
    """Every cell of the row moves."""
    price = random.uniform(1, 90_000)
    return {
        "last": f"{price:.2f}", "bid": f"{price - 0.5:.2f}", "ask": f"{price + 0.5:.2f}", "mark": f"{price:.3f}",
        "change_24h": f"{random.uniform(-9, 9):.2f}", "volume_quote": f"{random.uniform(1e5, 1e9):.2f}",
        "open_interest": f"{random.uniform(1e3, 1e7):.1f}",
        "relative_funding_rate": f"{random.uniform(-1e-4, 1e-4):.10f}",
    }  # fmt: skip
