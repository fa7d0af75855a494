"""Values as the browser reads them: JSON, decimals as plain text, encoded once and passed on as bytes."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

import msgspec

from krakenfutures.numbers import plain
from krakenfutures.values import Ticker, Trade

encode = msgspec.json.Encoder().encode

ROW = (
    "last",
    "bid",
    "ask",
    "mark",
    "index",
    "change_24h",
    "volume_quote",
    "open_interest",
    "funding_rate",
    "relative_funding_rate",
    "tag",
    "suspended",
)  # what a table of markets shows of each
_TICKER_FIELDS = tuple(field for field in Ticker.__struct_fields__ if field != "unknown")


def milliseconds(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp() * 1000)


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


def _set_fields(ticker: Ticker, names: tuple[str, ...]) -> bytes:
    found = ((name, getattr(ticker, name)) for name in names)
    return encode(
        {name: plain(value) if isinstance(value, Decimal) else value for name, value in found if value is not None}
    )


def ticker_json(ticker: Ticker) -> bytes:
    """Every field that is set; readable back into `Ticker`."""
    return _set_fields(ticker, _TICKER_FIELDS)


def ticker_row(ticker: Ticker) -> bytes:
    """What a table of markets shows."""
    return _set_fields(ticker, ROW)


def trade_json(trade: Trade) -> bytes:
    return encode(
        {
            "id": trade.id,
            "side": trade.side.value,
            "price": plain(trade.price),
            "size": plain(trade.size),
            "at": milliseconds(trade.at),
            "kind": trade.kind,
        }
    )


def levels_json(levels: list[tuple[Decimal, Decimal]]) -> list[list[str]]:
    return [[plain(price), plain(size)] for price, size in levels]
