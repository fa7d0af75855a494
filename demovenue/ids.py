"""Identifiers as the venue makes them."""

from __future__ import annotations

import random
from hashlib import blake2b


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
        return dashed(number)

    def other(self) -> str:
        number = self._rng.getrandbits(128) & ~(0xF << 76 | 0x3 << 62)
        return dashed(number | 0x4 << 76 | 0x2 << 62)


def public_id(order_id: str) -> str:
    """House orders have short names inside; outside every order has a UUID."""
    if "/" not in order_id:
        return order_id
    return dashed(int.from_bytes(blake2b(order_id.encode(), digest_size=16).digest()))


def dashed(number: int) -> str:
    """128 bits as a UUID is written; `uuid.UUID` takes five times as long, and every row has one."""
    text = f"{number:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
