"""Frames a second and memory of the trade page in Chromium: chart, ladder, tape, 40 positions, 50 messages a second.

The page and its files are the real ones, the socket speaks the hub's protocol. The hour of the target is not run here:
the memory is looked at after each of a few minutes, and the result says how many.
"""

from __future__ import annotations

import asyncio
import json
import os
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

SYMBOL, POSITIONS = "PF_XBTUSD", 40
FRAMES = 20  # a second: what the hub sends at most
SECONDS = 15
MINUTES = int(os.environ.get("KFWEB_BENCH_MINUTES", "3"))
FAST, GROWTH, RATE = 55.0, 10.0, 50.0
STEP = 300
BEGUN = 60  # frames until the page's scripts listen to every stream: snapshots until then


def main() -> list[Result]:
    from playwright.sync_api import sync_playwright

    path = chromium()
    if path is None:
        return [Result("Trade page, frames", "nothing", f"≥ {FAST:.0f} frames/s", None, "There is no Chromium here.")]
    served, sent = Served(positions=POSITIONS), {"messages": 0}
    feed = partial(tell, held(served), sent)
    with feeding(served, f"/trade/{SYMBOL}/", feed, answer) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        idle = page.evaluate(MEASURE, 4)
        page.goto(address)
        page.locator("label:has([name=form][value=ladder])").click()
        page.wait_for_timeout(3000)
        drawn = page.locator("#chart").get_attribute("data-candles-drawn")
        shown = [
            page.locator(one).count() for one in ("tr[data-position]", "#ladder tr.bid", "#tape tr[data-side=buy]")
        ]
        if drawn != "500" or not all(shown):
            raise RuntimeError(f"the page does not show what is measured: {drawn} candles, {shown}")
        before, began = sent["messages"], time.monotonic()
        found = page.evaluate(MEASURE, SECONDS)
        rate = (sent["messages"] - before) / (time.monotonic() - began)
        sizes = memory(page)
        browser.close()
    return [frames(found, rate, idle["gaps"]), growth(sizes)]


def frames(found: dict[str, list[float]], rate: float, idle: list[float]) -> Result:
    seconds = each_second(found["gaps"])
    median, longest = statistics.median(seconds), max(found["long"], default=0.0)
    return Result(
        what=f"Trade page, chart, ladder, tape, {POSITIONS} positions, {rate:.0f} messages a second",
        measured=f"{median:.0f} frames/s (median), {min(seconds):.0f} in the slowest second",
        target=f"≥ {FAST:.0f} frames/s (median)",
        ok=median >= FAST and rate >= RATE,
        detail=f"{len(found['long'])} tasks over 50 ms in {SECONDS} s, the longest {longest:.0f} ms;"
        f" an empty page beside it: {median_frames(idle):.0f} frames/s.",
    )


def memory(page: Any) -> list[float]:
    """Megabytes of the page's heap after its waste was collected, once a minute."""
    session = page.context.new_cdp_session(page)
    sizes = []
    for minute in range(MINUTES + 1):
        if minute:
            page.wait_for_timeout(60_000)
        session.send("HeapProfiler.collectGarbage")
        sizes.append(session.send("Runtime.getHeapUsage")["usedSize"] / 1e6)
    return sizes


def growth(sizes: list[float]) -> Result:
    """From the second look on: the first minute fills what is kept on purpose (500 trades, caches)."""
    grown = 100 * (sizes[-1] / sizes[1] - 1)
    return Result(
        what=f"Trade page, memory over {MINUTES} minutes",
        measured=f"{grown:+.1f} % after the first minute",
        target=f"≤ {GROWTH:.0f} % in an hour",
        ok=None,
        detail=f"MB after each minute: {', '.join(f'{size:.1f}' for size in sizes)}. An hour was not run.",
    )


def held(served: Served) -> list[str]:
    _, _, page = served.get(f"/trade/{SYMBOL}/")
    return re.findall(r'data-position="([^"]+)"', page.decode())


def answer(request: web.Request) -> web.Response | None:
    """What only a venue could tell: candles."""
    if not re.fullmatch(r"/charts/\w+/\w+\.json", request.path) or request.path.endswith("own.json"):
        return None
    if "before" in request.query:
        return web.json_response({"candles": [], "seconds": STEP, "asked_at": 0, "beginning": True})
    now = int(time.time()) // STEP * STEP
    since = int(request.query.get("since", now - 499 * STEP))
    rows = [[at, 64000, 64100, 63900, 64000 + at % 90, 5] for at in range(since, now + 1, STEP)]
    return web.json_response({"candles": rows, "seconds": STEP, "asked_at": now * 1000, "beginning": False})


async def tell(symbols: list[str], sent: dict[str, int], socket: web.WebSocketResponse) -> None:
    """Each frame a book and a ticker, each other frame new trades, each fourth the marks of everything held."""
    numbers: dict[str, int] = {}
    middle, number, due = 64000.0, 0, time.monotonic()

    def message(stream: str, data: object, *, whole: bool = False) -> dict[str, Any]:
        numbers[stream] = numbers.get(stream, 0) + 1
        sent["messages"] += 1
        return {"s": stream, "n": numbers[stream], "k": "snap" if whole or number < BEGUN else "upd", "d": data}

    while not socket.closed:
        number += 1
        moment = int(time.time() * 1000)
        middle += random.uniform(-3, 3)
        said = [message(f"book:demo:{SYMBOL}", book(middle)), message(f"ticker:demo:{SYMBOL}", ticker(middle))]
        if number % 2:
            said.append(message(f"trades:demo:{SYMBOL}", {"trades": trades(middle, moment)}))
        if number % 4 == 0:
            said.append(message("tickers:demo", {one: {"mark": f"{random.uniform(1, 90000):.2f}"} for one in symbols}))
        if number % FRAMES == 1:
            link = {"state": "live", "heard_at": moment, "relay_at": moment, "why": "", "healed": 0}
            said.append(message("link:demo", link, whole=True))
        await socket.send_str(json.dumps([{"f": number, "now": moment}, *said]))
        due += 1 / FRAMES
        await asyncio.sleep(max(0.0, due - time.monotonic()))


def book(middle: float) -> dict[str, list[list[str]]]:
    """Every level of both sides has moved."""
    return {
        side: [[f"{middle + way * (at + 1):.0f}", f"{random.uniform(0.01, 2):.4f}"] for at in range(25)]
        for side, way in (("bids", -1), ("asks", 1))
    }


def ticker(middle: float) -> dict[str, str]:
    return {
        "last": f"{middle:.0f}", "mark": f"{middle + 1:.1f}", "index": f"{middle - 1:.1f}", "change_24h": "1.25",
        "volume_quote": f"{random.uniform(1e8, 2e8):.0f}", "open_interest": "3700.1234",
    }  # fmt: skip


def trades(middle: float, moment: int) -> list[dict[str, Any]]:
    return [
        {
            "id": f"{moment}-{at}", "side": random.choice(["buy", "sell"]), "price": f"{middle:.0f}",
            "size": f"{random.uniform(0.001, 3):.4f}", "at": moment, "kind": "fill",
        }
        for at in range(3)
    ]  # fmt: skip
