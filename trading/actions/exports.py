"""Taking the ledger away as a file: asked for, made in the background piece by piece, kept for a day.

The row is the queue. A worker claims it with a lease and writes parts of a megabyte, each committed with the progress;
whoever finds a lease run out begins that file again.
"""

from __future__ import annotations

import csv
import io
import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Protocol
from uuid import UUID

from django.db import DatabaseError, transaction
from django.db.models import Q
from django.utils import timezone

from accounts import spreadsheet
from accounts.actions.audit import record
from accounts.models import Account, User
from accounts.rights import Right, require
from krakenfutures.numbers import plain
from trading.actions.bells import ring
from trading.actions.reports import CHUNK, Span, members_of, price_of
from trading.models import Export, ExportFormat, ExportPart, ExportState, LedgerEntry

log = logging.getLogger(__name__)

PART = 1_000_000  # bytes
LEASE = timedelta(minutes=2)  # renewed with every part
KEPT = timedelta(days=1)
COLUMNS = (
    "number", "at", "wallet", "currency", "category", "symbol", "fill_id", "member", "realised_pnl", "fee", "funding",
    "other", "amount", "balance", "residual", "index_usd", "net_usd",
)  # fmt: skip


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
    writer = CsvWriter(sink) if export.format == ExportFormat.CSV else ParquetWriter(sink)
    try:
        for rows in cells(export.account, span):
            writer.write(rows)
            export.rows += len(rows)
        writer.close()
        sink.close()
    except (OSError, ValueError, DatabaseError) as problem:
        log.exception("the export %s failed", export_id)
        Export.objects.filter(pk=export_id).update(state=ExportState.FAILED, trouble=f"{type(problem).__name__}")
        return
    Export.objects.filter(pk=export_id).update(
        state=ExportState.READY, rows=export.rows, total=export.total, size=sink.size, lease_until=None
    )


def cells(account: Account, span: Span) -> Iterator[list[tuple[str, ...]]]:
    """The rows of the file in the order of the log, decimals in plain notation, times in UTC."""
    members, price = members_of(account), price_of(account, span)
    batch: list[tuple[str, ...]] = []
    for entry in span.of(account).order_by("number").iterator(chunk_size=CHUNK):
        batch.append(_cells(entry, members, price))
        if len(batch) == CHUNK:
            yield batch
            batch = []
    if batch:
        yield batch


def _cells(entry: LedgerEntry, members: dict[str, str], price: Any) -> tuple[str, ...]:
    worth = 1 if entry.currency == "USD" else price(entry.currency, entry.at)
    net = entry.realised_pnl - entry.fee + entry.funding
    numbers = (
        entry.realised_pnl, entry.fee, entry.funding, entry.other, entry.amount, entry.balance, entry.residual,
    )  # fmt: skip
    return (
        str(entry.number), f"{entry.at:%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z", entry.wallet, entry.currency, entry.category,
        entry.symbol, entry.venue_fill_id, members.get(entry.venue_fill_id, ""), *map(plain, numbers),
        "" if worth is None else str(worth), "" if worth is None else plain(net * worth),
    )  # fmt: skip


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
            ExportPart.objects.create(export=self.export, start=self.size, data=data)
            self.size += len(data)
            Export.objects.filter(pk=self.export.pk).update(
                rows=self.export.rows, total=self.export.total, size=self.size, lease_until=timezone.now() + LEASE
            )


class Writer(Protocol):
    def write(self, rows: list[tuple[str, ...]]) -> None: ...
    def close(self) -> None: ...


class CsvWriter:
    """Safe to open in a spreadsheet: what looks like a formula gets an apostrophe, a number does not."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self.write([COLUMNS])

    def write(self, rows: list[tuple[str, ...]]) -> None:
        text = io.StringIO()
        csv.writer(text).writerows([harmless(cell) for cell in row] for row in rows)
        self._sink.write(text.getvalue().encode())

    def close(self) -> None:
        """Nothing follows the last row."""


class ParquetWriter:
    """Text columns with the very digits: a reader casts to a decimal of its own width, none of ours would fit all."""

    def __init__(self, sink: Sink) -> None:
        import pyarrow as pa  # loaded here: it is large, and nobody else needs it
        import pyarrow.parquet as pq

        self._pa = pa
        self._schema = pa.schema([(name, pa.string()) for name in COLUMNS])
        self._writer = pq.ParquetWriter(pa.PythonFile(_Written(sink), mode="w"), self._schema, compression="zstd")

    def write(self, rows: list[tuple[str, ...]]) -> None:
        columns = list(zip(*rows, strict=True))
        self._writer.write_table(self._pa.table([list(one) for one in columns], schema=self._schema))

    def close(self) -> None:
        self._writer.close()


class _Written(io.RawIOBase):
    """What the library asks of a file it only writes."""

    def __init__(self, sink: Sink) -> None:
        self._sink, self._at = sink, 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._at += self._sink.write(bytes(data))
        return len(data)

    def tell(self) -> int:
        return self._at


def harmless(cell: str) -> str:
    return cell if _is_number(cell) else spreadsheet.harmless(cell)


def _is_number(cell: str) -> bool:
    return cell.removeprefix("-").replace(".", "", 1).isdecimal()


def bytes_of(export: Export, start: int) -> Iterator[bytes]:
    """From byte `start` on, a part at a time."""
    first = export.parts.filter(start__lte=start).order_by("-start").first()
    if first is None:
        return
    yield bytes(first.data)[start - first.start :]
    for pk in export.parts.filter(start__gt=first.start).order_by("start").values_list("pk", flat=True):
        yield bytes(ExportPart.objects.get(pk=pk).data)
