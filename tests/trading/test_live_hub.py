"""The hub and a page's socket: who gets in, what comes first, what is skipped and what never is."""

from __future__ import annotations

import asyncio
import json
import time

import pytest
from asgiref.sync import sync_to_async

from accounts.models import Account, Membership, User
from krakenfutures.events import Disconnected
from tests.trading.live_page import Page, book, cookie_of, hub, page_of, relay, tape, tick, trade
from trading.publish import announce

pytestmark = pytest.mark.django_db(transaction=True)

TICKER = "ticker:demo:PF_XBTUSD"
TRADES = "trades:demo:PF_XBTUSD"
BOOK = "book:demo:PF_XBTUSD"


@pytest.fixture
async def at_home():
    async with hub() as here:
        yield here


@pytest.fixture
async def exchange(at_home):
    async with relay() as speaker:
        yield speaker


@pytest.fixture
def account(desk) -> Account:
    return Account.objects.create(desk=desk, label="Demo", environment="demo")


async def tell(account_id: int, kind: str, **data: object) -> None:
    await sync_to_async(announce)(account_id, kind, data)


# who gets in


@pytest.mark.parametrize("origin", [b"http://evil.example", b"http://127.0.0.1:8100", b"null", b""])
async def test_a_page_of_another_origin_is_refused(origin, owner, at_home):
    page = Page(await cookie_of(owner), origin=origin)
    assert not await page.open()
    assert not at_home.browsers


async def test_nobody_gets_in_without_signing_in(db, at_home):
    page = Page()
    assert await page.open()
    assert (await page.until_closed())["code"] == 4401
    assert not at_home.browsers


async def test_a_member_sees_the_account_and_a_stranger_does_not(owner, stranger, account, exchange):
    stream = f"account:{account.pk}"
    async with page_of(owner) as ours, page_of(stranger) as theirs:
        await ours.watch(stream)
        await theirs.watch(stream, TICKER)
        assert (await ours.first(stream))["d"] == {
            "positions": [],
            "wallets": None,
            "link": ours.messages[-1]["d"]["link"],
        }
        assert "not yours" in (await theirs.first(stream, "no"))["d"]["why"]
        await theirs.first(TICKER)
        await tell(account.pk, "order", id="1")
        assert (await ours.first(stream, "upd"))["d"] == {"id": "1", "kind": "order"}
        await tick_until_heard(exchange, theirs)
        assert not [message for message in theirs.of(stream) if message["k"] != "no"]


async def tick_until_heard(exchange, page) -> None:
    await exchange.say(tick(last="77"))
    await page.until(lambda message: message["s"] == TICKER and message["d"].get("last") == "77")


async def test_a_member_who_is_removed_loses_the_account_within_five_seconds(owner, viewer, account, exchange):
    stream = f"account:{account.pk}"
    async with page_of(viewer) as page, page_of(owner) as other:
        for each in (page, other):
            await each.watch(stream)
            await each.first(stream)
        await sync_to_async(Membership.objects.filter(user=viewer).delete)()
        await asyncio.wait_for(page.first(stream, "no"), 5)
        await tell(account.pk, "order", id="2")
        await other.first(stream, "upd")
        await page.read()
        assert not [message for message in page.of(stream) if message["k"] == "upd"]


@pytest.mark.parametrize("what", ["signs out", "is made inactive", "changes the password"])
async def test_a_socket_ends_with_the_session(what, owner, at_home):
    async with page_of(owner) as page:
        await page.watch(TICKER)
        await page.first(TICKER)

        def end() -> None:
            if what == "signs out":
                from django.contrib.sessions.models import Session

                Session.objects.all().delete()
            elif what == "is made inactive":
                User.objects.filter(pk=owner.pk).update(is_active=False)
            else:
                owner.set_password("another horse, another battery")
                owner.save()

        await sync_to_async(end)()
        assert (await page.until_closed(6))["code"] == 4401


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"do":"dance"}', '{"do":"watch"}', "[" * 10_000])
async def test_a_page_that_talks_nonsense_is_let_go(text, owner, at_home):
    async with page_of(owner) as page:
        await page.wire.send_input({"type": "websocket.receive", "text": text})
        assert (await page.until_closed())["code"] == 4400


