"""One socket client: what it may hear, and the bytes on their way to it.

Messages are framed once and the same bytes are written to every subscriber's transport. A client that does not
read is cut off when too much waits for it; nothing is left out silently.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from typing import Any

from aiohttp import web

from demovenue.doors.answers import encode

MOST_WAITING = 8 * 1024 * 1024  # bytes a client may be behind
REQUESTS_A_SECOND = 100
Topic = tuple[str, str]  # feed and product, or feed and account


def frame(payload: bytes) -> bytes:
    """A whole, unmasked text frame (RFC 6455)."""
    size = len(payload)
    if size < 126:
        head = bytes((0x81, size))
    elif size < 65536:
        head = b"\x81\x7e" + size.to_bytes(2)
    else:
        head = b"\x81\x7f" + size.to_bytes(8)
    return head + payload


def message(fields: object) -> bytes:
    return frame(encode(fields))


class Connection:
    def __init__(self, socket: web.WebSocketResponse, transport: asyncio.Transport, peer: str) -> None:
        self.socket = socket
        self.peer = peer
        self.topics: set[Topic] = set()
        self.challenges: dict[str, str] = {}  # api key → challenge
        self.keys: set[str] = set()  # proven by a signed challenge
        self.product_filter: frozenset[str] | None = None  # of the fills feed
        self.sequences: dict[str, int] = {}  # next number of open_positions and balances
        self.heard_at = time.monotonic()
        self._transport = transport
        self._pending: list[bytes] = []
        self._waiting = 0
        self._scheduled = False
        self._frozen_until = 0.0
        self._allowance = float(REQUESTS_A_SECOND)

    # --- to the client ----------------------------------------------------------------------------

    def send(self, framed: bytes) -> None:
        """Queue a framed message; what is queued in one turn of the loop leaves in one write."""
        if self._transport.is_closing():
            return
        self._pending.append(framed)
        self._waiting += len(framed)
        if self._waiting + self._transport.get_write_buffer_size() > MOST_WAITING:
            self.cut()
        elif not self._scheduled and not self._frozen_until:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._flush)

    def say(self, fields: Any) -> None:
        self.send(message(fields))

    def alert(self, words: str) -> None:
        self.say({"event": "alert", "message": words})

    def _flush(self) -> None:
        self._scheduled = False
        if self._frozen_until or not self._pending or self._transport.is_closing():
            return
        self._transport.write(b"".join(self._pending))
        self._pending.clear()
        self._waiting = 0

    # --- misfortunes ------------------------------------------------------------------------------

    def freeze(self, seconds: float) -> None:
        """Say nothing for a while, although the line stays open; what was to be said comes later."""
        self._frozen_until = time.monotonic() + seconds
        asyncio.get_running_loop().call_later(seconds, self._thaw)

    def _thaw(self) -> None:
        """A later freeze may have moved the end."""
        if time.monotonic() >= self._frozen_until - 0.01:
            self.thaw()

    def thaw(self) -> None:
        self._frozen_until = 0.0
        self._flush()

    def cut(self) -> None:
        """Gone without a goodbye, as when a cable is pulled."""
        self._pending.clear()
        self._waiting = 0
        self._transport.abort()

    # --- from the client --------------------------------------------------------------------------

    def heard(self) -> None:
        self.heard_at = time.monotonic()

    def may_ask(self) -> bool:
        """At most 100 requests a second, counted with the time since the last one."""
        now = time.monotonic()
        self._allowance = min(REQUESTS_A_SECOND, self._allowance + (now - self.heard_at) * REQUESTS_A_SECOND)
        self.heard_at = now
        self._allowance -= 1
        return self._allowance >= 0

    def challenge(self, api_key: str) -> str:
        """One per key and connection; asked again, the same one is given again."""
        return self.challenges.setdefault(api_key, str(uuid.uuid4()))

    def next_sequence(self, feed: str) -> int:
        number = self.sequences.get(feed, 0)
        self.sequences[feed] = number + 1
        return number
