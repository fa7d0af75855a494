"""The demo exchange with five books that change fifty times a second each, for bench_demovenue_feeds.

`python -m tests.benchmarks.demovenue_feeding FOLDER CORE SOCKETS` prints its port when it listens, runs until ended.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from decimal import Decimal
from pathlib import Path

from aiohttp import web

from demovenue.doors.server import Options, build
from demovenue.exchange import Exchange
from demovenue.values import CancelWish, OrderWish

SYMBOLS = ("PF_XBTUSD", "PF_ETHUSD", "PF_XRPUSD", "PF_SOLUSD", "PF_LTCUSD")
A_SECOND = 50


class Mover:
    """One book: an order comes and goes, well below the market, and each time one level changes."""

    def __init__(self, exchange: Exchange, symbol: str) -> None:
        self._exchange = exchange
        self._account = exchange.sign_up().account.uid
        listed = exchange.instrument(symbol)
        assert listed is not None
        price = exchange.ticker(symbol).mark * Decimal("0.97") // listed.tick * listed.tick
        self._wish = OrderWish(
            order_type="lmt", symbol=symbol, side="buy", size=listed.lot * 10, limit_price=price, reduce_only=False
        )
        self._order: str | None = None

    def move(self) -> None:
        if self._order is None:
            self._order = self._exchange.send_order(self._account, self._wish).order_id
        else:
            self._exchange.cancel_order(self._account, CancelWish(order_id=self._order))
            self._order = None


async def move_for_ever(movers: list[Mover]) -> None:
    """By the clock, not by pauses: what is late is made up for."""
    began, made = time.monotonic(), 0
    while True:
        while made < (time.monotonic() - began) * A_SECOND:
            made += 1
            for mover in movers:
                mover.move()
        await asyncio.sleep(0.005)


async def main(folder: Path, core: int, sockets: int) -> None:
    os.sched_setaffinity(0, {core})
    exchange = Exchange(folder, seed=3)
    app = build(exchange, Options("127.0.0.1", 0, folder, 3, allow_control=False, sockets=sockets))
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await move_for_ever([Mover(exchange, symbol) for symbol in SYMBOLS])


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
