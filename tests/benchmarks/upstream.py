"""A pretend exchange of five instruments whose tickers carry the millisecond they were sent at.

`python -m tests.benchmarks.upstream PORT RATE`: RATE tickers a second in all, evenly spread, each with `time` = now.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

from aiohttp import WSMsgType, web

from tests.benchmarks.feed import SYMBOLS

SAMPLES = Path(__file__).parents[1] / "fixtures/kraken/samples"


def instruments() -> dict[str, Any]:
    answer: dict[str, Any] = json.loads((SAMPLES / "rest_instruments.json").read_text())
    kinds = {row["symbol"][:3]: row for row in answer["instruments"] if row["symbol"] in ("PI_XBTUSD", "PF_XBTUSD")}
    answer["instruments"] = [{**kinds[symbol[:3]], "symbol": symbol} for symbol in SYMBOLS]
    return answer


class Upstream:
    def __init__(self, rate: float) -> None:
        self.rate = rate
        self.sockets: set[web.WebSocketResponse] = set()
        self.ticker: dict[str, Any] = json.loads((SAMPLES / "ws_ticker.json").read_text())

    async def list_instruments(self, _request: web.Request) -> web.Response:
        return web.json_response(instruments())

    async def socket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"event": "info", "version": 1})
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                wish = json.loads(message.data)
                for symbol in wish.get("product_ids", [None]):
                    named = {"product_ids": [symbol]} if symbol else {}
                    await socket.send_json({"event": "subscribed", "feed": wish["feed"], **named})
                if wish["feed"] == "ticker":
                    self.sockets.add(socket)
        self.sockets.discard(socket)
        return socket

    async def tick(self) -> None:
        number, began = 0, time.monotonic()
        while True:
            number += 1
            await asyncio.sleep(max(0.0, began + number / self.rate - time.monotonic()))
            fields = {"product_id": SYMBOLS[number % len(SYMBOLS)], "last": 84000 + number % 50}
            line = json.dumps({**self.ticker, **fields, "time": int(time.time() * 1000)})
            for socket in list(self.sockets):
                await socket.send_str(line)

    async def heartbeat(self) -> None:
        while True:
            await asyncio.sleep(1)
            for socket in list(self.sockets):
                await socket.send_json({"feed": "heartbeat", "time": int(time.time() * 1000)})


async def main(port: int, rate: float) -> None:
    upstream = Upstream(rate)
    application = web.Application()
    application.router.add_get("/derivatives/api/v3/instruments", upstream.list_instruments)
    application.router.add_get("/ws/v1", upstream.socket)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await asyncio.gather(upstream.tick(), upstream.heartbeat())


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2])))
