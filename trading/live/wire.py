"""Values as the browser reads them: JSON, decimals as plain text, encoded once and passed on as bytes."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from krakenfutures.numbers import plain
from krakenfutures.values import BookSnapshot, Ticker, Trade
from trading.plain import encode

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


def book_json(book: BookSnapshot, *, gap: bool) -> bytes:
    """Best first. `gap` says that the book is void until its next snapshot."""
    sides = {
        name: [[plain(level.price), plain(level.size)] for level in levels]
        for name, levels in (("bids", book.bids), ("asks", book.asks))
    }
    return encode({**sides, "gap": True} if gap else sides)
