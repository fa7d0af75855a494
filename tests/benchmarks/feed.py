"""Speaks as the relay does: `python -m tests.benchmarks.feed KIND RATE`, KIND hub or textbook, RATE in ticks a second.

For the hub the ticks of every 20 ms travel as one batch; for the textbook each tick is a `group_send`.
"""

from __future__ import annotations

import asyncio
import sys
import time
from datetime import UTC, datetime
from decimal import Decimal

import django

SYMBOLS = ("PF_XBTUSD", "PF_ETHUSD", "PF_SOLUSD", "PI_XBTUSD", "PI_ETHUSD")
STEP = 0.02


def textbook_tick(number: int) -> dict[str, object]:
    symbol = SYMBOLS[number % len(SYMBOLS)]
    price = str(60000 + number % 500)
    at = int(time.time() * 1000)
    return {
        "id": f"t{number}",
        "symbol": symbol,
        "side": "buy",
        "price": price,
        "size": "0.25",
        "at": at,
        "kind": "fill",
    }


async def feed_textbook(rate: float) -> None:
    from channels.layers import get_channel_layer

    layer, number, began = get_channel_layer(), 0, time.monotonic()
    while True:
        while number < (time.monotonic() - began) * rate:
            tick = textbook_tick(number)
            await layer.group_send(f"ticks.{tick['symbol']}", {"type": "tick", "tick": tick})
            number += 1
        await asyncio.sleep(0.001)


async def feed_hub(rate: float) -> None:
    import redis.asyncio
    from channels.layers import get_channel_layer
    from django.conf import settings

    from krakenfutures.events import Connected, TradesSnapshot
    from trading.live.market import Market
    from trading.live.stored import write_stored
    from trading.live.streams import market_group

    layer, store = get_channel_layer(), redis.asyncio.Redis.from_url(settings.REDIS_URL)
    market = Market("demo", f"bench-{time.time()}")
    market.follow(frozenset(SYMBOLS))
    market.hear(Connected(attempt=1))
    for symbol in SYMBOLS:
        market.hear(TradesSnapshot(symbol=symbol, trades=()))
    number, began, told = 0, time.monotonic(), 0.0
    while True:
        now = time.monotonic()
        while number < (now - began) * rate:
            hear_trade(market, number)
            number += 1
        link, told = (market.link.json(), now) if now - told > 1 else (None, told)
        batch = market.take(link, {})
        await write_stored(store, batch, market.tape)
        await layer.group_send(market_group("demo"), batch)
        await asyncio.sleep(max(0.001, STEP - (time.monotonic() - now)))


def hear_trade(market: object, number: int) -> None:
    from krakenfutures.values import Side, Trade

    market.hear(  # type: ignore[attr-defined]
        Trade(
            symbol=SYMBOLS[number % len(SYMBOLS)],
            id=f"t{number}",
            side=Side.BUY,
            price=Decimal(60000 + number % 500),
            size=Decimal("0.25"),
            at=datetime.now(UTC),
        )
    )


if __name__ == "__main__":
    django.setup()
    asyncio.run({"hub": feed_hub, "textbook": feed_textbook}[sys.argv[1]](float(sys.argv[2])))
