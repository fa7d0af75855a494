"""What an account chose for each contract, and how near its positions are to being unwound."""

from __future__ import annotations

from typing import Any

import msgspec

from krakenfutures.numbers import normal_currency
from krakenfutures.parse.fields import Fields, rows_of
from krakenfutures.values import Preference, UnwindRank


def parse_leverages(answer: Any) -> list[Preference]:
    """Only isolated contracts are named."""
    return rows_of(answer, "leveragePreferences", _leverage)


def _leverage(raw: Any) -> Preference:
    row = Fields(raw, "a leverage preference")
    symbol, cap = row.need_text("symbol").upper(), row.need_decimal("maxLeverage")
    return Preference(symbol=symbol, max_leverage=cap, unknown=row.unknown())


def parse_pnl_currencies(answer: Any) -> list[Preference]:
    """Contracts whose profit is paid out as it always was are not named."""
    return rows_of(answer, "preferences", _pnl_currency)


def _pnl_currency(raw: Any) -> Preference:
    row = Fields(raw, "a PnL preference")
    symbol, currency = row.need_text("symbol").upper(), normal_currency(row.need_text("pnlCurrency"))
    return Preference(symbol=symbol, pnl_currency=currency, unknown=row.unknown())


def together(leverages: list[Preference], currencies: list[Preference]) -> list[Preference]:
    """One for each contract that is in either list."""
    found = {one.symbol: one for one in leverages}
    for one in currencies:
        named = found.get(one.symbol, Preference(symbol=one.symbol))
        unknown = {**named.unknown, **one.unknown}
        found[one.symbol] = msgspec.structs.replace(named, pnl_currency=one.pnl_currency, unknown=unknown)
    return list(found.values())


def parse_unwind_queue(answer: Any) -> list[UnwindRank]:
    return rows_of(answer, "queue", _unwind_rank)


def _unwind_rank(raw: Any) -> UnwindRank:
    row = Fields(raw, "a place in the unwind queue")
    symbol, percentile = row.need_text("symbol").upper(), int(row.need_decimal("percentile"))
    return UnwindRank(symbol=symbol, percentile=percentile, unknown=row.unknown())
