"""What was done since the tables were last written, in a file that only grows until then.

Appending costs a tenth of a transaction. A killed process loses nothing, because the system has the bytes; only a
lost machine could. Each period between two writings of the tables has a number, which the tables know too: a journal
whose period has gone into the tables already is not played again.
"""

from __future__ import annotations

import os
from pathlib import Path
from zlib import crc32

NUMBER, LENGTH = 8, 4  # bytes


class Journal:
    def __init__(self, file: Path | None) -> None:
        """None: nothing is written, there is nothing to come back to."""
        self._handle = None if file is None else os.open(file, os.O_RDWR | os.O_CREAT, 0o600)

    def read(self, period: int) -> list[bytes]:
        """The entries of a period. What a kill cut off in the middle was never acknowledged, and is left out."""
        if self._handle is None:
            return []
        os.lseek(self._handle, 0, os.SEEK_SET)
        content = b"".join(iter(lambda: os.read(self._handle or 0, 1 << 20), b""))
        if int.from_bytes(content[:NUMBER]) != period:
            return []
        entries, place = [], NUMBER
        while place + 2 * LENGTH <= len(content):
            length = int.from_bytes(content[place : place + LENGTH])
            check = int.from_bytes(content[place + LENGTH : place + 2 * LENGTH])
            entry = content[place + 2 * LENGTH : place + 2 * LENGTH + length]
            if len(entry) < length or crc32(entry) != check:
                break
            entries.append(entry)
            place += 2 * LENGTH + length
        return entries

    def begin(self, period: int) -> None:
        """Empties the file: what it held is in the tables."""
        if self._handle is not None:
            os.ftruncate(self._handle, 0)
            os.lseek(self._handle, 0, os.SEEK_SET)
            self._put(period.to_bytes(NUMBER))

    def add(self, entry: bytes) -> None:
        """After this the entry survives a kill. OSError when the disk is full."""
        if self._handle is not None:
            self._put(len(entry).to_bytes(LENGTH) + crc32(entry).to_bytes(LENGTH) + entry)

    def _put(self, content: bytes) -> None:
        assert self._handle is not None
        if os.write(self._handle, content) != len(content):
            raise OSError("the journal could not be written: is the disk full?")

    def close(self) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
