"""Prices as the market-data requests tell them; the live ticker is decoded in `krakenfutures.hot`."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from krakenfutures.parse.fields import Fields, rows_of
from krakenfutures.values import Ticker

_NOT_USED = ("pair", "vwap24h", "isUnderlyingMarketClosed", "extrinsicValue", "greeks")


def parse_tickers(answer: Any) -> list[Ticker]:
    """Every market. Rows of plain indices, which old answers still have, are left out: nobody can trade them."""
    tickers = rows_of(answer, "tickers", parse_ticker)
    return [ticker for ticker in tickers if not ticker.symbol.startswith(("IN_", "RR_"))]


def parse_ticker(raw: Any) -> Ticker:
    """A row of the list, or what stands under `ticker`. `at` is the time of the last trade."""
    row = Fields(raw, "a ticker")
    row.ignore(*_NOT_USED)
    return Ticker(
        symbol=row.need_text("symbol").upper(),
        at=row.time("lastTime"),
        bid=row.decimal("bid"),
        bid_size=row.decimal("bidSize"),
        ask=row.decimal("ask"),
        ask_size=row.decimal("askSize"),
        last=row.decimal("last"),
        last_size=row.decimal("lastSize"),
        mark=row.decimal("markPrice"),
        index=row.decimal("indexPrice"),
        change_24h=row.decimal("change24h"),
        open_24h=row.decimal("open24h"),
        high_24h=row.decimal("high24h"),
        low_24h=row.decimal("low24h"),
        volume_24h=row.decimal("vol24h"),
        volume_quote=row.decimal("volumeQuote"),
        open_interest=row.decimal("openInterest"),
        funding_rate=row.decimal("fundingRate"),
        funding_rate_prediction=row.decimal("fundingRatePrediction"),
        suspended=row.flag("suspended"),
        post_only=row.flag("postOnly"),
        tag=row.text("tag") or "",
        unknown=row.unknown(),
    )


def parse_stream_ticker(raw: Any) -> Ticker:
    """The whole record of the live feed, and its short form `ticker_lite`, which has no time.

    The four funding rates are left out when they are zero, so on a perpetual a missing one is zero.
    """
    row = Fields(raw, "a live ticker")
    row.ignore("feed", "pair", "leverage", "dtm", "greeks")
    tag = row.text("tag") or ""
    none = Decimal(0) if tag == "perpetual" and raw.get("feed") == "ticker" else None

    def rate(name: str) -> Decimal | None:
        value = row.decimal(name)
        return none if value is None else value

    return Ticker(
        symbol=row.need_text("product_id").upper(),
        at=row.time("time"),
        bid=row.decimal("bid"),
        bid_size=row.decimal("bid_size"),
        ask=row.decimal("ask"),
        ask_size=row.decimal("ask_size"),
        last=row.decimal("last"),
        mark=row.decimal("markPrice", "mark_price"),
        index=row.decimal("index"),
        change_24h=row.decimal("change"),
        open_24h=row.decimal("open"),
        high_24h=row.decimal("high"),
        low_24h=row.decimal("low"),
        volume_24h=row.decimal("volume"),
        volume_quote=row.decimal("volumeQuote", "volume_quote"),
        open_interest=row.decimal("openInterest", "open_interest"),
        funding_rate=rate("funding_rate"),
        funding_rate_prediction=rate("funding_rate_prediction"),
        relative_funding_rate=rate("relative_funding_rate"),
        relative_funding_rate_prediction=rate("relative_funding_rate_prediction"),
        next_funding_at=row.time("next_funding_rate_time"),
        premium=row.decimal("premium"),
        maturity=row.time("maturityTime", "maturity_time"),
        suspended=row.flag("suspended"),
        post_only=row.flag("post_only"),
        tag=tag,
        unknown=row.unknown(),
    )
