"""Fills into rows: fast, each once, and counted towards their orders."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection, transaction

from krakenfutures import values
from krakenfutures.numbers import plain
from krakenfutures.pnl import average_price
from krakenfutures.words import kind_of
from trading.actions.learning import News, learn
from trading.models import Fill
from trading.publish import announce
from trading.telling import tell_fill

SOURCE = "derivatives"
TELL_AT_MOST = 20  # more at once is no news but a reading after a long silence
# Django's own bulk insert takes ten times as long. A fill heard twice stays one row: the feed knows its fee, the
# request its profit, the history its fee, and each fills in what the others left open.
COLUMNS = (
    "account_id", "source", "venue_fill_id", "venue_order_id", "client_order_id", "symbol", "side", "size", "price",
    "at", "kind", "fee", "fee_currency", "realised_pnl", "unknown", "flagged",
)  # fmt: skip
# The executions of the history say of a kind only which side of the book it was; the others say it exactly.
ROLES = "('maker', 'taker')"
INSERT = f"""
    INSERT INTO trading_fill ({", ".join(COLUMNS)}) VALUES ({", ".join(["%s"] * len(COLUMNS))})
    ON CONFLICT (account_id, source, venue_fill_id) DO UPDATE SET
        fee = COALESCE(trading_fill.fee, excluded.fee),
        fee_currency = CASE WHEN trading_fill.fee IS NULL
            THEN excluded.fee_currency ELSE trading_fill.fee_currency END,
        realised_pnl = COALESCE(trading_fill.realised_pnl, excluded.realised_pnl),
        kind = CASE WHEN trading_fill.kind IN {ROLES} THEN excluded.kind ELSE trading_fill.kind END,
        unknown = CASE WHEN excluded.flagged THEN excluded.unknown ELSE trading_fill.unknown END,
        flagged = trading_fill.flagged OR excluded.flagged
    WHERE (trading_fill.fee IS NULL AND excluded.fee IS NOT NULL)
        OR (trading_fill.realised_pnl IS NULL AND excluded.realised_pnl IS NOT NULL)
        OR (trading_fill.kind IN {ROLES} AND excluded.kind NOT IN {ROLES})
"""  # noqa: S608 # nosec B608 - made of our own column names


def store_fills(account_id: int, fills: Sequence[values.Fill]) -> int:
    """Store what is new, count it towards its orders, and tell the browsers of it. Returns how many were new."""
    if not fills:
        return 0
    with transaction.atomic():
        known = _known(account_id, [fill.id for fill in fills])
        new = [fill for fill in fills if fill.id not in known]
        insert_fills(account_id, fills)
        count_fills(account_id, new)
        if len(new) <= TELL_AT_MOST:
            for row in _rows(account_id, [fill.id for fill in new]):
                announce(account_id, "fill", tell_fill(row))
    return len(new)


def store_history(account_id: int, fills: Sequence[values.Fill]) -> int:
    """The same for a page of old fills, which are no news to anybody. Returns how many rows it changed."""
    with transaction.atomic():
        stored = insert_fills(account_id, fills) if fills else 0
        if stored:
            count_fills(account_id, fills)
    return stored


def insert_fills(account_id: int, fills: Sequence[values.Fill]) -> int:
    """The rows alone; returns how many are new or know more. One with anything unknown is stored too, and flagged."""
    with connection.cursor() as cursor:
        cursor.executemany(INSERT, rows_of(account_id, fills))
        return int(cursor.rowcount)


def rows_of(account_id: int, fills: Sequence[values.Fill]) -> list[tuple[Any, ...]]:
    """What goes into `COLUMNS`."""
    on_time = _stored_time if connection.vendor == "sqlite" else _as_it_is
    return [
        (
            account_id, SOURCE, fill.id, fill.order_id, fill.client_id or "", fill.symbol, fill.side.value,
            plain(fill.size), plain(fill.price), on_time(fill.at), fill.kind[:40], _text(fill.fee),
            fill.fee_currency or "", _text(fill.realised_pnl), _json(fill.unknown), bool(fill.unknown),
        )
        for fill in fills
    ]  # fmt: skip


def count_fills(account_id: int, fills: Sequence[values.Fill]) -> None:
    """Have the orders know what was filled. The sum is taken here: not every database adds decimals exactly."""
    names = {fill.order_id: fill.client_id or "" for fill in fills}
    known = _orders_named(account_id, list(names), [client for client in names.values() if client])
    wanted = [order for order, client in names.items() if order in known or (client and client in known)]
    for order_id, trades in _trades(account_id, wanted).items():
        news = News(
            filled=sum((size for _, size, _ in trades), Decimal(0)),
            average_price=average_price(kind_of(trades[0][0]), [(size, price) for _, size, price in trades]),
            venue_order_id=order_id,
            client_order_id=names[order_id],
        )
        learn(account_id, news)


def _orders_named(account_id: int, venue_ids: list[str], client_ids: list[str]) -> set[str]:
    """Both names of every order of ours that has one of these. Asked for every page: the query set took longer."""
    places = [", ".join(["%s"] * len(ids)) or "NULL" for ids in (venue_ids, client_ids)]
    asked = f"""
        SELECT venue_order_id, client_order_id FROM trading_order
        WHERE account_id = %s AND (venue_order_id IN ({places[0]}) OR client_order_id IN ({places[1]}))
    """  # noqa: S608 # nosec B608 - made of placeholders
    with connection.cursor() as cursor:
        cursor.execute(asked, [account_id, *venue_ids, *client_ids])
        return {name for pair in cursor.fetchall() for name in pair if name}


def _trades(account_id: int, venue_order_ids: Collection[str]) -> dict[str, list[tuple[str, Decimal, Decimal]]]:
    """Symbol, size and price of every fill of these orders."""
    found: dict[str, list[tuple[str, Decimal, Decimal]]] = defaultdict(list)
    rows = Fill.objects.filter(account_id=account_id, venue_order_id__in=venue_order_ids) if venue_order_ids else []
    for row in rows:
        found[row.venue_order_id].append((row.symbol, row.size, row.price))
    return found


def _rows(account_id: int, ids: Collection[str]) -> list[Fill]:
    return list(Fill.objects.filter(account_id=account_id, source=SOURCE, venue_fill_id__in=ids)) if ids else []


def _known(account_id: int, ids: Collection[str]) -> set[str]:
    rows = Fill.objects.filter(account_id=account_id, source=SOURCE, venue_fill_id__in=ids).order_by()
    return set(rows.values_list("venue_fill_id", flat=True))


def _stored_time(moment: datetime) -> str:
    """As Django writes a time into SQLite; the times of a venue are in UTC already."""
    return str(moment.replace(tzinfo=None))


def _as_it_is(moment: datetime) -> datetime:
    return moment


def _text(value: Decimal | None) -> str | None:
    return None if value is None else plain(value)


def _json(unknown: dict[str, Any]) -> str:
    return json.dumps(unknown, default=str) if unknown else "{}"
