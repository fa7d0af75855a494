"""What a market shows."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from demovenue.values.base import Record


class Candle(Record, frozen=True):
    time: int  # epoch milliseconds of the opening
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal


class Ticker(Record, frozen=True):
    """None where Kraken leaves the field out."""

    symbol: str
    at: datetime
    tag: str
    pair: str
    mark: Decimal
    index: Decimal
    volume: Decimal
    volume_quote: Decimal
    open_interest: Decimal
    change: Decimal  # percent, two decimals
    suspended: bool
    post_only: bool
    premium: Decimal  # percent
    leverage: str  # "50x"
    bid: Decimal | None = None
    bid_size: Decimal | None = None
    ask: Decimal | None = None
    ask_size: Decimal | None = None
    last: Decimal | None = None
    last_size: Decimal | None = None
    last_at: datetime | None = None
    open: Decimal | None = None
    high: Decimal | None = None
    low: Decimal | None = None
    vwap: Decimal | None = None
    funding_rate: Decimal | None = None  # absolute
    funding_rate_prediction: Decimal | None = None
    relative_funding_rate: Decimal | None = None
    relative_funding_rate_prediction: Decimal | None = None
    next_funding: datetime | None = None
    maturity: datetime | None = None


class BookView(Record, frozen=True):
    symbol: str
    seq: int
    at: datetime
    bids: tuple[tuple[Decimal, Decimal], ...]  # price, size; best first
    asks: tuple[tuple[Decimal, Decimal], ...]


class FundingRate(Record, frozen=True):
    at: datetime  # the start of the hour it applied to
    absolute: Decimal
    relative: Decimal


class MarketOrder(Record, frozen=True):
    """An anonymous order entering or leaving the book. `key` is OrderPlaced or OrderCancelled."""

    seq: int  # rises; the cursor
    symbol: str
    key: str
    order_id: str
    side: str
    price: Decimal
    size: Decimal
    at: datetime


class Analytics(Record, frozen=True):
    """A series: `data` is a list aligned with `timestamps` (epoch seconds), or a tree of such lists."""

    timestamps: list[int]
    data: Any
    more: bool = False
