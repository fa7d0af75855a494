"""What travels to a browser: one text frame holding a JSON array, encoded once however many sockets get it."""

from __future__ import annotations

import struct
from collections.abc import Iterable

FINAL_TEXT = 0x81


class Frame:
    """`text` is the JSON array, `wire` the same as complete WebSocket frame bytes, ready for a transport."""

    __slots__ = ("number", "text", "wire")

    def __init__(self, number: int, now: int, messages: Iterable[bytes]) -> None:
        self.number = number
        self.text = b",".join((b'[{"f":%d,"now":%d}' % (number, now), *messages)) + b"]"
        self.wire = header(len(self.text)) + self.text


def header(length: int) -> bytes:
    """RFC 6455, server to client: unmasked, unfragmented text."""
    if length < 126:
        return struct.pack("!BB", FINAL_TEXT, length)
    if length < 65536:
        return struct.pack("!BBH", FINAL_TEXT, 126, length)
    return struct.pack("!BBQ", FINAL_TEXT, 127, length)


def message(stream: str, number: int, kind: str, data: bytes, *, venue_ms: int | None, relay_ms: int | None) -> bytes:
    """One message of a frame. `kind` is snap, upd or no; `data` is JSON already."""
    times = b""
    if venue_ms is not None:
        times += b'"t":%d,' % venue_ms
    if relay_ms is not None:
        times += b'"r":%d,' % relay_ms
    return b'{"s":"%s","n":%d,"k":"%s",%s"d":%s}' % (stream.encode(), number, kind.encode(), times, data)