@pytest.mark.parametrize("name", ["", "ticker", "ticker:moon:PF_XBTUSD", "book:demo:../x", "account:-1", "account:01"])
async def test_what_is_no_stream_is_refused_and_the_others_still_come(name, owner, at_home):
    async with page_of(owner) as page:
        await page.watch(name, TICKER)
        assert (await page.until(lambda message: message["k"] == "no"))["d"]["stream"] == name
        await page.first(TICKER)


# what comes


async def test_a_snapshot_comes_first_and_then_numbers_that_rise_by_one(owner, exchange):
    await exchange.say(tick(last="1"))
    async with page_of(owner) as page:
        await eventually_knows(exchange, page)
        snapshot = await page.first(TICKER)
        for last in ("2", "3", "4"):
            await exchange.say(tick(last=last))
            update = await page.until(lambda m, last=last: m["k"] == "upd" and m["d"].get("last") == last)
        numbers = [message["n"] for message in page.of(TICKER)]
        assert numbers == list(range(snapshot["n"], update["n"] + 1))
        assert [head["f"] for head in page.heads] == sorted({head["f"] for head in page.heads})
        assert update["t"] <= update["r"] <= page.heads[-1]["now"]


async def eventually_knows(exchange, page) -> None:
    await page.watch(TICKER, "tickers:demo", BOOK, TRADES, "link:demo")
    for stream in (TICKER, "tickers:demo", BOOK, TRADES, "link:demo"):
        await page.first(stream)


async def test_whoever_comes_late_gets_the_whole_state(owner, exchange):
    """Also from a hub that was not there when it was said."""
    await exchange.say(tick(last="5"), tick("PI_XBTUSD", "7"), book("59999.5", "60000"), tape(2, 1))
    async with page_of(owner) as page:
        await eventually_knows(exchange, page)
        assert (await page.first(TICKER))["d"]["last"] == "5"
        assert {name: row["last"] for name, row in (await page.first("tickers:demo"))["d"].items()} == {
            "PF_XBTUSD": "5",
            "PI_XBTUSD": "7",
        }
        assert (await page.first(BOOK))["d"] == {"bids": [["59999.5", "1"]], "asks": [["60000", "1"]]}
        assert [row["id"] for row in (await page.first(TRADES))["d"]["trades"]] == ["trade-2", "trade-1"]


async def test_the_newest_price_wins_and_every_trade_comes(owner, exchange):
    await exchange.say(tick(last="0"), tape(0))
    async with page_of(owner) as page:
        await eventually_knows(exchange, page)
        for number in range(1, 31):
            await exchange.say(tick(last=str(number)), trade(number))
        await page.until(lambda message: message["s"] == TICKER and message["d"]["last"] == "30")
        await page.until(lambda m: m["s"] == TRADES and m["d"]["trades"][0]["id"] == "trade-30")
        updates = [message for message in page.of(TICKER) if message["k"] == "upd"]
        assert len(updates) < 15, "prices are conflated"
        arrived = [row["id"] for m in page.of(TRADES) if m["k"] == "upd" for row in reversed(m["d"]["trades"])]
        assert arrived == [f"trade-{number}" for number in range(1, 31)]


async def test_only_changed_rows_travel(owner, exchange):
    await exchange.say(tick(last="1"), tick("PI_XBTUSD", "2"))
    async with page_of(owner) as page:
        await eventually_knows(exchange, page)
        await exchange.say(tick("PI_XBTUSD", "3", suspended=True))
        update = await page.first("tickers:demo", "upd")
        assert update["d"] == {"PI_XBTUSD": {"last": "3", "tag": "", "suspended": True}}


async def test_a_lost_batch_is_noticed_and_everything_is_read_again(owner, exchange):
    await exchange.say(tick(last="1"))
    async with page_of(owner) as page:
        await eventually_knows(exchange, page)
        await exchange.say(tick(last="2"), lose=True)
        await exchange.say(tick("PI_XBTUSD", "9"))
        again = await page.until(lambda m: m["s"] == TICKER and m["k"] == "snap" and m["d"].get("last") == "2")
        assert again["n"] >= page.of(TICKER)[0]["n"]


