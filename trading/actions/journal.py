"""The trade journal: finished round trips, and what the desk wrote about each."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts.actions.audit import record
from accounts.models import Account, User
from accounts.rights import Right, require
from accounts.rules import NotAllowed
from trading.actions.reports import Span, steps_from, steps_of
from trading.models import JournalNote
from trading.trip_sums import Trip, trips

MOST_TAGS = 10
LONGEST_TAG = 24
LONGEST_NOTE = 4000


@dataclass(frozen=True, slots=True)
class Page:
    """A round trip and what was written about it, if anything."""

    trip: Trip
    note: JournalNote | None

    @property
    def tags(self) -> list[str]:
        return self.note.tags if self.note else []


def pages(account: Account, span: Span, tag: str = "") -> list[Page]:
    """Those that ended within the span, newest first; of one tag, if wished. Raises `TooMany`."""
    notes = {(note.symbol, note.began): note for note in JournalNote.objects.filter(account=account)}
    found = [
        Page(trip, notes.get((trip.symbol, trip.began)))
        for trip in trips(steps_of(account, span))
        if span.holds(trip.ended)
    ]
    found.sort(key=lambda page: page.trip.ended, reverse=True)
    return [page for page in found if not tag or tag in page.tags]


def tags_of(account: Account) -> list[str]:
    """Every tag in use, in order of the alphabet."""
    return sorted(
        {tag for tags in JournalNote.objects.filter(account=account).values_list("tags", flat=True) for tag in tags}
    )


def find_page(account: Account, symbol: str, began: datetime) -> Page | None:
    trip = next(trips(steps_from(account, symbol, began)), None)
    if trip is None or trip.began != began:
        return None
    return Page(trip, JournalNote.objects.filter(account=account, symbol=symbol, began=began).first())


@transaction.atomic
def write_note(account: Account, trip: Trip, *, text: str, tags: str, by: User) -> JournalNote | None:
    """An empty text without tags takes the note away. Raises `NoRight`, `NotAllowed`."""
    require(by, account.desk, Right.NOTE)
    text, words = text.strip().replace("\r\n", "\n"), read_tags(tags)
    if len(text) > LONGEST_NOTE:
        raise NotAllowed(f"A note has at most {LONGEST_NOTE} characters; this one has {len(text)}.", field="text")
    known = JournalNote.objects.filter(account=account, symbol=trip.symbol, began=trip.began)
    if not text and not words:
        if known.delete()[0]:
            record(by, "journal.cleared", account, desk=account.desk, symbol=trip.symbol, began=trip.began.isoformat())
        return None
    note, _ = JournalNote.objects.update_or_create(
        account=account, symbol=trip.symbol, began=trip.began,
        defaults={"text": text, "tags": words, "by": by, "at": timezone.now()},
    )  # fmt: skip
    record(
        by, "journal.noted", account, desk=account.desk, symbol=trip.symbol, began=trip.began.isoformat(), tags=words
    )
    return note


def read_tags(text: str) -> list[str]:
    """Words between commas, in small letters, each once. Raises `NotAllowed`."""
    words = list(dict.fromkeys(re.sub(r"\s+", " ", word).strip().lower() for word in text.split(",")))
    words = [word for word in words if word]
    if len(words) > MOST_TAGS:
        raise NotAllowed(f"A trade has at most {MOST_TAGS} tags; these are {len(words)}.", field="tags")
    for word in words:
        if len(word) > LONGEST_TAG:
            raise NotAllowed(
                f"“{word}” is longer than {LONGEST_TAG} characters. Put a comma between tags.", field="tags"
            )
    return words
