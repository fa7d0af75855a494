"""The relay against a real demo exchange: what it says there is what a page sees here, and its absence shows."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from decimal import Decimal

import pytest
import redis.asyncio
from asgiref.sync import sync_to_async
from django.conf import settings

from accounts import vault
from accounts.actions.keys import add_key, retire_key
from tests.trading.live_page import hub, page_of
from tests.venue_process import DemoVenue, start_demovenue
from trading.live.crew import Crew
from trading.live.latest import latest_tickers, link_state
from trading.live.relay import Relay
from trading.management.commands.relay import doors
from trading.models import Fill, Order

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.venue]

SYMBOL = "PF_XBTUSD"


@pytest.fixture(scope="module")
def shared_venue(tmp_path_factory):
    venue = start_demovenue(tmp_path_factory.mktemp("demovenue"))
    yield venue
    venue.stop()


@pytest.fixture
def venue(shared_venue, settings, db) -> DemoVenue:
    settings.DEMO_URL = shared_venue.url
    vault.prepare()
    yield shared_venue
    shared_venue.clear_faults()


@asynccontextmanager
async def active_relay():
    store = redis.asyncio.Redis.from_url(settings.REDIS_URL)
    crew = Crew()
    crew.add(Relay("demo", doors("demo"), store).run())
    try:
        yield crew
    finally:
        await crew.end(patience=2)
        await store.aclose()


@pytest.fixture
async def at_home():
    async with hub() as here:
        yield here


@pytest.fixture
def funded(venue, desk, owner):
    """An account of the demo exchange whose key the desk has."""
    account = venue.signup()
    key = add_key(
        desk, by=owner, label="Demo", environment="demo", public_key=account.key.public, secret=account.key.private
    )
    return account, key


def is_link(state: str):
    return lambda message: message["s"] == "link:demo" and message["d"]["state"] == state


async def test_a_page_sees_what_the_exchange_says(venue, owner, at_home):
    async with active_relay(), page_of(owner) as page:
        names = [f"{kind}:demo:{SYMBOL}" for kind in ("ticker", "book", "trades")]
        await page.watch(*names, "tickers:demo", "link:demo")
        await page.until(is_link("live"), seconds=10)
        book = await page.until(lambda m: m["s"] == names[1] and m["d"].get("bids"), seconds=10)
        assert Decimal(book["d"]["bids"][0][0]) < Decimal(book["d"]["asks"][0][0])
        assert len(book["d"]["bids"]) <= 25
        await page.until(lambda m: m["s"] == names[2] and m["d"]["trades"], seconds=10)
        ticker = await page.until(lambda m: m["s"] == names[0] and m["d"].get("mark"), seconds=10)
        assert abs(time.time() * 1000 - ticker["r"]) < 2000
        rows = await page.until(lambda m: m["s"] == "tickers:demo" and SYMBOL in m["d"], seconds=10)
        assert {"bid", "ask", "mark", "index"} <= rows["d"][SYMBOL].keys()
        known = await asyncio.to_thread(latest_tickers, "demo")
        listed = {row["symbol"] for row in venue.get("/derivatives/api/v3/instruments").json()["instruments"]}
        assert known.keys() <= listed
        assert len(known) > 5
        assert (await asyncio.to_thread(link_state, "demo"))["state"] == "live"


async def test_a_frozen_exchange_is_stale_within_five_seconds_and_heals_by_itself(venue, owner, at_home):
    async with active_relay(), page_of(owner) as page:
        await page.watch("link:demo")
        await page.until(is_link("live"), seconds=10)
        await asyncio.to_thread(venue.fault, "ws_freeze", seconds=7)
        frozen = time.monotonic()
        stale = await page.until(is_link("stale"), seconds=8)
        assert time.monotonic() - frozen < 5
        assert "says nothing" in stale["d"]["why"]
        seen = len(page.messages)
        await page.until(lambda m: m in page.messages[seen:] and is_link("live")(m), seconds=20)


async def test_a_dropped_socket_is_made_anew_and_the_book_with_it(venue, owner, at_home):
    book = f"book:demo:{SYMBOL}"
    async with active_relay(), page_of(owner) as page:
        await page.watch(book, "link:demo")
        await page.until(lambda m: m["s"] == book and m["d"].get("bids"), seconds=10)
        await asyncio.to_thread(venue.fault, "ws_drop", count=1)
        await page.until(lambda m: m["s"] == book and m["d"].get("gap"), seconds=10)
        seen = len(page.messages)
        await page.until(lambda m: m["s"] == book and m in page.messages[seen:] and m["d"]["bids"], seconds=15)


async def test_an_order_made_elsewhere_becomes_a_row_and_reaches_the_page(venue, owner, funded, at_home):
    account, key = funded
    stream = f"account:{key.account_id}"
    async with active_relay(), page_of(owner) as page:
        await page.watch(stream)
        await page.until(lambda m: m["d"].get("kind") == "link" and m["d"]["state"] == "live", seconds=15)
        await asyncio.to_thread(
            venue.order, account.key, orderType="mkt", symbol=SYMBOL, side="buy", size="0.01", cliOrdId="elsewhere"
        )
        await page.until(lambda m: m["d"].get("kind") == "fill", seconds=10)
        await page.until(lambda m: m["d"].get("kind") == "positions", seconds=10)
        fills = await sync_to_async(list)(Fill.objects.filter(account_id=key.account_id))
        ledger = await asyncio.to_thread(venue.ledger, account)
        assert {fill.venue_fill_id for fill in fills} == {row["fill_id"] for row in ledger["fills"]}


async def test_what_happened_while_away_is_found_and_counted(venue, owner, funded, at_home):
    account, key = funded
    stream = f"account:{key.account_id}"
    async with active_relay(), page_of(owner) as page:
        await page.watch(stream, "link:demo")
        await page.until(lambda m: m["d"].get("kind") == "link" and m["d"]["state"] == "live", seconds=15)
        await asyncio.to_thread(venue.fault, "ws_freeze", seconds=60, key=account.key.public)
        await asyncio.to_thread(
            venue.order, account.key, orderType="mkt", symbol=SYMBOL, side="buy", size="0.01", cliOrdId="while-away"
        )
        resting = {"orderType": "lmt", "side": "buy", "size": "0.01", "limitPrice": "20000", "cliOrdId": "resting"}
        await asyncio.to_thread(lambda: venue.order(account.key, symbol=SYMBOL, **resting))
        await asyncio.sleep(1)
        await asyncio.to_thread(venue.clear_faults)
        await asyncio.to_thread(venue.fault, "ws_drop", count=1, key=account.key.public)
        await page.until(lambda m: m["s"] == stream and m["d"].get("kind") == "fill", seconds=40)
        ledger = await asyncio.to_thread(venue.ledger, account)
        fills = await sync_to_async(list)(Fill.objects.filter(account_id=key.account_id))
        assert {fill.venue_fill_id for fill in fills} == {row["fill_id"] for row in ledger["fills"]}
        async with asyncio.timeout(10):  # orders are read after fills
            while not await sync_to_async(Order.objects.filter(client_order_id="resting").count)():
                await asyncio.sleep(0.1)


async def test_a_new_key_is_followed_and_a_retired_one_let_go_within_two_seconds(venue, owner, desk, at_home):
    async with active_relay(), page_of(owner) as page:
        await page.watch("link:demo")
        await page.until(is_link("live"), seconds=10)
        account = await asyncio.to_thread(venue.signup)
        key = await sync_to_async(add_key)(
            desk, by=owner, label="New", environment="demo", public_key=account.key.public, secret=account.key.private
        )
        stream = f"account:{key.account_id}"
        added = time.monotonic()
        await page.watch(stream)
        await page.until(lambda m: m["d"].get("kind") == "link", seconds=5)
        assert time.monotonic() - added < 3
        await page.until(lambda m: m["d"].get("kind") == "link" and m["d"]["state"] == "live", seconds=10)
        await sync_to_async(retire_key)(key, by=owner)
        await asyncio.sleep(2.5)
        seen = len(page.of(stream))
        await asyncio.sleep(1.5)
        await page.say(do="resync", stream="link:demo")
        await page.until(lambda m: m["s"] == "link:demo" and m["k"] == "snap" and m is not page.of("link:demo")[0])
        late = [m for m in page.of(stream)[seen:] if m["d"].get("kind") == "link"]
        assert len(late) <= 3, "the link of a retired key is told no more"


async def test_one_of_two_relays_serves_and_the_other_takes_over_within_five_seconds(venue, owner, at_home):
    async with page_of(owner) as page:
        await page.watch("ticker:demo:PF_XBTUSD", "link:demo")
        async with active_relay() as first:
            await page.until(is_link("live"), seconds=10)
            async with active_relay() as second:
                await asyncio.sleep(2)
                assert second.tasks
                assert len(await leases()) == 1
                holder = await leases()
                await first.end(patience=2)
                ended = time.monotonic()
                seen = len(page.messages)
                await page.until(lambda m: m in page.messages[seen:] and m["s"] == "ticker:demo:PF_XBTUSD", seconds=10)
                assert time.monotonic() - ended < 5
                assert await leases() != holder


async def test_a_relay_that_died_without_a_word_is_replaced_within_five_seconds(venue, owner, at_home):
    store = redis.asyncio.Redis.from_url(settings.REDIS_URL)
    await store.set("kfweb:live:demo:lease", "a relay that was killed", px=3500)
    began = time.monotonic()
    async with active_relay():
        while b"a relay that was killed" in await leases() or not await leases():
            await asyncio.sleep(0.05)
        assert time.monotonic() - began < 5
    await store.aclose()


async def leases() -> list[bytes]:
    store = redis.asyncio.Redis.from_url(settings.REDIS_URL)
    try:
        value = await store.get("kfweb:live:demo:lease")
        return [value] if value else []
    finally:
        await store.aclose()
