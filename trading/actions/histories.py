"""Reading whole histories: the newest page first, so that there is something to see, then backwards to the beginning.

What is known to be missing is kept as gaps in the stream's cursor, and the cursor is committed with the page it
follows. Whoever is killed leaves the gaps of the last page; whoever comes next goes on there. Two who read the same
stream at once are told apart when they commit: the second finds the cursor moved, and leaves.
"""

from __future__ import annotations

import json
import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts.models import ApiKey
from accounts.vault import VaultError
from accounts.venues import session_for
from krakenfutures.errors import KrakenError, Refused, Throttled
from krakenfutures.funds import LedgerRow
from krakenfutures.history import HistoryPage, HistoryStream
from krakenfutures.numbers import epoch_ms, from_epoch_ms
from krakenfutures.venue import Session
from trading.actions.keeping import complete_fills, keep_events, keep_log, keep_positions
from trading.actions.ledgers import extend_ledger
from trading.actions.storing import store_history
from trading.models import LogEntry, Sync

log = logging.getLogger(__name__)

EVENT_STREAMS = {
    "executions": HistoryStream.EXECUTIONS,
    "order_events": HistoryStream.ORDERS,
    "trigger_events": HistoryStream.TRIGGERS,
    "position_events": HistoryStream.POSITIONS,
}
LOG = "log"
DUE = timedelta(minutes=2)  # the newest of five streams cost five points of a pool that gives one in six seconds
OVERLAP = 60_000  # milliseconds read again: an entry may be recorded later than its time
MOST_GAPS = 4
SHORT_LOG, FIRST_LOG, LONG_LOG = 25, 500, 20_000  # rows: for 1, 3 and 10 points
SLICE = 1000  # rows in one transaction: others wait to write meanwhile
ONE_RUN = 60.0  # seconds; the rest is left to the next ring


class Overtaken(Exception):
    """Somebody else reads this stream too and was quicker."""


@dataclass
class Gap:
    """Still to be read: from `since` (counts in) to `before` (does not). Milliseconds, or ids of the account log.

    `after` is the venue's own word for where the last page ended, if there is one.
    """

    since: int
    before: int
    after: str = ""


@dataclass
class Cursor:
    """`high`: the newest that was read, in the same measure as the gaps; 0 before the first page."""

    high: int = 0
    gaps: list[Gap] = field(default_factory=list)

    @classmethod
    def read(cls, text: str) -> Cursor:
        raw = json.loads(text or "{}")
        return cls(high=raw.get("high", 0), gaps=[Gap(**gap) for gap in raw.get("gaps", [])])

    def text(self) -> str:
        return json.dumps(asdict(self))

    def add(self, gap: Gap) -> None:
        """Not more than a few: the oldest two become one, and what is known in between is read again."""
        self.gaps.append(gap)
        while len(self.gaps) > MOST_GAPS:
            first, second = self.gaps[:2]
            self.gaps[:2] = [Gap(min(first.since, second.since), max(first.before, second.before))]


def sync_history(api_key_id: int) -> int:
    """What is new in every stream if it is time, then as much of the past as the budget allows. Returns the new rows.

    Raises `KrakenError` but for a spent budget, which only means later.
    """
    key = ApiKey.objects.usable().select_related("account").get(pk=api_key_id)
    end = time.monotonic() + ONE_RUN
    new = 0
    try:
        with session_for(key) as session:
            readers: list[StreamReader] = [
                LogReader(key.account_id, session),
                *(EventReader(key.account_id, session, name) for name in EVENT_STREAMS),
            ]
            for reader in readers:
                new += reader.newest() if reader.is_due else 0
            while (behind := [reader for reader in readers if reader.gaps]) and time.monotonic() < end:
                for reader in behind:
                    new += reader.older()
    except Throttled as wait:
        resumes_at = timezone.now() + timedelta(seconds=wait.retry_after)
        Sync.objects.filter(account_id=key.account_id, stream__in=[LOG, *EVENT_STREAMS], share__lt=1).update(
            resumes_at=resumes_at
        )
    except Overtaken:
        log.info("somebody else reads the history of account %s", key.account_id)
    extend_ledger(key.account_id)
    return new


class StreamReader(ABC):
    """What both kinds of readers share: the row, the cursor in it, and committing the two together."""

    def __init__(self, account_id: int, session: Session, stream: str) -> None:
        self.account_id, self.session, self.stream = account_id, session, stream
        self.row, _ = Sync.objects.get_or_create(account_id=account_id, stream=stream)
        self.cursor = Cursor.read(self.row.cursor)

    @property
    def gaps(self) -> list[Gap]:
        return self.cursor.gaps

    @property
    def is_due(self) -> bool:
        return self.row.ok_at is None or timezone.now() - self.row.ok_at >= DUE

    @contextmanager
    def asking(self) -> Iterator[datetime]:
        """Gives the moment of asking, and notes what went wrong. A spent budget is nothing wrong."""
        began = timezone.now()
        try:
            yield began
        except Throttled:
            raise
        except (KrakenError, VaultError) as problem:
            Sync.objects.filter(pk=self.row.pk).update(tried_at=began, trouble=str(problem)[:300])
            raise

    def commit(self, store: Callable[[], int], **facts: Any) -> int:
        """Rows and cursor in one transaction. Raises `Overtaken`, and keeps nothing, when the cursor has moved."""
        text = self.cursor.text()
        facts = {**facts, "cursor": text, "trouble": "", "resumes_at": None, "share": self.share()}
        with transaction.atomic():
            new = store()
            mine = Sync.objects.filter(pk=self.row.pk, cursor=self.row.cursor)
            if not mine.update(rows=F("rows") + new, **facts):
                raise Overtaken(self.stream)
        self.row.cursor = text
        return new

    @abstractmethod
    def newest(self) -> int:
        """What came since, and where that begins if it is more than a page. Returns the new rows."""

    @abstractmethod
    def older(self) -> int:
        """A page of the latest gap. Returns the new rows."""

    @abstractmethod
    def share(self) -> float:
        """How much of the stream has been read, as far as can be told."""


