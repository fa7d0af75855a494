"""Entries of the venue's history into their tables: fast, each once, in whatever order and however often they come."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection, models

from krakenfutures.funds import LedgerRow, category_of
from krakenfutures.history import AccountEvent, PositionEvent
from krakenfutures.numbers import plain
from krakenfutures.values import Unknown
from trading.models import HistoryEvent, LogEntry
from trading.models import PositionEvent as PositionRow

SOURCE = "derivatives"
AT_ONCE = 500  # names in one statement

EVENT = (
    "account_id", "source", "stream", "venue_id", "at", "kind", "symbol", "venue_order_id", "client_order_id", "side",
    "type", "size", "filled", "limit_price", "stop_price", "trigger_signal", "reduce_only", "old_size",
    "old_limit_price", "old_stop_price", "reason", "error", "unknown", "flagged",
)  # fmt: skip
POSITION = (
    "account_id", "source", "venue_id", "at", "symbol", "change", "reason", "old_size", "new_size", "old_entry",
    "new_entry", "venue_fill_id", "price", "size", "trade_kind", "fee", "fee_currency", "realised_pnl",
    "realised_funding", "settlement_price", "unknown", "flagged",
)  # fmt: skip
LOG = (
    "account_id", "source", "number", "at", "wallet", "asset", "kind", "category", "contract", "old", "new", "booking",
    "reference", "fee", "realised_pnl", "realised_funding", "funding_rate", "price", "mark", "old_entry", "new_entry",
    "liquidation_fee", "conversion_spread", "collateral", "unknown", "flagged", "proven",
)  # fmt: skip


def insert_sql(model: type[models.Model], columns: Sequence[str], conflict: str) -> str:
    """Django's own bulk insert takes ten times as long."""
    places = ", ".join(["%s"] * len(columns))
    named = ", ".join(f'"{name}"' for name in columns)
    return f'INSERT INTO "{model._meta.db_table}" ({named}) VALUES ({places}) ON CONFLICT {conflict}'  # noqa: S608 # nosec B608 - made of our own column names


INSERT_EVENT = insert_sql(HistoryEvent, EVENT, "(account_id, source, stream, venue_id) DO NOTHING")
INSERT_POSITION = insert_sql(PositionRow, POSITION, "(account_id, source, venue_id) DO NOTHING")
PROVE = ", ".join(f'"{name}" = excluded."{name}"' for name in LOG[3:])
INSERT_LOG = insert_sql(
    LogEntry,
    LOG,
    f"(account_id, source, number) DO UPDATE SET {PROVE} WHERE NOT trading_logentry.proven AND excluded.proven",
)
# A fill read from the executions does not say what it realised; the position's event does.
COMPLETE_FILLS = """
    UPDATE trading_fill SET realised_pnl = (
        SELECT moved.realised_pnl FROM trading_positionevent moved
        WHERE moved.account_id = trading_fill.account_id AND moved.venue_fill_id = trading_fill.venue_fill_id LIMIT 1
    )
    WHERE account_id = %s AND source = %s AND realised_pnl IS NULL AND venue_fill_id IN ({})
"""


def keep_events(account_id: int, events: Sequence[AccountEvent]) -> int:
    """Returns how many were new."""
    return _insert(INSERT_EVENT, [_event_row(account_id, one) for one in events])


def keep_positions(account_id: int, moves: Sequence[PositionEvent]) -> int:
    """Returns how many were new. The fills among them learn what they realised."""
    new = _insert(INSERT_POSITION, [_position_row(account_id, one) for one in moves])
    complete_fills(account_id, [one.execution for one in moves if one.execution])
    return new


def keep_log(account_id: int, rows: Sequence[LedgerRow], *, proven: bool) -> int:
    """Returns how many are new, or proven now. What is proven is never overwritten."""
    return _insert(INSERT_LOG, [_log_row(account_id, one, proven=proven) for one in rows])


def complete_fills(account_id: int, fill_ids: Sequence[str]) -> None:
    with connection.cursor() as cursor:
        for start in range(0, len(fill_ids), AT_ONCE):
            some = fill_ids[start : start + AT_ONCE]
            asked = COMPLETE_FILLS.format(", ".join(["%s"] * len(some)))
            cursor.execute(asked, [account_id, SOURCE, *some])


def _insert(sql: str, rows: Iterable[tuple[Any, ...]]) -> int:
    rows = list(rows)
    if not rows:
        return 0
    with connection.cursor() as cursor:
        cursor.executemany(sql, rows)
        return int(cursor.rowcount)


def _event_row(account_id: int, one: AccountEvent) -> tuple[Any, ...]:
    return (
        account_id, SOURCE, one.stream.value, one.id, _time(one.at), one.kind[:40], one.symbol, one.order_id,
        one.client_id or "", one.side.value if one.side else "", one.type.value, _text(one.size), _text(one.filled),
        _text(one.limit_price), _text(one.stop_price), one.trigger_signal.value if one.trigger_signal else "",
        one.reduce_only, _text(one.old_size), _text(one.old_limit_price), _text(one.old_stop_price),
        one.reason[:120], one.error[:120], _json(one.unknown), bool(one.unknown),
    )  # fmt: skip


def _position_row(account_id: int, one: PositionEvent) -> tuple[Any, ...]:
    return (
        account_id, SOURCE, one.id, _time(one.at), one.symbol, one.change[:20], one.reason[:24], plain(one.old_size),
        plain(one.new_size), _text(one.old_entry), _text(one.new_entry), one.execution, _text(one.price),
        _text(one.size), one.trade_kind[:40], _text(one.fee), one.fee_currency, _text(one.realised_pnl),
        _text(one.realised_funding), _text(one.settlement_price), _json(one.unknown), bool(one.unknown),
    )  # fmt: skip


def _log_row(account_id: int, one: LedgerRow, *, proven: bool) -> tuple[Any, ...]:
    return (
        account_id, SOURCE, one.id, _time(one.at), one.wallet, one.asset, one.kind[:60], category_of(one.kind).value,
        one.contract, plain(one.old), plain(one.new), one.booking, one.reference, _text(one.fee),
        _text(one.realised_pnl), _text(one.realised_funding), _text(one.funding_rate), _text(one.price),
        _text(one.mark), _text(one.old_entry), _text(one.new_entry), _text(one.liquidation_fee),
        _text(one.conversion_spread), one.collateral, _json(one.unknown), bool(one.unknown), proven,
    )  # fmt: skip


def _time(moment: datetime) -> datetime | str:
    """As Django writes a time into SQLite; the times of a venue are in UTC already."""
    return str(moment.replace(tzinfo=None)) if connection.vendor == "sqlite" else moment


def _text(value: Decimal | None) -> str | None:
    return None if value is None else plain(value)


def _json(unknown: Unknown) -> str:
    return json.dumps(unknown, default=str) if unknown else "{}"
