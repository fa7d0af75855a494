"""Executions of our own orders."""

from __future__ import annotations

from typing import Any

from krakenfutures.errors import Unreadable
from krakenfutures.numbers import normal_currency
from krakenfutures.parse.fields import Fields, rows_of
from krakenfutures.values import Fill, Side
from krakenfutures.words import FILL_TYPES, SIDES


def parse_fills(answer: Any) -> list[Fill]:
    """Up to 100, newest first."""
    return rows_of(answer, "fills", parse_fill)


def parse_fill(raw: Any) -> Fill:
    """The request's row: it says nothing of the fee."""
    row = Fields(raw, "a fill")
    side = row.need_text("side")
    if side not in SIDES:
        raise Unreadable(f"{side!r} is not a side of a fill")
    return Fill(
        id=row.need_text("fill_id"),
        order_id=row.need_text("order_id"),
        client_id=row.text("cliOrdId", "cli_ord_id"),
        symbol=row.need_text("symbol").upper(),
        side=SIDES[side],
        size=row.need_decimal("size"),
        price=row.need_decimal("price"),
        at=row.need_time("fillTime"),
        kind=_kind(row, "fillType"),
        realised_pnl=row.decimal("realized_pnl"),
        seq=row.integer("sequence_id"),
        unknown=row.unknown(),
    )


def parse_stream_fills(raw: Any) -> tuple[Fill, ...]:
    return tuple(parse_stream_fill(row) for row in Fields(raw, "fills").rows("fills"))


def parse_stream_fill(raw: Any) -> Fill:
    row = Fields(raw, "a live fill")
    row.ignore("remaining_order_qty", "taker_order_type", "order_type")
    currency = row.text("fee_currency")
    return Fill(
        id=row.need_text("fill_id"),
        order_id=row.need_text("order_id"),
        client_id=row.text("cli_ord_id"),
        symbol=row.need_text("instrument").upper(),
        side=Side.BUY if row.need("buy") else Side.SELL,
        size=row.need_decimal("qty"),
        price=row.need_decimal("price"),
        at=row.need_time("time"),
        kind=_kind(row, "fill_type"),
        fee=row.decimal("fee_paid"),
        fee_currency=normal_currency(currency) if currency else None,
        seq=row.integer("seq"),
        unknown=row.unknown(),
    )


def _kind(row: Fields, name: str) -> str:
    """A fill type we do not know stays as it came, and is flagged."""
    kind = row.text(name) or "unknown"
    if kind not in FILL_TYPES:
        row.keep(name, kind)
    return kind
