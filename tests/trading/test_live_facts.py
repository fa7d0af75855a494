"""The bell, the end of the book and who looks at what, as a page's socket hears of them."""

from __future__ import annotations

import asyncio
import time

import pytest
from asgiref.sync import sync_to_async

from accounts.actions.audit import record
from accounts.actions.notices import mark_read, notify
from accounts.models import Desk, Membership, Notice, Topic, User
from accounts.store import store
from tests.trading.live_page import Page, hub, page_of
from trading.live.facts import TERM_SECONDS, place

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
async def at_home():
    async with hub() as here:
        yield here


def tell(person: User, desk: Desk | None) -> Notice:
    return notify([person], topic=Topic.ALERT, kind="margin", text="Margin.", desk=desk)[0]


async def heard(page: Page, stream: str, **wanted: object) -> dict[str, object]:
    found = await page.until(lambda m: m["s"] == stream and wanted.items() <= m["d"].items())
    return found["d"]


async def test_the_bell_counts_ones_own_unread_within_two_seconds(owner, trader, desk, at_home):
    stream = f"person:{owner.pk}"
    await sync_to_async(tell)(owner, desk)
    async with page_of(owner) as page:
        await page.watch(stream)
        first = (await page.first(stream))["d"]
        assert first["unread"] == 1
        await sync_to_async(tell)(trader, desk)
        told = await sync_to_async(tell)(owner, None)
        began = time.monotonic()
        await heard(page, stream, unread=2, last=told.pk)
        assert time.monotonic() - began < 2.5
        await sync_to_async(mark_read)(owner)
        await heard(page, stream, unread=0)


async def test_the_bell_forgets_what_a_desk_told_somebody_who_left(owner, desk, at_home):
    stream = f"person:{owner.pk}"
    await sync_to_async(tell)(owner, desk)
    async with page_of(owner) as page:
        await page.watch(stream)
        await heard(page, stream, unread=1)
        await sync_to_async(Membership.objects.filter(user=owner).delete)()
        await heard(page, stream, unread=0)


async def test_nobody_watches_somebody_elses_bell_or_another_desk(owner, viewer, stranger, desk, at_home):
    async with page_of(stranger) as page, page_of(viewer) as member:
        await page.watch(f"person:{owner.pk}", f"desk:{desk.pk}")
        assert "not you" in (await page.first(f"person:{owner.pk}", "no"))["d"]["why"]
        assert "not yours" in (await page.first(f"desk:{desk.pk}", "no"))["d"]["why"]
        await member.watch(f"desk:{desk.pk}", f"person:{owner.pk}")
        assert "book" in (await member.first(f"desk:{desk.pk}"))["d"]
        assert "not you" in (await member.first(f"person:{owner.pk}", "no"))["d"]["why"]


async def test_the_book_rises_with_every_row(owner, desk, at_home):
    stream = f"desk:{desk.pk}"
    async with page_of(owner) as page:
        await page.watch(stream)
        before = (await page.first(stream))["d"]["book"]
        await sync_to_async(record)(owner, "desk.looked_at", desk, desk=desk)
        await heard(page, stream, book=before + 1)


async def test_who_looks_at_what_is_seen_and_ends_with_the_socket(owner, trader, desk, at_home):
    stream, other = f"desk:{desk.pk}", trader.pk
    async with page_of(owner) as page:
        await page.watch(stream)
        await page.first(stream)
        async with page_of(trader) as theirs:
            await theirs.watch(stream)
            line = {"id": other, "name": "trader@example.test", "page": "instrument", "symbol": "PF_XBTUSD"}
            at_home_page = line | {"page": "overview", "symbol": ""}
            for words, seen in (
                ({"do": "look", "page": "instrument", "symbol": "PF_XBTUSD"}, [line]),
                ({"do": "look", "page": "overview", "symbol": ""}, [at_home_page]),
                ({"do": "pace", "hidden": True}, []),
                ({"do": "pace", "hidden": False}, [at_home_page]),
            ):
                page.messages.clear()  # what was so before proves nothing
                await theirs.say(**words)
                await heard(page, stream, here=seen)
            page.messages.clear()
        await heard(page, stream, here=[])
        assert await sync_to_async(lambda: store().zcard(place(desk.pk)))() == 0


async def test_who_is_removed_is_neither_seen_nor_sees(owner, viewer, desk, at_home):
    stream = f"desk:{desk.pk}"
    async with page_of(owner) as page, page_of(viewer) as gone:
        for each in (page, gone):
            await each.watch(stream)
            await each.first(stream)
        await gone.say(do="look", page="overview", symbol="")
        await page.until(lambda m: m["s"] == stream and len(m["d"]["here"]) == 1)
        await sync_to_async(Membership.objects.filter(user=viewer).delete)()
        assert "no longer" in (await asyncio.wait_for(gone.first(stream, "no"), 5))["d"]["why"]
        await heard(page, stream, here=[])


async def test_a_process_that_died_is_believed_for_its_term_and_no_longer(owner, desk, at_home):
    def left_behind(until: float) -> None:
        store().zadd(place(desk.pk), {f"{owner.pk}|gone|overview|": until})

    stream = f"desk:{desk.pk}"
    await sync_to_async(left_behind)(time.time() + 2)
    assert TERM_SECONDS <= 10
    async with page_of(owner) as page:
        await page.watch(stream)
        assert len((await page.first(stream))["d"]["here"]) == 1
        await heard(page, stream, here=[])


@pytest.mark.parametrize(
    "words", [{"page": "<b>"}, {"page": "x" * 41}, {"page": 7}, {"page": "a", "symbol": "a|b"}, {}]
)
async def test_a_page_that_says_something_else_than_a_page_is_let_go(words, owner, at_home):
    async with page_of(owner) as page:
        await page.say(do="look", **words)
        assert (await page.until_closed())["code"] == 4400
