"""ccxt's socket client on demovenue, unchanged but for the addresses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.demovenue.test_ccxt_sync import LINEAR, addresses
from tests.venue_process import DemoAccount, DemoVenue

pro = pytest.importorskip("ccxt.pro")
pytestmark = [pytest.mark.venue, pytest.mark.clients]
PATIENCE = 20  # seconds


@pytest_asyncio.fixture
async def client(venue: DemoVenue, account: DemoAccount) -> AsyncIterator[Any]:
    made = pro.krakenfutures({"apiKey": account.key.public, "secret": account.key.private})
    made.urls["api"] = addresses(venue)
    await made.load_markets()
    yield made
    await made.close()


async def _soon(waiting: Any) -> Any:
    return await asyncio.wait_for(waiting, PATIENCE)


async def test_public_feeds(client: Any) -> None:
    ticker = await _soon(client.watch_ticker(LINEAR))
    assert ticker["last"] > 0
    for _ in range(5):
        book = await _soon(client.watch_order_book(LINEAR))
        assert book["bids"][0][0] < book["asks"][0][0]
    assert await _soon(client.watch_trades(LINEAR))


async def test_private_feeds(client: Any, venue: DemoVenue, account: DemoAccount) -> None:
    price = int(venue.ticker("PF_XBTUSD")["markPrice"] * 0.97)
    watching = asyncio.create_task(client.watch_orders())
    await asyncio.sleep(1)
    order = await client.create_order(LINEAR, "limit", "buy", 0.01, price)
    orders = await _soon(watching)
    assert order["id"] in [one["id"] for one in orders]
    assert await _soon(client.watch_my_trades()) == []
    fills = asyncio.create_task(client.watch_my_trades())
    positions = asyncio.create_task(client.watch_positions())
    await asyncio.sleep(1)
    await client.create_order(LINEAR, "market", "buy", 0.01)
    assert (await _soon(fills))[-1]["symbol"] == LINEAR
    assert await _soon(positions) is not None
    assert await _soon(client.watch_balance())
