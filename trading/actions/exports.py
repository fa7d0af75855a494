"""Taking the ledger away as a file: asked for, made in the background piece by piece, kept for a day.

The row is the queue. A worker claims it with a lease and writes parts of a megabyte, each committed with the progress;
whoever finds a lease run out begins that file again.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

from django.db import DatabaseError, connection, transaction
from django.db.models import Q
from django.utils import timezone

from accounts.actions.audit import record
from accounts.models import Account, User
from accounts.rights import Right, require
from trading.actions.bells import ring
from trading.actions.export_rows import COLUMNS, can_copy, copied_rows, named_rows, text_rows
from trading.actions.reports import Span
from trading.export_writers import CsvWriter, ParquetWriter
from trading.models import Export, ExportFormat, ExportPart, ExportState
from trading.tax_rows import COINTRACKING, KOINLY, rows

log = logging.getLogger(__name__)

PART = 1_000_000  # bytes
LEASE = timedelta(minutes=2)  # renewed with every part
KEPT = timedelta(days=1)
TAX = {ExportFormat.KOINLY: KOINLY, ExportFormat.COINTRACKING: COINTRACKING}


def ask_export(account: Account, *, by: User, format: str, span: Span) -> Export:
    """Raises `NoRight`. That it was asked for is in the book."""
    require(by, account.desk, Right.EXPORT)
    with transaction.atomic():
        made = Export.objects.create(
            account=account, by=by, format=ExportFormat(format), since=span.since, until=span.until,
            asked_at=timezone.now(),
        )  # fmt: skip
        record(by, "history.exported", account, desk=account.desk, export=str(made.pk), format=format)
        ring("trading.make_export", made.pk)
    return made


def sweep_exports() -> None:
    """Make what waits, or was left behind; let go of what is a day old."""
    now = timezone.now()
    Export.objects.filter(asked_at__lt=now - KEPT).delete()
    waiting = Q(state=ExportState.WAITING) | Q(state=ExportState.MAKING, lease_until__lt=now)
    for pk in Export.objects.filter(waiting).values_list("pk", flat=True):
        make_export(pk)


def make_export(export_id: UUID) -> None:
    """Does nothing while somebody else is at it."""
    now = timezone.now()
    free = Q(state=ExportState.WAITING) | Q(state=ExportState.MAKING, lease_until__lt=now)
    claimed = Export.objects.filter(free, pk=export_id).update(
        state=ExportState.MAKING, lease_until=now + LEASE, rows=0, size=0
    )
    if not claimed:
        return
    export = Export.objects.select_related("account").get(pk=export_id)
    export.parts.all().delete()
    span = Span(export.since, export.until)
    export.total = span.of(export.account).count()
    sink = Sink(export)
    try:
        write(export, span, sink)
        sink.close()
        if export.rows < export.total:
            raise ValueError("the ledger was made anew meanwhile")
    except (OSError, ValueError, DatabaseError) as problem:
        log.exception("the export %s failed", export_id)
        Export.objects.filter(pk=export_id).update(state=ExportState.FAILED, trouble=f"{type(problem).__name__}")
        return
    Export.objects.filter(pk=export_id).update(
        state=ExportState.READY, rows=export.rows, total=export.total, size=sink.size, lease_until=None
    )


def write(export: Export, span: Span, sink: Sink) -> None:
    """In the order of the log. `export.rows` counts the entries written."""
    account, format = export.account, ExportFormat(export.format)
    layout = TAX.get(format)
    if layout is None and format == ExportFormat.CSV and can_copy():
        CsvWriter(sink, COLUMNS)
        for lines, count in copied_rows(account, span):
            sink.write(lines)
            export.rows += count
        return
    writer = (ParquetWriter if format == ExportFormat.PARQUET else CsvWriter)(
        sink, layout.columns if layout else COLUMNS
    )
    if layout:
        for entries in named_rows(account, span):
            writer.write([row for entry in entries for row in rows(layout, entry)])
            export.rows += len(entries)
    else:
        for cells in text_rows(account, span):
            writer.write(cells)
            export.rows += len(cells)
    writer.close()


class Sink:
    """Bytes into parts. What it holds at once is one part."""

    def __init__(self, export: Export) -> None:
        self.export, self.size, self._buffer, self.closed = export, 0, bytearray(), False

    def write(self, data: bytes) -> int:
        self._buffer += data
        while len(self._buffer) >= PART:
            self._store(bytes(self._buffer[:PART]))
            del self._buffer[:PART]
        return len(data)

    def close(self) -> None:
        if self._buffer:
            self._store(bytes(self._buffer))
            self._buffer.clear()

    def _store(self, data: bytes) -> None:
        with transaction.atomic():
            _keep_part(self.export, self.size, data)
            self.size += len(data)
            Export.objects.filter(pk=self.export.pk).update(
                rows=self.export.rows, total=self.export.total, size=self.size, lease_until=timezone.now() + LEASE
            )


def _keep_part(export: Export, start: int, data: bytes) -> None:
    if connection.vendor != "postgresql":
        ExportPart.objects.create(export=export, start=start, data=data)
        return
    with connection.cursor() as cursor:
        # A power cut may take the last parts and what the row says of them together; the file is then begun again.
        cursor.execute("SET LOCAL synchronous_commit = off")
        with cursor.copy("COPY trading_exportpart (export_id, start, data) FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(
                ["uuid", "int8", "bytea"]
            )  # as they are: written out as text, a part takes six times as long
            copy.write_row((export.pk, start, data))


def bytes_of(export: Export, start: int) -> Iterator[bytes]:
    """From byte `start` on, a part at a time."""
    first = export.parts.filter(start__lte=start).order_by("-start").first()
    if first is None:
        return
    yield bytes(first.data)[start - first.start :]
    for pk in export.parts.filter(start__gt=first.start).order_by("start").values_list("pk", flat=True):
        yield bytes(ExportPart.objects.get(pk=pk).data)
