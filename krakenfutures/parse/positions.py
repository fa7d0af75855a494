"""Positions, from the request (a side and a size) and from the live stream (a signed balance)."""

from __future__ import annotations

from typing import Any

from krakenfutures.errors import Unreadable
from krakenfutures.numbers import normal_currency
from krakenfutures.parse.fields import Fields, rows_of
from krakenfutures.values import Position
from krakenfutures.words import SIDES


def parse_positions(answer: Any) -> list[Position]:
    return rows_of(answer, "openPositions", parse_position)


def parse_position(raw: Any) -> Position:
    row = Fields(raw, "a position")
    row.ignore("fillTime", "greeks")
    side = row.need_text("side")
    if side not in SIDES:
        raise Unreadable(f"{side!r} is not a side of a position")
    return Position(
        symbol=row.need_text("symbol").upper(),
        size=row.need_decimal("size") * SIDES[side].sign,
        entry=row.need_decimal("price"),
        unrealised_pnl=row.decimal("unrealizedPnl"),
        unrealised_funding=row.decimal("unrealizedFunding"),
        pnl_currency=_currency(row.text("pnlCurrency")),
        max_leverage=row.decimal("maxFixedLeverage"),
        unknown=row.unknown(),
    )


def parse_stream_positions(raw: Any) -> tuple[Position, ...]:
    """Every open position: one that is missing is closed."""
    return tuple(parse_stream_position(row) for row in Fields(raw, "positions").rows("positions"))


def parse_stream_position(raw: Any) -> Position:
    """A liquidation threshold of 0 means that no price liquidates it."""
    row = Fields(raw, "a live position")
    row.ignore("index_price", "effective_leverage", "return_on_equity", "initial_margin_with_orders", "fill_time")
    row.ignore("iv", "delta", "theta", "gamma", "vega", "rho")
    return Position(
        symbol=row.need_text("instrument").upper(),
        size=row.need_decimal("balance"),
        entry=row.need_decimal("entry_price"),
        unrealised_pnl=row.decimal("pnl"),
        unrealised_funding=row.decimal("unrealized_funding"),
        pnl_currency=_currency(row.text("pnl_currency")),
        max_leverage=row.decimal("max_fixed_leverage"),
        liquidation_price=row.nonzero("liquidation_threshold"),
        initial_margin=row.decimal("initial_margin"),
        maintenance_margin=row.decimal("maintenance_margin"),
        mark=row.decimal("mark_price"),
        unknown=row.unknown(),
    )


def _currency(code: str | None) -> str | None:
    return None if code is None else normal_currency(code)
