"""Public answers of REST: instruments, tickers, book, tape, funding."""

from __future__ import annotations

from typing import Any

from demovenue.doors.answers import iso, iso_micros, iso_millis, plain
from demovenue.values import BookView, FundingRate, Instrument, InstrumentStatus, Ticker, TradePrint

Fields = dict[str, Any]

# What `trading/instruments` leaves out of the public row, and what it adds.
_NOT_FOR_THE_ACCOUNT = frozenset(
    {
        "contractSize",
        "tradeable",
        "platformsPermitted",
        "countriesBanned",
        "retailMarginLevels",
        "marginSchedules",
        "category",
        "tags",
    }
)


def instrument(value: Instrument, state: InstrumentStatus | None) -> Fields:
    """A row of `instruments`: the recorded facts, with what was switched since."""
    if state is None:
        return value.raw
    row = {**value.raw, "postOnly": state.post_only}
    row.pop("makerProtectionMillis", None)
    return row | ({"makerProtectionMillis": state.maker_protection_ms} if state.maker_protection_ms else {})


def own_instrument(value: Instrument, *, restricted: bool) -> Fields:
    """A row of `trading/instruments`: the account's own view of a market."""
    row = {name: field for name, field in value.raw.items() if name not in _NOT_FOR_THE_ACCOUNT}
    return {**row, "minimumTradeSize": 0, "restricted": restricted}


def status(state: InstrumentStatus) -> Fields:
    return {
        "tradeable": state.symbol,
        "experiencingDislocation": state.dislocation is not None,
        "priceDislocationDirection": state.dislocation,
        "experiencingExtremeVolatility": state.extreme_volatility,
        "extremeVolatilityInitialMarginMultiplier": state.margin_multiplier,
    }


def ticker(value: Ticker) -> Fields:
    """A row of `tickers`. What was never traded, or has no order on a side, lacks those fields."""
    row: Fields = {
        "symbol": value.symbol,
        "last": value.last,
        "lastTime": iso_micros(value.last_at) if value.last_at else None,
        "tag": value.tag,
        "pair": value.pair,
        "markPrice": value.mark,
        "bid": value.bid,
        "bidSize": value.bid_size,
        "ask": value.ask,
        "askSize": value.ask_size,
        "vol24h": value.volume,
        "volumeQuote": value.volume_quote,
        "openInterest": value.open_interest,
        "open24h": value.open,
        "high24h": value.high,
        "low24h": value.low,
        "vwap24h": value.vwap,
        "lastSize": value.last_size,
        "fundingRate": value.funding_rate,
        "fundingRatePrediction": value.funding_rate_prediction,
        "suspended": value.suspended,
        "indexPrice": value.index,
        "postOnly": value.post_only,
        "change24h": value.change,
    }
    return numbers({name: field for name, field in row.items() if field is not None})


def numbers(row: Fields) -> Fields:
    """Every decimal of a flat row in the plain form it is printed in."""
    return {name: plain(value) if _is_decimal(value) else value for name, value in row.items()}


def _is_decimal(value: object) -> bool:
    return type(value).__name__ == "Decimal"


def book(view: BookView) -> Fields:
    return {
        "bids": [(plain(price), plain(size)) for price, size in view.bids],
        "asks": [(plain(price), plain(size)) for price, size in view.asks],
    }


def trade(value: TradePrint, number: int, instrument: Instrument, *, mtf: bool) -> Fields:
    """A row of `history`; `number` counts inside the answer, the newest highest, as recorded."""
    row: Fields = {
        "time": iso_millis(value.at),
        "trade_id": number,
        "price": plain(value.price),
        "size": plain(value.size),
        "side": value.side,
        "type": value.kind,
        "uid": value.uid,
    }
    isin = instrument.raw.get("isin")
    if not (mtf and isin and instrument.raw.get("mtf")):
        return row
    notional = value.size if instrument.inverse else value.size * value.price
    return row | {
        "instrument_identification_type": "ISIN",
        "isin": isin,
        "execution_venue": "CFBM",
        "price_notation": "MONE",
        "price_currency": "USD",
        "notional_amount": plain(notional),
        "notional_currency": "USD",
        "publication_time": iso_millis(value.at),
        "publication_venue": "CFBM",
        "transaction_identification_code": value.uid,
        "to_be_cleared": False,
    }


def funding(rate: FundingRate) -> Fields:
    return {
        "timestamp": iso(rate.at.replace(microsecond=0)),
        "fundingRate": plain(rate.absolute),
        "relativeFundingRate": plain(rate.relative),
    }
