"""The demo exchange with a busy account and a quiet one, for bench_demovenue_history.

`python -m tests.benchmarks.demovenue_historic FOLDER MANY FEW` prints one line of JSON when it listens: the port, and
the keys of the account with MANY fills and of the one with FEW.
"""

from __future__ import annotations

import asyncio
import json
import sys
from decimal import Decimal
from pathlib import Path

from aiohttp import web

from demovenue.doors.server import Options, build
from demovenue.exchange import Exchange
from demovenue.values import OrderWish

SYMBOL = "PF_XBTUSD"
AT_ONCE = 250


def wish(side: str, price: Decimal, *, kind: str = "ioc", size: str = "0.0001") -> OrderWish:
    return OrderWish(
        order_type=kind, symbol=SYMBOL, side=side, size=Decimal(size), limit_price=price, reduce_only=False
    )


def trade(exchange: Exchange, account: str, fills: int) -> None:
    """Buys and sells in turn, against walls on both sides of the mark."""
    maker = exchange.sign_up().account.uid
    exchange.fund(maker, wallet="flex", currency="usd", amount=Decimal(90_000_000))
    mark = exchange.set_mark(SYMBOL, percent=Decimal(0))  # held: a wall the price walks away from is no wall
    above, below = (mark * Decimal("1.0002") // 1, mark * Decimal("0.9998") // 1)
    for side, price in (("sell", above), ("buy", below)):
        for _ in range(2):
            assert exchange.send_order(maker, wish(side, price, kind="lmt", size="50")).status == "placed"
    turns = [wish("buy", above), wish("sell", below)] * (AT_ONCE // 2)
    while fills > 0:
        done = exchange.batch(account, turns[:fills])
        fills -= sum(event.type == "EXECUTION" for one in done for event in one.events)
    exchange.cancel_all(maker)
    exchange.release_mark(SYMBOL)


async def main(folder: Path, many: int, few: int) -> None:
    exchange = Exchange(folder, seed=3)
    keys = []
    for fills in (many, few):
        account = exchange.sign_up().account.uid
        exchange.fund(account, wallet="flex", currency="usd", amount=Decimal(1_000_000))
        trade(exchange, account, fills)
        key = exchange.create_key(account, general="read", withdrawal="none")
        keys.append([key.public, key.secret])
    app = build(exchange, Options("127.0.0.1", 0, folder, 3, allow_control=False, sockets=100))
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(json.dumps({"port": runner.addresses[0][1], "keys": keys}), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
