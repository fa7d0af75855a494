"""The trade journal: what was closed, what was written about it, and who may write."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal as D

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Account, AuditRow, Desk, User
from accounts.rights import NoRight
from accounts.rules import NotAllowed
from tests.accounts.conftest import plain_static_files  # noqa: F401 - pages without collected files
from tests.trading.furnished import demo_account
from trading.actions.journal import LONGEST_NOTE, find_page, pages, read_tags, write_note
from trading.actions.reports import Span
from trading.models import JournalNote, PositionEvent

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(desk: Desk, owner: User) -> Account:
    """Three round trips: one won and one lost in PF_XBTUSD, one won in PF_ETHUSD."""
    made = demo_account(desk, owner)
    noon = timezone.now() - timedelta(hours=10)
    for number, (symbol, hour, old, new, realised) in enumerate(
        [
            ("PF_XBTUSD", 0, "0", "1", "0"), ("PF_XBTUSD", 1, "1", "0", "50"),
            ("PF_XBTUSD", 2, "0", "-1", "0"), ("PF_XBTUSD", 3, "-1", "0", "-20"),
            ("PF_ETHUSD", 4, "0", "2", "0"), ("PF_ETHUSD", 5, "2", "0", "7"),
        ]
    ):  # fmt: skip
        PositionEvent.objects.create(
            account=made, source="derivatives", venue_id=f"e{number}", at=noon + timedelta(hours=hour), symbol=symbol,
            reason="trade", old_size=D(old), new_size=D(new), price=D(100), realised_pnl=D(realised), fee=D(1),
        )  # fmt: skip
    return made


def began(account: Account, symbol: str) -> datetime:
    return next(page.trip.began for page in pages(account, Span()) if page.trip.symbol == symbol)


def test_the_newest_comes_first_and_a_tag_finds_its_trades(account: Account, trader: User) -> None:
    found = pages(account, Span())
    assert [(page.trip.symbol, page.trip.result) for page in found] == [
        ("PF_ETHUSD", D(5)), ("PF_XBTUSD", D(-22)), ("PF_XBTUSD", D(48)),
    ]  # fmt: skip
    write_note(account, found[1].trip, text="Against the trend.", tags="Mistake, News ,news", by=trader)
    (tagged,) = pages(account, Span(), "news")
    assert (tagged.trip, tagged.tags, tagged.note and tagged.note.by) == (found[1].trip, ["mistake", "news"], trader)
    assert AuditRow.objects.filter(action="journal.noted", actor=trader).count() == 1


def test_an_emptied_note_is_taken_away_and_that_is_in_the_book(account: Account, trader: User) -> None:
    trip = pages(account, Span())[0].trip
    write_note(account, trip, text="A thought", tags="", by=trader)
    write_note(account, trip, text=" ", tags=" , ", by=trader)
    assert not JournalNote.objects.exists()
    assert AuditRow.objects.filter(action="journal.cleared").count() == 1


@pytest.mark.parametrize(
    ("tags", "words"),
    [
        (",".join("abcdefghijk"), "at most 10 tags"),
        ("a" * 25, "longer than 24"),
        ("two words and many more of them", "comma"),
    ],
)
def test_tags_that_are_none_are_told(tags: str, words: str) -> None:
    with pytest.raises(NotAllowed, match=words):
        read_tags(tags)


def test_a_viewer_reads_and_does_not_write(client: Client, account: Account, trader: User, viewer: User) -> None:
    trip = pages(account, Span())[0].trip
    write_note(account, trip, text="Read me", tags="", by=trader)
    with pytest.raises(NoRight):
        write_note(account, trip, text="Mine now", tags="", by=viewer)
    client.force_login(viewer)
    sheet = f"/reports/journal/note/?symbol=PF_ETHUSD&began={trip.began.isoformat().replace('+', '%2B')}"
    shown = client.get("/reports/journal/").content.decode()
    assert "Read me" in shown
    assert "not read from its beginning yet" in shown
    page = client.get(sheet).content.decode()
    assert "Read me" in page
    assert "<textarea" not in page
    asked = {"symbol": "PF_ETHUSD", "began": trip.began.isoformat(), "text": "Mine now"}
    assert client.post("/reports/journal/note/", asked).status_code == 403
    assert JournalNote.objects.get().text == "Read me"


def test_a_note_is_kept_from_the_page_and_one_too_long_loses_nothing(
    client: Client, account: Account, trader: User
) -> None:
    client.force_login(trader)
    at = began(account, "PF_ETHUSD").isoformat()
    long = "x" * (LONGEST_NOTE + 1)
    refused = client.post("/reports/journal/note/", {"symbol": "PF_ETHUSD", "began": at, "text": long, "tags": "eth"})
    assert refused.status_code == 422
    assert long in refused.content.decode()
    assert f"this one has {LONGEST_NOTE + 1}" in refused.content.decode()
    kept = client.post(
        "/reports/journal/note/",
        {"symbol": "PF_ETHUSD", "began": at, "text": "Good", "tags": "eth", "query": "tag=eth"},
    )
    assert kept["Location"] == "/reports/journal/?tag=eth"
    page = client.get(kept["Location"]).content.decode()
    assert "Good" in page
    assert "1 trip in USD" in page
    assert "PF_XBTUSD" not in page


def test_another_desk_and_a_trade_that_was_none_are_not_there(
    client: Client, account: Account, stranger: User, trader: User
) -> None:
    at = began(account, "PF_ETHUSD").isoformat().replace("+", "%2B")
    address = f"/reports/journal/note/?symbol=PF_ETHUSD&began={at}&account={account.pk}"
    client.force_login(stranger)
    assert client.get(address).status_code in {403, 404}
    client.force_login(trader)
    assert client.get("/reports/journal/note/?symbol=PF_ETHUSD&began=2020-01-01T00:00:00Z").status_code == 404
    assert client.get("/reports/journal/note/?symbol=PF_ETHUSD&began=yesterday").status_code == 404
    assert find_page(account, "PF_SOLUSD", began(account, "PF_ETHUSD")) is None
