"""Positions into rows: always the whole list, and never older over newer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from krakenfutures import values
from trading.actions.progress import advance
from trading.models import Position
from trading.publish import announce

KEPT = ("unrealised_pnl", "unrealised_funding", "liquidation_price", "initial_margin", "maintenance_margin", "mark")
FIELDS = ("size", "entry", "pnl_currency", "max_leverage", "unwind_percentile", "at", "source", "unknown", *KEPT)


def replace_positions(account_id: int, positions: Sequence[values.Position], *, at: datetime, source: str) -> bool:
    """Store what the venue says is open, and forget the rest: those are closed. False when newer news are stored."""
    with transaction.atomic():
        if not advance(account_id, "positions", at):
            return False
        old = {row.symbol: row for row in Position.objects.filter(account_id=account_id)}
        rows = [_row(account_id, said, old.get(said.symbol), at, source) for said in positions if said.size]
        closed = set(old) - {row.symbol for row in rows}
        if closed:
            Position.objects.filter(account_id=account_id, symbol__in=closed).delete()
        if rows:
            Position.objects.bulk_create(
                rows, update_conflicts=True, unique_fields=["account", "symbol"], update_fields=FIELDS
            )
        announce(account_id, "positions", {"positions": list(positions)})
    return True


def _row(account_id: int, said: values.Position, old: Position | None, at: datetime, source: str) -> Position:
    """The feed tells the liquidation price and the request does not: of an unchanged position both are kept.

    The unwind rank is in neither: it stays with the position until it is read again, or the side changes.
    """
    row = Position(
        account_id=account_id,
        symbol=said.symbol,
        size=said.size,
        entry=said.entry,
        pnl_currency=said.pnl_currency or "",
        max_leverage=said.max_leverage,
        at=at,
        source=source,
        unknown=said.unknown,
    )
    if old is not None and (old.size > 0) == (said.size > 0):
        row.unwind_percentile = old.unwind_percentile
    unchanged = old is not None and old.size == said.size and old.entry == said.entry
    for name in KEPT:
        value = getattr(said, name)
        setattr(row, name, getattr(old, name) if value is None and unchanged else value)
    return row
