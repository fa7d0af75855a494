"""What everybody may see of a market: its book, its trades, its candles, its funding."""

from __future__ import annotations

from typing import Any

from krakenfutures.errors import Unreadable
from krakenfutures.numbers import to_decimal, to_time
from krakenfutures.parse.fields import Fields, rows_of
from krakenfutures.values import (
    BookDelta,
    BookSnapshot,
    Candle,
    FundingRate,
    Level,
    Measure,
    Reading,
    Side,
    Trade,
)
from krakenfutures.words import SIDES, TRADE_TYPES

# What regulated venues must publish with a trade.
_REGULATORY = (
    "instrument_identification_type",
    "isin",
    "execution_venue",
    "price_notation",
    "price_currency",
    "notional_amount",
    "notional_currency",
    "publication_time",
    "publication_venue",
    "transaction_identification_code",
    "to_be_cleared",
)


def parse_orderbook(answer: Any, symbol: str) -> BookSnapshot:
    """The requested book. It has no sequence number: deltas cannot be put on top of it."""
    whole = Fields(answer, "an order book")
    book = Fields(whole.need("orderBook"), "an order book")
    return BookSnapshot(
        symbol=symbol.upper(),
        bids=tuple(_pair(row) for row in book.rows("bids")),
        asks=tuple(_pair(row) for row in book.rows("asks")),
        at=whole.time("serverTime"),
    )


def parse_book_snapshot(raw: Any) -> BookSnapshot:
    """The live book as it is first told. A level of size 0 stands for nothing."""
    row = Fields(raw, "a book snapshot")
    return BookSnapshot(
        symbol=row.need_text("product_id").upper(),
        bids=_levels(row, "bids"),
        asks=_levels(row, "asks"),
        seq=row.integer("seq"),
        at=row.time("timestamp"),
    )


def parse_book_delta(raw: Any) -> BookDelta:
    row = Fields(raw, "a book delta")
    return BookDelta(
        symbol=row.need_text("product_id").upper(),
        side=_side(row),
        price=row.need_decimal("price"),
        size=row.need_decimal("qty"),
        seq=int(row.need_decimal("seq")),
        at=row.time("timestamp"),
    )


def parse_trade_history(answer: Any, symbol: str) -> list[Trade]:
    """Up to 100 trades, newest first. Rows without an id are named by their time and place."""
    return rows_of(answer, "history", lambda raw: _parse_past_trade(raw, symbol.upper()))


def _parse_past_trade(raw: Any, symbol: str) -> Trade:
    row = Fields(raw, "a trade")
    row.ignore(*_REGULATORY)
    number = row.text("trade_id") or ""
    at = row.need_time("time")
    return Trade(
        symbol=symbol,
        id=row.text("uid") or f"{at.isoformat()}/{number}",
        side=_side(row),
        price=row.need_decimal("price"),
        size=row.need_decimal("size"),
        at=at,
        kind=_kind(row),
        unknown=row.unknown(),
    )


def parse_stream_trade(raw: Any) -> Trade:
    row = Fields(raw, "a live trade")
    row.ignore("feed")
    return Trade(
        symbol=row.need_text("product_id").upper(),
        id=row.need_text("uid"),
        side=_side(row),
        price=row.need_decimal("price"),
        size=row.need_decimal("qty"),
        at=row.need_time("time"),
        kind=_kind(row),
        seq=row.integer("seq"),
        unknown=row.unknown(),
    )


def parse_candles(answer: Any) -> tuple[list[Candle], bool]:
    """The candles, oldest first, and whether the asked-for range was cut."""
    whole = Fields(answer, "candles")
    return [parse_candle(raw) for raw in whole.rows("candles")], whole.flag("more_candles")


def parse_candle(raw: Any) -> Candle:
    row = Fields(raw, "a candle")
    return Candle(
        at=row.need_time("time"),
        open=row.need_decimal("open"),
        high=row.need_decimal("high"),
        low=row.need_decimal("low"),
        close=row.need_decimal("close"),
        volume=row.need_decimal("volume"),
    )


def parse_funding(answer: Any) -> list[FundingRate]:
    """Hourly, oldest first."""
    return rows_of(answer, "rates", _parse_rate)


def _parse_rate(raw: Any) -> FundingRate:
    row = Fields(raw, "a funding rate")
    return FundingRate(
        at=row.need_time("timestamp"),
        absolute=row.need_decimal("fundingRate"),
        relative=row.need_decimal("relativeFundingRate"),
    )


def parse_readings(answer: Any, measure: Measure) -> list[Reading]:
    """A series: columns beside a column of times. A step the venue tells in one number, or in four."""
    result = Fields(Fields(answer, "an analysis").need("result"), "an analysis")
    times, data = list(result.rows("timestamp")), result.need("data")
    if measure is Measure.FUNDING:
        data = Fields(data, "funding").need("relativeRate")
    elif measure is Measure.PREMIUM:
        data = Fields(data, "the basis").need("basis")
    if not isinstance(data, list) or len(data) != len(times):
        raise Unreadable("the columns of an analysis are not equally long")
    return [_reading(time, value) for time, value in zip(times, data, strict=True)]


def _reading(time: Any, value: Any) -> Reading:
    four = value if isinstance(value, list) else [value] * 4
    if len(four) != 4:
        raise Unreadable("a step of an analysis is neither one number nor four")
    first, high, low, last = map(to_decimal, four)
    return Reading(at=to_time(to_decimal(time) * 1000), open=first, high=high, low=low, close=last)


def parse_server_time(answer: Any) -> float:
    """The venue's clock as a Unix time in seconds. Raises `Unreadable` when the answer names none."""
    return to_time(Fields(answer, "the answer").need("serverTime")).timestamp()


def _side(row: Fields) -> Side:
    """A side cannot be guessed: a word that is not one makes the message unreadable."""
    word = row.need_text("side")
    if word not in SIDES:
        raise Unreadable(f"{word!r} is not a side")
    return SIDES[word]


def _kind(row: Fields) -> str:
    kind = row.text("type") or "fill"
    if kind not in TRADE_TYPES:
        row.keep("type", kind)
    return kind


def _pair(row: Any) -> Level:
    if not isinstance(row, list) or len(row) < 2:
        raise Unreadable("a level of the book is not a pair")
    return Level(price=to_decimal(row[0]), size=to_decimal(row[1]))


def _levels(row: Fields, name: str) -> tuple[Level, ...]:
    levels = (Fields(raw, "a level") for raw in row.rows(name))
    parsed = (Level(price=level.need_decimal("price"), size=level.need_decimal("qty")) for level in levels)
    return tuple(level for level in parsed if level.size)