async def test_a_page_that_saw_a_gap_asks_and_gets_a_snapshot(owner, exchange):
    await exchange.say(tick(last="1"))
    async with page_of(owner) as page:
        await eventually_knows(exchange, page)
        await page.say(do="resync", stream=TICKER)
        await page.until(lambda message: len([m for m in page.of(TICKER) if m["k"] == "snap"]) == 2)


async def test_another_relay_takes_over_and_the_numbers_go_on(owner, exchange):
    await exchange.say(tick(last="1"))
    async with page_of(owner) as page, relay(epoch="second") as successor:
        await eventually_knows(exchange, page)
        await successor.say(tick(last="2"))
        again = await page.until(lambda m: m["s"] == TICKER and m["d"].get("last") == "2")
        assert again["k"] == "snap"


async def test_a_book_without_its_next_number_is_void(owner, exchange):
    await exchange.say(book("1", "2"))
    async with page_of(owner) as page:
        await eventually_knows(exchange, page)
        await exchange.say(Disconnected(why="gone", retry_in=1))
        assert (await page.first(BOOK, "upd"))["d"] == {"bids": [], "asks": [], "gap": True}


async def test_a_page_hears_something_every_second(owner, at_home):
    async with page_of(owner) as page:
        await asyncio.sleep(2.2)
        for _ in range(2):
            await page.read(timeout=1)
        assert len(page.heads) >= 2


async def test_a_silent_relay_shows_as_down(owner, exchange):
    await exchange.say(link={"state": "live", "heard_at": 1, "why": "", "relay_at": 1, "healed": 3})
    async with page_of(owner) as page:
        await eventually_knows(exchange, page)
        down = await page.until(lambda m: m["s"] == "link:demo" and m["d"]["state"] == "down")
        assert down["d"]["healed"] == 3
        assert "relay" in down["d"]["why"]


async def test_what_is_looked_at_is_told_in_the_store(owner, exchange):
    async with page_of(owner) as page:
        await page.watch("book:demo:PI_ETHUSD")
        await page.first("book:demo:PI_ETHUSD")

        async def wanted() -> bool:
            return b"PI_ETHUSD" in await exchange.store.zrange("kfweb:live:demo:wanted", 0, -1)

        async with asyncio.timeout(3):
            while not await wanted():
                await asyncio.sleep(0.02)


# what is never lost


async def test_every_event_of_an_account_arrives_in_order(owner, account, exchange):
    stream = f"account:{account.pk}"
    async with page_of(owner) as page:
        await page.watch(stream)
        first = await page.first(stream)
        for number in range(300):
            await tell(account.pk, "fill", id=number)
        await page.until(lambda message: message["d"].get("id") == 299)
        updates = [message for message in page.of(stream) if message["k"] == "upd"]
        assert [message["d"]["id"] for message in updates] == list(range(300))
        assert [message["n"] for message in updates] == list(range(first["n"] + 1, first["n"] + 301))


async def test_a_page_in_the_background_is_slower_and_loses_no_fill(owner, account, exchange):
    stream = f"account:{account.pk}"
    async with page_of(owner) as page:
        await page.watch(stream, TICKER)
        await page.first(stream)
        sent = 0
        for hidden in (True, False, True, False):
            await page.say(do="pace", hidden=hidden)
            for _ in range(20):
                await tell(account.pk, "fill", id=sent)
                sent += 1
                await asyncio.sleep(0.005)
        await page.until(lambda message: message["d"].get("id") == sent - 1)
        arrived = [message["d"]["id"] for message in page.of(stream) if message["k"] == "upd"]
        assert arrived == list(range(sent))


async def test_a_background_page_gets_few_frames(owner, exchange):
    await exchange.say(tick(last="0"))
    async with page_of(owner) as page:
        await eventually_knows(exchange, page)
        await page.say(do="pace", hidden=True)
        await asyncio.sleep(1.1)
        before, began = len(page.of(TICKER)), time.monotonic()
        for number in range(60):
            await exchange.say(tick(last=str(number)))
            await asyncio.sleep(0.03)
        await page.until(lambda message: message["s"] == TICKER and message["d"].get("last") == "59")
        assert len(page.of(TICKER)) - before <= time.monotonic() - began + 3


