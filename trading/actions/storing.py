"""Fills into rows: fast, each once, and counted towards their orders."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Sequence
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.db.models import Q

from krakenfutures import values
from krakenfutures.numbers import plain
from krakenfutures.pnl import average_price
from krakenfutures.words import kind_of
from trading.actions.learning import News, learn
from trading.models import Fill, Order
from trading.publish import announce
from trading.telling import tell_fill

SOURCE = "derivatives"
TELL_AT_MOST = 20  # a page of history is no news: the browsers reload their fills when they see the newest
# Django's own bulk insert takes ten times as long. A fill heard twice stays one row: the feed knows its fee, the
# request its profit, and each fills in what the other left open.
INSERT = """
    INSERT INTO trading_fill (
        account_id, source, venue_fill_id, venue_order_id, client_order_id, symbol, side, size, price,
        at, kind, fee, fee_currency, realised_pnl, unknown, flagged
    ) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT (account_id, source, venue_fill_id) DO UPDATE SET
        fee = COALESCE(trading_fill.fee, excluded.fee),
        fee_currency = CASE WHEN trading_fill.fee IS NULL
            THEN excluded.fee_currency ELSE trading_fill.fee_currency END,
        realised_pnl = COALESCE(trading_fill.realised_pnl, excluded.realised_pnl)
    WHERE (trading_fill.fee IS NULL AND excluded.fee IS NOT NULL)
        OR (trading_fill.realised_pnl IS NULL AND excluded.realised_pnl IS NOT NULL)
"""


def store_fills(account_id: int, fills: Sequence[values.Fill]) -> int:
    """Store what is new, count it towards its orders, and tell the browsers of it. Returns how many were new."""
    if not fills:
        return 0
    with transaction.atomic():
        known = _known(account_id, [fill.id for fill in fills])
        new = [fill for fill in fills if fill.id not in known]
        insert_fills(account_id, fills)
        count_fills(account_id, new)
        for row in _rows(account_id, [fill.id for fill in new[:TELL_AT_MOST]]):
            announce(account_id, "fill", tell_fill(row))
    return len(new)


def insert_fills(account_id: int, fills: Sequence[values.Fill]) -> None:
    """The rows alone. A fill with anything we do not know is stored all the same, and flagged."""
    on_time = connection.ops.adapt_datetimefield_value
    rows = [
        (
            account_id, SOURCE, fill.id, fill.order_id, fill.client_id or "", fill.symbol, fill.side.value,
            plain(fill.size), plain(fill.price), on_time(fill.at), fill.kind[:40], _text(fill.fee),
            fill.fee_currency or "", _text(fill.realised_pnl), _json(fill.unknown), bool(fill.unknown),
        )
        for fill in fills
    ]  # fmt: skip
    with connection.cursor() as cursor:
        cursor.executemany(INSERT, rows)


def count_fills(account_id: int, fills: Sequence[values.Fill]) -> None:
    """Have the orders know what was filled. The sum is taken here: not every database adds decimals exactly."""
    names = {fill.order_id: fill.client_id or "" for fill in fills}
    ours = Order.objects.filter(account_id=account_id).filter(
        Q(venue_order_id__in=names) | Q(client_order_id__in=[name for name in names.values() if name])
    )
    known = set(ours.values_list("venue_order_id", flat=True)), set(ours.values_list("client_order_id", flat=True))
    wanted = [order for order, client in names.items() if order in known[0] or client in known[1]]
    for order_id, trades in _trades(account_id, wanted).items():
        news = News(
            filled=sum((size for _, size, _ in trades), Decimal(0)),
            average_price=average_price(kind_of(trades[0][0]), [(size, price) for _, size, price in trades]),
            venue_order_id=order_id,
            client_order_id=names[order_id],
        )
        learn(account_id, news)


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
    rows = Fill.objects.filter(account_id=account_id, source=SOURCE, venue_fill_id__in=ids)
    return set(rows.values_list("venue_fill_id", flat=True))


def _text(value: Decimal | None) -> str | None:
    return None if value is None else plain(value)


def _json(unknown: dict[str, Any]) -> str:
    return json.dumps(unknown, default=str) if unknown else "{}"
