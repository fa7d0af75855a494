"""A real page and its files, with a socket that speaks the hub's protocol as fast as a benchmark wants."""

from __future__ import annotations

import asyncio
import statistics
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from aiohttp import WSMsgType, web

from tests.benchmarks.served import Served

Feed = Callable[[web.WebSocketResponse], Awaitable[None]]
Answers = Callable[[web.Request], web.Response | None]

# Gaps between frames, and tasks that held the page up, for so many seconds.
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


def each_second(gaps: list[float]) -> list[float]:
    """Frames in each whole second, so that a stall counts as the seconds it took."""
    seconds, count, passed = [], 0, 0.0
    for gap in gaps:
        count, passed = count + 1, passed + gap
        if passed >= 1000:
            seconds.append(count * 1000 / passed)
            count, passed = 0, 0.0
    return seconds


def median_frames(gaps: list[float]) -> float:
    return statistics.median(each_second(gaps))


@contextmanager
def feeding(served: Served, address: str, feed: Feed, answers: Answers = lambda _request: None) -> Iterator[str]:
    """The address of the page. `answers` may stand in for what only a venue could tell."""
    _, headers, page = served.get(address)

    async def draw(request: web.Request) -> web.Response:
        if request.path == address:
            policy = {"Content-Security-Policy": headers["Content-Security-Policy"]}
            return web.Response(body=page, content_type="text/html", charset="utf-8", headers=policy)
        return answers(request) or await file(request)

    async def file(request: web.Request) -> web.Response:
        _, headers, body = await asyncio.to_thread(served.get, request.path_qs)
        kept = {name: value for name, value in headers.items() if name in {"Content-Type", "Content-Encoding"}}
        return web.Response(body=body, headers=kept)

    async def socket(request: web.Request) -> web.WebSocketResponse:
        opened = web.WebSocketResponse()
        await opened.prepare(request)
        feeder = asyncio.ensure_future(feed(opened))
        async for message in opened:
            if message.type is not WSMsgType.TEXT:
                break
        feeder.cancel()
        return opened

    app = web.Application()
    app.router.add_get("/ws/live", socket)
    app.router.add_get("/static/{rest:.*}", file)
    app.router.add_get("/{rest:.*}", draw)
    with listening(app) as port:
        yield f"http://127.0.0.1:{port}{address}"


@contextmanager
def listening(app: web.Application) -> Iterator[int]:
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
        yield port[0]
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
