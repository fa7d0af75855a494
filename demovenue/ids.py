"""Identifiers as the venue makes them."""

from __future__ import annotations

import random
import uuid


class Ids:
    """Order uids are time-ordered: their first 48 bits count units of 10 µs. Everything else is a random UUID."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._last = 0

    def order(self, micros: int) -> str:
        self._last = max(micros // 10, self._last + 1)
        tail = self._rng.getrandbits(80)
        number = (self._last << 80) | (0x4 << 76) | (tail & ~(0xF << 76))
        number = (number & ~(0x3 << 62)) | (0x2 << 62)
        return str(uuid.UUID(int=number))

    def other(self) -> str:
        return str(uuid.UUID(int=self._rng.getrandbits(128), version=4))
