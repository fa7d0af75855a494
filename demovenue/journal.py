"""What was done since the tables were last written, in a file that only grows until then.

The file is mapped into memory: what is written there outlives the process and costs no call to the system. Only a lost
machine could lose it. Behind the last entry it is filled with zeros. Each period between two writings of the tables
has a number, which the tables know too: a journal whose period has gone into the tables already is not played again.
"""

from __future__ import annotations

import mmap
import os
from pathlib import Path
from zlib import crc32

NUMBER, LENGTH = 8, 4  # bytes
ROOM = 4 << 20  # bytes the file grows by


class Journal:
    def __init__(self, file: Path | None) -> None:
        """None: nothing is written, there is nothing to come back to. OSError when the disk is full."""
        self._handle = None if file is None else os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
        self._place = NUMBER
        self._map: mmap.mmap | None = None
        if self._handle is not None:
            self._reserve(max(ROOM, os.fstat(self._handle).st_size))
            self._map = mmap.mmap(self._handle, 0)

    def read(self, period: int) -> list[bytes]:
        """The entries of a period. What a kill cut off in the middle was never acknowledged, and is left out."""
        content = self._map
        if content is None or int.from_bytes(content[:NUMBER]) != period:
            return []
        entries, place = [], NUMBER
        while place + 2 * LENGTH <= len(content):
            length = int.from_bytes(content[place : place + LENGTH])
            check = int.from_bytes(content[place + LENGTH : place + 2 * LENGTH])
            entry = content[place + 2 * LENGTH : place + 2 * LENGTH + length]
            if not length or len(entry) < length or crc32(entry) != check:
                break
            entries.append(entry)
            place += 2 * LENGTH + length
        return entries

    def begin(self, period: int) -> None:
        """Empties the file: what it held is in the tables. The number comes last, so that no kill in between makes
        old entries look like new ones."""
        if self._map is not None:
            # All of it at the start, as nobody knows how far a former process came.
            end = len(self._map) if self._place == NUMBER else self._place
            self._map[NUMBER:end] = bytes(end - NUMBER)
            self._map[:NUMBER] = period.to_bytes(NUMBER)
            self._place = NUMBER

    def add(self, entry: bytes) -> None:
        """After this the entry survives a kill. OSError when the disk is full."""
        if self._map is None:
            return
        end = self._place + 2 * LENGTH + len(entry)
        if end > len(self._map):
            self._reserve(end + ROOM)
            self._map.resize(end + ROOM)
        self._map[self._place : end] = len(entry).to_bytes(LENGTH) + crc32(entry).to_bytes(LENGTH) + entry
        self._place = end

    def _reserve(self, size: int) -> None:
        """Room on the disk, and not only in the size of the file: a page without it would end the process."""
        assert self._handle is not None
        os.posix_fallocate(self._handle, 0, size)

    def close(self) -> None:
        if self._handle is not None and self._map is not None:
            self._map.close()
            os.close(self._handle)
            self._handle = self._map = None