async def test_a_lost_announcement_brings_a_new_snapshot(owner, account, exchange):
    stream = f"account:{account.pk}"
    async with page_of(owner) as page:
        await page.watch(stream)
        await page.first(stream)
        await tell(account.pk, "order", id="a")
        await page.first(stream, "upd")
        await exchange.store.incr(f"kfweb:live:account:{account.pk}:number")  # counted, and lost on the way
        await tell(account.pk, "order", id="c")
        await page.until(lambda message: message["d"].get("id") == "c")
        await page.until(lambda _: len([m for m in page.of(stream) if m["k"] == "snap"]) == 2)


async def test_the_last_announcement_lost_is_noticed_by_the_relays_count(owner, account, exchange):
    stream = f"account:{account.pk}"
    link = json.dumps({"state": "live"}).encode()
    async with page_of(owner) as page:
        await page.watch(stream)
        await page.first(stream)
        for count in (4, 5, 5):
            await exchange.say(accounts={str(account.pk): (link, count)})
        await page.until(lambda _: len([m for m in page.of(stream) if m["k"] == "snap"]) == 2)


# those who do not keep up


async def test_a_page_that_never_acknowledges_gets_snapshots_and_then_is_let_go(owner, viewer, exchange, monkeypatch):
    monkeypatch.setattr("trading.live.browser.UNSEEN_BYTES", 5_000)
    monkeypatch.setattr("trading.live.hub.GRACE_SECONDS", 4.0)
    await exchange.say(tick(last="0"))
    async with page_of(owner) as deaf, page_of(viewer) as well:
        for page in (deaf, well):
            await eventually_knows(exchange, page)
        for number in range(160):
            await exchange.say(tick(last=str(number)))
            await asyncio.sleep(0.05)
            if number % 5 == 0:
                await well.until(lambda m, number=number: m["d"].get("last") == str(number))
                await well.say(do="ack", f=well.heads[-1]["f"])
        closed = await deaf.until_closed()
        assert (closed["code"], closed["reason"]) == (4408, "this browser does not keep up")
        kinds = [message["k"] for message in deaf.of(TICKER)]
        assert kinds.index("upd") < len(kinds) - 1
        assert kinds[-1] == "snap", "the last it got were snapshots"
        assert well.closed is None
        assert [m["n"] for m in well.of(TICKER)] == list(range(well.of(TICKER)[0]["n"], well.of(TICKER)[-1]["n"] + 1))


async def test_a_page_that_catches_up_goes_on_and_has_lost_no_fill(owner, account, exchange, monkeypatch):
    monkeypatch.setattr("trading.live.browser.UNSEEN_BYTES", 3_000)
    stream = f"account:{account.pk}"
    async with page_of(owner) as page:
        await page.watch(stream, TICKER)
        await page.first(stream)
        for number in range(60):
            await tell(account.pk, "fill", id=number)
            await asyncio.sleep(0.03)
        await page.until(lambda message: message["d"].get("id") == 10)
        await page.say(do="ack", f=10**9)
        await page.until(lambda message: message["d"].get("id") == 59)
        arrived = [m["d"]["id"] for m in page.of(stream) if m["k"] == "upd"]
        assert arrived == list(range(60))


async def test_a_room_stays_while_the_database_is_asked(owner, account, at_home):
    stream = f"account:{account.pk}"
    async with page_of(owner) as page:
        await page.read()
        (browser,) = at_home.browsers
        asking = asyncio.create_task(at_home.watch(browser, [stream]))
        while not asking.done():
            at_home._close_rooms()
            await asyncio.sleep(0)
        await asking
        await page.first(stream)


async def test_a_page_may_not_watch_without_end(owner, at_home):
    async with page_of(owner) as page:
        await page.watch(*(f"ticker:demo:PF_{number}USD" for number in range(290)))
        await page.first("ticker:demo:PF_289USD")
        await page.watch(*(f"book:demo:PF_{number}USD" for number in range(20)))
        await page.until(lambda message: message["k"] == "no" and message["d"]["stream"] == "book:demo:PF_19USD")
        (browser,) = at_home.browsers
        assert len(browser.streams) == 300
