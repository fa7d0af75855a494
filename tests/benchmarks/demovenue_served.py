"""The demo exchange on one core, with an empty handler beside its own, for bench_demovenue_orders.

`python -m tests.benchmarks.demovenue_served FOLDER CORE ACCOUNTS` prints one line of JSON (port, keys, price) when it
listens, and runs until it is ended.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from decimal import Decimal
from pathlib import Path

from aiohttp import web

from demovenue.doors.server import Options, build
from demovenue.exchange import Exchange
from demovenue.values import OrderWish

SYMBOL = "PF_XBTUSD"


async def nothing(request: web.Request) -> web.Response:
    await request.read()
    return web.Response(body=b"{}", content_type="application/json")


def wall(exchange: Exchange) -> int:
    """A maker who sells more than all will take, at a price just above the mark. Returns the price."""
    maker = exchange.sign_up().account.uid
    exchange.fund(maker, wallet="flex", currency="usd", amount=Decimal(50_000_000))
    price = int(exchange.ticker(SYMBOL).mark * Decimal("1.0005"))
    wish = OrderWish(
        order_type="lmt", symbol=SYMBOL, side="sell", size=Decimal(100), limit_price=Decimal(price), reduce_only=False
    )
    placed = exchange.send_order(maker, wish)
    assert placed.status == "placed", placed
    return price


async def main(folder: Path, core: int, accounts: int) -> None:
    os.sched_setaffinity(0, {core})
    exchange = Exchange(folder, seed=3)
    app = build(exchange, Options("127.0.0.1", 0, folder, 3, allow_control=False, sockets=100))
    app.router.add_post("/nothing", nothing)
    price = wall(exchange)
    keys = []
    for _ in range(accounts):
        key = exchange.create_key(exchange.sign_up().account.uid, general="full", withdrawal="none")
        keys.append([key.public, key.secret])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    print(json.dumps({"port": port, "keys": keys, "price": price}), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
