"""What one figure of a report is made of: the newest entries of its group, found without reading the others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta, tzinfo
from itertools import islice

from django.db.models import Q, QuerySet, Sum
from django.utils.dateparse import parse_date

from accounts.models import Account
from trading.actions.reports import CHUNK, NOBODY, Span, senders_of
from trading.ledger_sums import QUARTER
from trading.models import LedgerEntry

MOST = 200
FURTHEST = 20 * CHUNK  # entries looked through for those of one person


@dataclass(frozen=True, slots=True)
class Drawer:
    """The newest entries of a group. `count`: of all of them, None where nobody has counted.

    `looked_through` is how many of the newest entries were searched; None: all there are, as far as needed.
    """

    entries: list[LedgerEntry] = field(default_factory=list)
    count: int | None = 0
    looked_through: int | None = None


def newest_entries(account: Account, span: Span, by: str, group: str, currency: str, zone: tzinfo) -> Drawer:
    """Raises `ValueError` for a group that cannot be."""
    if by == "member":
        return _of_member(account, span, group, currency)
    narrowed = Q(currency=currency)
    if by == "day":
        span = _day(group, span, zone)
    elif by == "symbol":
        narrowed &= Q(symbol=group)
    elif group != currency:
        raise ValueError(group)
    sums = span.sums_of(account).filter(narrowed).order_by("-quarter")
    count = sums.aggregate(count=Sum("entries"))["count"] or 0
    quarters = list(dict.fromkeys(sums.values_list("quarter", flat=True)[:MOST]))
    return Drawer(_in_quarters(LedgerEntry.objects.filter(narrowed, account=account), quarters), count)


def _in_quarters(rows: QuerySet[LedgerEntry], quarters: list[datetime]) -> list[LedgerEntry]:
    """The sums know in which quarters of an hour there are any: a rare one takes many small queries, no long one."""
    found: list[LedgerEntry] = []
    for quarter in quarters:
        within = rows.filter(at__gte=quarter, at__lt=quarter + QUARTER)
        found += within.order_by("-at", "-number")[: MOST - len(found)]
        if len(found) >= MOST:
            break
    return found


def _day(group: str, span: Span, zone: tzinfo) -> Span:
    day = parse_date(group)
    if day is None:
        raise ValueError(group)
    since, until = (datetime.combine(one, time(), zone) for one in (day, day + timedelta(days=1)))
    return Span(max(since, span.since or since), min(until, span.until or until))


def _of_member(account: Account, span: Span, member: str, currency: str) -> Drawer:
    found: list[LedgerEntry] = []
    looked = 0
    rows = span.of(account).filter(currency=currency).order_by("-at", "-number")
    for chunk in _chunks(rows):
        senders = senders_of(account, {entry.venue_fill_id for entry in chunk})
        found += [entry for entry in chunk if senders.get(entry.venue_fill_id, NOBODY) == member]
        looked += len(chunk)
        if len(found) >= MOST:
            break
        if looked >= FURTHEST:
            return Drawer(found, None, looked)
    return Drawer(found[:MOST], None if len(found) >= MOST else len(found))


def _chunks(rows: QuerySet[LedgerEntry]) -> Iterator[list[LedgerEntry]]:
    entries = rows.iterator(chunk_size=CHUNK)
    while chunk := list(islice(entries, CHUNK)):
        yield chunk
