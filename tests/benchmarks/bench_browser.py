"""Frames a second of the Markets page in Chromium: 200 instruments, 1,000 row updates a second by its own protocol."""

from __future__ import annotations

import asyncio
import json
import random
import re
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aiohttp import WSMsgType, web

from tests.benchmarks.result import Result
from tests.benchmarks.served import Served
from tests.conftest import FLAGS, chromium

INSTRUMENTS, FRAMES, ROWS = 200, 20, 50  # 20 frames a second of 50 rows
SECONDS = 12
FAST, LONG = 55.0, 50.0

MEASURE = """(seconds) => new Promise((done) => {
  const gaps = [], long = [];
  const notice = (list) => list.getEntries().forEach((one) => long.push(one.duration));
  new PerformanceObserver(notice).observe({type: "longtask"});
  let last = performance.now();
  const end = last + seconds * 1000;
  const step = (now) => {
    gaps.push(now - last);
    last = now;
    if (now < end) requestAnimationFrame(step); else done({gaps, long});
  };
  requestAnimationFrame(step);
})"""


def main() -> list[Result]:
    from playwright.sync_api import sync_playwright

    path = chromium()
    if path is None:
        why = "There is no Chromium here."
        return [Result("Markets page, frames", "nothing", f"≥ {FAST:.0f} frames/s", None, why)]
    served = Served(instruments=INSTRUMENTS)
    with feeding(served) as (address, sent), sync_playwright() as playwright:
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


def each_second(gaps: list[float]) -> list[float]:
    """Frames in each whole second, so that a stall counts as the seconds it took."""
    seconds, count, passed = [], 0, 0.0
    for gap in gaps:
        count, passed = count + 1, passed + gap
        if passed >= 1000:
            seconds.append(count * 1000 / passed)
            count, passed = 0, 0.0
    return seconds


def frames(gaps: list[float], rate: float, idle: list[float]) -> Result:
    seconds = each_second(gaps)
    median = statistics.median(seconds)
    return Result(
        what=f"Markets page, {INSTRUMENTS} instruments, {rate:,.0f} row updates a second",
        measured=f"{median:.0f} frames/s (median), {min(seconds):.0f} in the slowest second",
        target=f"≥ {FAST:.0f} frames/s (median)",
        ok=median >= FAST and rate > 900,
        detail=f"An empty page beside it: {statistics.median(each_second(idle)):.0f} frames/s.",
    )


def tasks(long: list[float], idle: list[float]) -> Result:
    longest = max(long, default=0.0)
    told = f"{longest:.0f} ms" if long else "none reported"
    detail = f"{len(long)} tasks over 50 ms in {SECONDS} s; an empty page beside it had {len(idle)} in 4 s."
    return Result("Markets page, longest task", told, f"≤ {LONG:.0f} ms", longest <= LONG, detail)


@contextmanager
def feeding(served: Served) -> Iterator[tuple[str, dict[str, int]]]:
    """The real page and its files, and a socket that speaks the hub's protocol at the wanted rate."""
    _, headers, page = served.get("/markets/")
    symbols = re.findall(r'<tr data-symbol="([^"]+)"', page.decode())
    assert len(symbols) >= INSTRUMENTS - 20, len(symbols)
    sent = {"rows": 0}

    async def draw(_request: web.Request) -> web.Response:
        policy = {"Content-Security-Policy": headers["Content-Security-Policy"]}
        return web.Response(body=page, content_type="text/html", charset="utf-8", headers=policy)

    async def file(request: web.Request) -> web.Response:
        _, headers, body = served.get(request.path)
        kept = {name: value for name, value in headers.items() if name in {"Content-Type", "Content-Encoding"}}
        return web.Response(body=body, headers=kept)

    async def socket(request: web.Request) -> web.WebSocketResponse:
        opened = web.WebSocketResponse()
        await opened.prepare(request)
        feeder = asyncio.create_task(feed(opened, symbols, sent))
        async for message in opened:
            if message.type is not WSMsgType.TEXT:
                break
        feeder.cancel()
        return opened

    app = web.Application()
    app.router.add_get("/ws/live", socket)
    app.router.add_get("/static/{rest:.*}", file)
    app.router.add_get("/{rest:.*}", draw)
    loop, ready, port = asyncio.new_event_loop(), threading.Event(), [0]

    async def start() -> web.AppRunner:
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port[0] = runner.addresses[0][1]
        ready.set()
        return runner

    def run() -> None:
        asyncio.set_event_loop(loop)
        runner = loop.run_until_complete(start())
        loop.run_forever()
        loop.run_until_complete(runner.cleanup())

    thread = threading.Thread(target=run)
    thread.start()
    ready.wait(10)
    try:
        yield f"http://127.0.0.1:{port[0]}/markets/", sent
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)


async def feed(socket: web.WebSocketResponse, symbols: list[str], sent: dict[str, int]) -> None:
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
