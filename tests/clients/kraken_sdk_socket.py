"""Run by the client's own Python: every feed of python-kraken-sdk, heard while an order is placed and one filled.

Argument: JSON with `url`, `host` (of the socket), `public`, `private`. Prints one line of JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import defaultdict
from typing import Any

from kraken.futures import FuturesWSClient, Trade

WISH = json.loads(sys.argv[1])
LINEAR = "PF_XBTUSD"
PUBLIC = ("ticker", "ticker_lite", "trade", "book")
PRIVATE = (
    "fills",
    "open_positions",
    "open_orders",
    "open_orders_verbose",
    "balances",
    "account_log",
    "notifications_auth",
)


class Ear(FuturesWSClient):
    """Keeps what was heard, by feed; acknowledgements and alerts by event."""

    def __init__(self, **options: Any) -> None:
        self.heard: dict[str, list[dict[str, Any]]] = defaultdict(list)
        super().__init__(**options)

    async def on_message(self, event: dict[str, Any]) -> None:
        self.heard[event.get("event") or event["feed"]].append(event)

    async def until(self, feed: str, count: int = 1) -> list[dict[str, Any]]:
        for _ in range(200):
            if len(self.heard[feed]) >= count:
                return self.heard[feed]
            await asyncio.sleep(0.1)
        raise TimeoutError(f"{feed}: {len(self.heard[feed])} of {count}; heard {sorted(self.heard)}")


async def listen() -> dict[str, Any]:
    keys = {"key": WISH["public"], "secret": WISH["private"]}
    trade = Trade(**keys, url=WISH["url"])
    async with Ear(**keys, url=WISH["host"]) as ear:
        for feed in PUBLIC:
            await ear.subscribe(feed, products=[LINEAR])
        await ear.subscribe("heartbeat")
        for feed in PRIVATE:
            await ear.subscribe(feed)
        await ear.until("subscribed", len(PUBLIC) + 1 + len(PRIVATE))
        mark = (await ear.until("ticker"))[-1]["markPrice"]
        resting = await asyncio.to_thread(
            trade.create_order, orderType="lmt", symbol=LINEAR, side="buy", size=0.01, limitPrice=int(mark * 0.97)
        )
        await asyncio.to_thread(trade.create_order, orderType="mkt", symbol=LINEAR, side="buy", size=0.01)
        await asyncio.to_thread(trade.cancel_order, order_id=resting["sendStatus"]["order_id"])
        await ear.until("fills")
        await ear.until("open_orders", 2)
        await ear.until("account_log", 2)
        await ear.until("balances")
        await ear.until("open_positions", 2)
        await ear.until("heartbeat", 2)
        await ear.until("book", 20)
        await ear.unsubscribe("book", products=[LINEAR])
        await ear.unsubscribe("fills")
        await ear.until("unsubscribed", 2)
        return {
            "heard": {feed: len(messages) for feed, messages in ear.heard.items()},
            "subscriptions": ear.get_active_subscriptions(),
            "sequence": [ear.heard["book_snapshot"][0]["seq"], *(one["seq"] for one in ear.heard["book"])],
            "fills": [one["fill_id"] for message in ear.heard["fills"] for one in message["fills"]],
            "orders": [[one["reason"], one["is_cancel"]] for one in ear.heard["open_orders"]],
            "alerts": ear.heard.get("alert", []),
        }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(listen())))
