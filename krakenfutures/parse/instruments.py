"""Contracts: what may be traded, in which steps, at which margin."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from krakenfutures.errors import Unreadable
from krakenfutures.numbers import normal_currency
from krakenfutures.parse.fields import Fields, rows_of
from krakenfutures.values import Instrument, InstrumentStatus, MarginLevel, Unknown
from krakenfutures.words import KINDS, kind_of, wallet_of

# Known and of no use to the desk: regulation, deprecated fee plans, ladders of other kinds of customers.
_NOT_USED = (
    "underlying",
    "contractSize",
    "isin",
    "feeScheduleUid",
    "mtf",
    "tradfi",
    "platformsPermitted",
    "countriesBanned",
    "retailMarginLevels",
    "marginSchedules",
    "pair",
    "tags",
    "rebateLevels",
    "description",
    "minRelativeFundingRate",
    "maxOpenInterestUsd",
    "maxOpenInterestShare",
    "underlyingFuture",
    "optionType",
    "strikePrice",
    "minimumTradeSize",
    "restricted",
)


def parse_instruments(answer: Any) -> list[Instrument]:
    return rows_of(answer, "instruments", parse_instrument)


def parse_instrument(raw: Any) -> Instrument:
    """A row of `instruments` or of `trading/instruments`. Raises `Unreadable` without symbol or tick."""
    row = Fields(raw, "an instrument")
    symbol = row.need_text("symbol").upper()
    kind = row.word(KINDS, "type", otherwise=kind_of(symbol))
    decimals = row.integer("contractValueTradePrecision") or 0
    maturity = row.time("lastTradingTime")
    levels, odd_levels = _margin_levels(row)
    if odd_levels:
        row.keep("marginLevels", odd_levels)
    row.ignore(*_NOT_USED)
    return Instrument(
        symbol=symbol,
        kind=kind,
        base=normal_currency(row.text("base") or _pair(symbol)[0]),
        quote=normal_currency(row.text("quote") or _pair(symbol)[1]),
        tick=_positive(row.need_decimal("tickSize")),
        lot=Decimal(1).scaleb(-decimals),
        size_decimals=decimals,
        max_position=row.decimal("maxPositionSize") or Decimal(0),
        margin_levels=levels,
        wallet=wallet_of(symbol),
        perpetual=symbol.startswith("P") and maturity is None,
        maturity=maturity,
        opened=row.time("openingDate"),
        impact_mid_size=row.decimal("impactMidSize"),
        funding_coefficient=row.decimal("fundingRateCoefficient"),
        funding_cap=row.decimal("maxRelativeFundingRate"),
        post_only=row.flag("postOnly"),
        tradeable=row.take("tradeable") is not False,
        expired=row.flag("isExpired"),
        category=row.text("category") or "",
        maker_protection_ms=row.integer("makerProtectionMillis"),
        unknown=row.unknown(),
    )


def parse_statuses(answer: Any) -> list[InstrumentStatus]:
    """The list form, one row a contract."""
    return rows_of(answer, "instrumentStatus", parse_status)


def parse_status(raw: Any) -> InstrumentStatus:
    """A row of the list, or the whole answer about one contract."""
    row = Fields(raw, "an instrument status")
    row.ignore("result", "serverTime")
    return InstrumentStatus(
        symbol=row.need_text("tradeable").upper(),  # the symbol, despite the name
        dislocated=row.flag("experiencingDislocation"),
        dislocation=row.text("priceDislocationDirection") or "",
        extremely_volatile=row.flag("experiencingExtremeVolatility"),
        margin_multiplier=row.decimal("extremeVolatilityInitialMarginMultiplier") or Decimal(1),
        unknown=row.unknown(),
    )


def _margin_levels(row: Fields) -> tuple[tuple[MarginLevel, ...], list[Unknown]]:
    """The professional ladder, ascending, and whatever in it we do not know."""
    levels, odd = [], []
    for raw in row.rows("marginLevels"):
        level = Fields(raw, "a margin level")
        levels.append(
            MarginLevel(
                start=level.need_decimal("contracts", "numNonContractUnits"),
                initial=level.need_decimal("initialMargin"),
                maintenance=level.need_decimal("maintenanceMargin"),
            )
        )
        if left := level.unknown():
            odd.append(left)
    return tuple(sorted(levels, key=lambda level: level.start)), odd


def _pair(symbol: str) -> tuple[str, str]:
    """Base and quote out of the symbol, for rows that name neither."""
    middle = symbol.split("_")[1] if "_" in symbol else symbol
    return middle[:-3], middle[-3:]


def _positive(tick: Decimal) -> Decimal:
    if tick <= 0:
        raise Unreadable(f"a tick of {tick} is not a step")
    return tick
