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
        return dashed(f"{self._last:012x}{self._rng.randbytes(10).hex()}")

    def other(self) -> str:
        return dashed(self._rng.randbytes(16).hex())


def public_id(order_id: str) -> str:
    """House orders have short names inside; outside every order has a UUID."""
    if "/" not in order_id:
        return order_id
    return derived(order_id, "order")


def derived(uid: str, what: str) -> str:
    """An id made from another: the same for the same thing, every time it is asked for."""
    return dashed(blake2b(f"{uid}/{what}".encode(), digest_size=16).hexdigest())


def dashed(text: str) -> str:
    """32 hexadecimal digits as a UUID of the fourth version; `uuid.UUID` takes five times as long, and every row has
    one."""
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"
