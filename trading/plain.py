"""Values as JSON that people and browsers read: decimals as plain text, times as ISO 8601."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

import msgspec

from krakenfutures.numbers import plain

encode = msgspec.json.Encoder().encode


def to_plain(value: Any) -> Any:
    """Nested values as JSON knows them; `1E-10` is written out, what is `unknown` stays behind."""
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, str | int | float | bool | None):
        return value.value if isinstance(value, Enum) else value
    if isinstance(value, msgspec.Struct):
        names = (name for name in value.__struct_fields__ if name != "unknown")
        return {name: to_plain(getattr(value, name)) for name in names}
    if isinstance(value, dict):
        return {str(name): to_plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [to_plain(part) for part in value]
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"a {type(value).__name__} has no form for the browser")


def to_json(value: Any) -> bytes:
    return encode(to_plain(value))
