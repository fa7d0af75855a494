"""Kraken's own file of the account log held against ours: every line kept as it came until it has been compared."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from itertools import islice

from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef

from accounts.models import Account, ApiKey, User
from accounts.rules import NotAllowed
from accounts.vault import VaultError
from accounts.venues import session_for
from krakenfutures.errors import KrakenError, Unreadable
from krakenfutures.funds import LedgerRow
from krakenfutures.parse.ledger_file import differences, parse_file_line, parse_header
from trading.actions.bells import ring
from trading.actions.keeping import insert_sql
from trading.models import LogEntry, LogFile, LogFileLine

log = logging.getLogger(__name__)

AT_ONCE = 1000
MOST_LINES = 500_000  # what Kraken puts into a file
MOST_HERE = 1000  # entries that the file lacks, listed; the count is of all
LONGEST_LINE = 4000
COMPARE = "trading.compare_log_file"
INSERT = insert_sql(LogFileLine, ("file_id", "line", "text", "state", "note"), "DO NOTHING")
S, L = LogFile.State, LogFileLine.State


def take_file(account: Account, *, by: User, name: str, lines: Iterable[str]) -> LogFile:
    """Store the lines and ring for the comparison. Raises `NotAllowed` when it is not Kraken's file."""
    rest = iter(lines)
    header = next(rest, "").rstrip("\r\n")
    try:
        parse_header(header)
    except Unreadable as problem:
        raise NotAllowed(f"This is not Kraken's account log: {problem}.", field="file") from None
    with transaction.atomic():
        file = LogFile.objects.create(
            account=account, by=by, name=name[:120] or "account log", header=header, state=S.COMPARING
        )
        _store(file, rest)
        if not file.lines:
            raise NotAllowed("The file has no entries after its first line.", field="file")
        ring(COMPARE, file.pk)
    return file


def fetch_file(account: Account, *, by: User) -> LogFile:
    """Have the venue's own file fetched and compared."""
    with transaction.atomic():
        file = LogFile.objects.create(account=account, by=by, name="fetched from the exchange", state=S.FETCHING)
        ring(COMPARE, file.pk)
    return file


def compare_file(file_id: int) -> None:
    """Go on where the last one ended: each batch is committed with the counts."""
    file = LogFile.objects.select_related("account").get(pk=file_id)
    if file.state == S.FETCHING and not _fetch(file):
        return
    if file.state != S.COMPARING:
        return
    while _compare_some(file):
        pass
    _finish(file)


def sweep_files() -> None:
    """Those whose bell nobody heard, or whose worker died."""
    for file_id in LogFile.objects.filter(state__in=[S.FETCHING, S.COMPARING]).values_list("pk", flat=True):
        ring(COMPARE, file_id)


def _fetch(file: LogFile) -> bool:
    key = ApiKey.objects.usable().filter(account=file.account).select_related("account").first()
    if key is None:
        return _fail(file, "The account has no key that may be used.")
    try:
        with session_for(key) as session:
            lines = iter(session.history.ledger_file().splitlines())
        header = next(lines, "")
        parse_header(header)
    except (KrakenError, VaultError) as problem:
        return _fail(file, str(problem))
    with transaction.atomic():
        if not LogFile.objects.filter(pk=file.pk, state=S.FETCHING).update(state=S.COMPARING, header=header):
            return False  # another worker has it
        file.state, file.header = S.COMPARING, header
        _store(file, lines)
    return True


def _fail(file: LogFile, problem: str) -> bool:
    LogFile.objects.filter(pk=file.pk, state=S.FETCHING).update(state=S.FAILED, problem=problem[:300])
    return False


def _store(file: LogFile, lines: Iterator[str]) -> None:
    numbered = ((line, text.rstrip("\r\n")) for line, text in enumerate(lines, start=2))
    rows = ((file.pk, line, text[:LONGEST_LINE], L.WAITING.value, "") for line, text in numbered if text.strip())
    while some := list(islice(rows, AT_ONCE * 5)):
        file.lines += len(some)
        if file.lines > MOST_LINES:
            raise NotAllowed(f"A file may have {MOST_LINES:,} lines: cut it in two.", field="file")
        with connection.cursor() as cursor:
            cursor.executemany(INSERT, some)
    file.save(update_fields=["lines"])


def _compare_some(file: LogFile) -> bool:
    """One batch. False when nothing waits any more."""
    header = parse_header(file.header)
    waiting = list(LogFileLine.objects.filter(file=file, state=L.WAITING).order_by("pk")[:AT_ONCE])
    if not waiting:
        return False
    read = {}
    for line in waiting:
        try:
            read[line.pk] = parse_file_line(header, line.text)
        except Unreadable as problem:
            line.state, line.note = L.UNREADABLE, str(problem)
    bookings = {row.booking for row in read.values()}
    ours = {
        (one.booking, one.asset): one for one in LogEntry.objects.filter(account=file.account, booking__in=bookings)
    }
    for line in waiting:
        if (row := read.get(line.pk)) is None:
            continue
        entry = ours.get((row.booking, row.asset))
        if entry is None:
            line.state, line.note = L.ONLY_THERE, "No entry here has this uid and symbol."
            continue
        said = differences(row, _as_row(entry))
        line.number = entry.number
        line.state, line.note = (L.DIFFERENT, "; ".join(said)) if said else (L.EQUAL, "")
    counts = {name: sum(line.state == name for line in waiting) for name in ("equal", "different", "only_there")}
    counts["unreadable"] = sum(line.state == L.UNREADABLE for line in waiting)
    with transaction.atomic():
        mine = LogFile.objects.filter(pk=file.pk, compared=file.compared)
        added = {name: F(name) + count for name, count in counts.items()}
        if mine.update(compared=F("compared") + len(waiting), **added):
            LogFileLine.objects.bulk_update(waiting, ["state", "note", "number"])
    file.refresh_from_db()
    return True


def _finish(file: LogFile) -> None:
    """What the file lacks, of the stretch it covers; then the equal lines go."""
    numbers = (
        LogFileLine.objects.filter(file=file).exclude(number=None).order_by("number").values_list("number", flat=True)
    )
    first, last = numbers.first(), numbers.last()
    with transaction.atomic():
        if not LogFile.objects.filter(pk=file.pk, state=S.COMPARING).update(state=S.DONE):
            return
        if first is not None and last is not None:
            there = LogFileLine.objects.filter(file=file, number=OuterRef("number"))
            lacking = LogEntry.objects.filter(account=file.account, number__gte=first, number__lte=last).exclude(
                Exists(there)
            )
            LogFile.objects.filter(pk=file.pk).update(only_here=lacking.count())
            LogFileLine.objects.bulk_create(
                LogFileLine(file=file, number=one.number, state=L.ONLY_HERE, text=str(one), note="The file lacks it.")
                for one in lacking.order_by("number")[:MOST_HERE]
            )
        LogFileLine.objects.filter(file=file, state=L.EQUAL).delete()


def _as_row(entry: LogEntry) -> LedgerRow:
    return LedgerRow(
        id=entry.number, at=entry.at, asset=entry.asset, wallet=entry.wallet, kind=entry.kind, old=entry.old,
        new=entry.new, contract=entry.contract, booking=entry.booking, reference=entry.reference, fee=entry.fee,
        realised_pnl=entry.realised_pnl, realised_funding=entry.realised_funding, funding_rate=entry.funding_rate,
        mark=entry.mark, price=entry.price, old_entry=entry.old_entry, new_entry=entry.new_entry,
    )  # fmt: skip