class EventReader(StreamReader):
    """Executions, orders, triggers or positions: a page costs one point, whatever its length."""

    @property
    def events(self) -> HistoryStream:
        return EVENT_STREAMS[self.stream]

    def newest(self) -> int:
        since = max(self.cursor.high - OVERLAP, 0)
        with self.asking() as began:
            page = self.session.history.page(self.events, since=from_epoch_ms(since) if since else None)
        times = [epoch_ms(at) for at in page.times]
        if page.after:
            self.cursor.add(Gap(since=since, before=min(times) + 1, after=page.after))
        self.cursor.high = max([self.cursor.high, *times])
        facts: dict[str, Any] = {"ok_at": began, "tried_at": began}
        if times:
            facts["complete_to"] = from_epoch_ms(self.cursor.high)
        return self.commit(lambda: self._keep(page), **facts, **self._back_to(times))

    def older(self) -> int:
        gap = self.gaps[-1]
        page = self._page_of(gap)
        times = [epoch_ms(at) for at in page.times]
        if page.after and times:
            gap.before, gap.after = min(times) + 1, page.after
        else:
            self.gaps.pop()
        return self.commit(lambda: self._keep(page), **self._back_to(times))

    def _page_of(self, gap: Gap) -> HistoryPage:
        since = from_epoch_ms(gap.since) if gap.since else None
        with self.asking():
            if gap.after:
                try:
                    return self.session.history.page(self.events, since=since, after=gap.after)
                except Refused as problem:
                    log.info("%s does not go on after its last page, so by time: %s", self.stream, problem)
            return self.session.history.page(self.events, since=since, before=from_epoch_ms(gap.before))

    def _keep(self, page: HistoryPage) -> int:
        new = store_history(self.account_id, page.fills)
        complete_fills(self.account_id, [fill.id for fill in page.fills])
        return new + keep_positions(self.account_id, page.positions) + keep_events(self.account_id, page.events)

    def _back_to(self, times: list[int]) -> dict[str, datetime]:
        if not times or (self.row.oldest_at and epoch_ms(self.row.oldest_at) <= min(times)):
            return {}
        self.row.oldest_at = from_epoch_ms(min(times))
        return {"oldest_at": self.row.oldest_at}

    def share(self) -> float:
        """By time, once the account log says when the account began; until then nobody can tell."""
        if not self.gaps:
            return 1.0
        first = LogEntry.objects.filter(account_id=self.account_id, number=1).first()
        if first is None:
            return 0.0
        begin = epoch_ms(first.at)
        missing = sum(gap.before - max(gap.since, begin) for gap in self.gaps)
        read: float = 1 - missing / max(self.cursor.high - begin, 1)
        return min(max(read, 0.0), 0.99)


class LogReader(StreamReader):
    """The account log, by its ids: they rise, and the first is 1. A long page is the cheapest by far."""

    def __init__(self, account_id: int, session: Session) -> None:
        super().__init__(account_id, session, LOG)

    def newest(self) -> int:
        high = self.cursor.high
        count = SHORT_LOG if high else FIRST_LOG
        with self.asking() as began:
            rows = self.session.history.ledger(from_id=high + 1 if high else None, count=count)
        numbers = [row.id for row in rows]
        if numbers and min(numbers) > high + 1 and (len(rows) >= count or not high):
            self.cursor.add(Gap(since=high + 1, before=min(numbers)))
        self.cursor.high = max([high, *numbers])
        facts: dict[str, Any] = {"ok_at": began, "tried_at": began}
        if rows:
            facts["complete_to"] = max(row.at for row in rows)
        return self.commit(lambda: keep_log(self.account_id, rows, proven=True), **facts, **self._back_to(rows))

    def older(self) -> int:
        """A long page, stored in slices. A gap ends where it meets its end, or with an empty page."""
        gap = self.gaps[-1]
        with self.asking():
            count = min(LONG_LOG, gap.before - gap.since)  # a short page is cheaper
            rows = self.session.history.ledger(from_id=gap.since, to_id=gap.before - 1, count=count)
        rows.sort(key=lambda row: row.id, reverse=True)
        if not rows:
            self.gaps.pop()
            return self.commit(lambda: 0)
        new = 0
        for start in range(0, len(rows), SLICE):
            new += self._keep_slice(gap, rows[start : start + SLICE])
        return new

    def _keep_slice(self, gap: Gap, rows: list[LedgerRow]) -> int:
        gap.before = rows[-1].id
        if gap.before <= gap.since:
            self.gaps.remove(gap)
        return self.commit(lambda: keep_log(self.account_id, rows, proven=True), **self._back_to(rows))

    def _back_to(self, rows: list[LedgerRow]) -> dict[str, datetime]:
        oldest = min((row.at for row in rows), default=None)
        if oldest is None or (self.row.oldest_at and self.row.oldest_at <= oldest):
            return {}
        self.row.oldest_at = oldest
        return {"oldest_at": oldest}

    def share(self) -> float:
        missing = sum(gap.before - gap.since for gap in self.gaps)
        return 1.0 if not missing else min(1 - missing / max(self.cursor.high, 1), 0.99)
