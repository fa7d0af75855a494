"""Rows of text into the bytes of a file: CSV and Parquet."""

from __future__ import annotations

import csv
import io
from typing import Any, Protocol

from accounts import spreadsheet


class Sink(Protocol):
    def write(self, data: bytes) -> int: ...


class CsvWriter:
    """Safe to open in a spreadsheet: what looks like a formula gets an apostrophe, a number does not."""

    def __init__(self, sink: Sink, columns: tuple[str, ...]) -> None:
        self._sink = sink
        self.write([columns])

    def write(self, rows: list[tuple[str, ...]]) -> None:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([harmless(cell) for cell in row] for row in rows)
        self._sink.write(text.getvalue().encode())

    def close(self) -> None:
        """Nothing follows the last row."""


class ParquetWriter:
    """Text columns with the very digits: a reader casts to a decimal of its own width, none of ours would fit all."""

    def __init__(self, sink: Sink, columns: tuple[str, ...]) -> None:
        import pyarrow as pa  # loaded here: it is large, and nobody else needs it
        import pyarrow.parquet as pq

        self._pa = pa
        self._schema = pa.schema([(name, pa.string()) for name in columns])
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
