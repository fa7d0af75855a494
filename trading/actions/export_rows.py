"""Entries of the ledger as rows of a file: on PostgreSQL a CSV is written by the database itself, all else here.

Both ways give the same bytes, which a test holds against rows written one by one. Either way a chunk is all that is
held at once, and nothing keeps a transaction open meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal, localcontext
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from accounts.models import Account
from krakenfutures.numbers import WIDE, plain
from trading.actions.keeping import SOURCE
from trading.actions.reports import Span, price_of, senders_of
from trading.models import LedgerEntry

COLUMNS = (
    "number", "at", "wallet", "currency", "category", "symbol", "fill_id", "member", "realised_pnl", "fee", "funding",
    "other", "amount", "balance", "residual", "index_usd", "net_usd",
)  # fmt: skip
READ = (
    "number", "at", "wallet", "currency", "category", "symbol", "venue_fill_id", "realised_pnl", "fee", "funding",
    "other", "amount", "balance", "residual",
)  # fmt: skip
ONE = Decimal(1)
AT_ONCE, COPIED_AT_ONCE = 5000, 40_000


def named_rows(account: Account, span: Span) -> Iterator[list[Any]]:
    """Entries in the order of the log, their fields by name."""
    for rows in _chunks(span.of(account), AT_ONCE):
        yield list(rows.values_list(*READ, named=True))


def text_rows(account: Account, span: Span) -> Iterator[list[tuple[str, ...]]]:
    """In the order of the log, decimals in plain notation, times in UTC."""
    price = price_of(account, span)
    for rows in _chunks(span.of(account), AT_ONCE):
        found = list(rows.values_list(*READ))
        senders = senders_of(account, {row[6] for row in found})
        with localcontext(WIDE):
            cells = [_cells(row, senders, price) for row in found]
        yield cells


def _cells(row: tuple[Any, ...], senders: dict[str, str], price: Any) -> tuple[str, ...]:
    number, at, wallet, currency, category, symbol, fill, realised, fee, funding, *others = row
    worth = ONE if currency == "USD" else price(currency, at)
    net = realised - fee + funding
    return (
        str(number), f"{at.isoformat(timespec='milliseconds')[:23]}Z", wallet, currency, category, symbol, fill,
        senders.get(fill, ""), plain(realised), plain(fee), plain(funding), *map(plain, others),
        "" if worth is None else plain(worth), "" if worth is None else plain(net * worth),
    )  # fmt: skip


def can_copy() -> bool:
    return connection.vendor == "postgresql"


def copied_rows(account: Account, span: Span) -> Iterator[tuple[bytes, int]]:
    """The lines of a CSV, and how many."""
    for rows in _chunks(span.of(account), COPIED_AT_ONCE):
        chosen, values = rows.query.sql_with_params()
        statement = COPY.replace("CHOSEN", chosen)
        with connection.cursor() as cursor:
            with cursor.copy(statement, [*values, SOURCE, account.environment]) as copy:
                lines = b"".join(copy)
            yield lines, cursor.rowcount


def _chunks(rows: QuerySet[LedgerEntry], size: int) -> Iterator[QuerySet[LedgerEntry]]:
    rows, after = rows.order_by("number"), None
    while True:
        left = rows.filter(number__gt=after) if after is not None else rows
        last = left.values_list("number", flat=True)[size - 1 : size].first()
        if last is None:
            yield left
            return
        yield left.filter(number__lte=last)
        after = last


def _safe(column: str) -> str:
    """As `trading.export_writers.harmless`. The codes are those of tab, return, +, -, = and @."""
    return (
        f"CASE WHEN ascii({column}) IN (9, 13, 43, 45, 61, 64) AND {column} !~ '^-?([0-9]+[.]?[0-9]*|[.][0-9]+)$' "
        f"THEN chr(39) || {column} ELSE {column} END"
    )


# The lines of the file by the database: the order and notation of `_cells`. NULL is written as what no cell is, so
# that an empty text is written as nothing.
COPY = """
COPY (
    WITH chosen AS NOT MATERIALIZED (CHOSEN), sent AS (
        SELECT fill.venue_fill_id, person.email FROM trading_fill fill
        JOIN trading_order wish ON wish.account_id = fill.account_id AND wish.venue_order_id = fill.venue_order_id
        JOIN accounts_user person ON person.id = wish.by_id
        WHERE fill.source = %s AND (fill.account_id, fill.venue_fill_id) IN (
            SELECT account_id, venue_fill_id FROM chosen WHERE venue_fill_id <> ''
        )
    )
    SELECT number, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), TEXTS, FIGURES,
        CASE WHEN currency = 'USD' THEN '1' ELSE coalesce(trim_scale(price)::text, '') END,
        CASE WHEN currency = 'USD' THEN trim_scale(realised_pnl - fee + funding)::text
            ELSE coalesce(trim_scale((realised_pnl - fee + funding) * price)::text, '') END
    FROM (
        SELECT chosen.*, coalesce(sent.email, '') AS member, CASE WHEN chosen.currency <> 'USD' THEN (
            SELECT price FROM trading_indexprice worth WHERE worth.environment = %s
            AND worth.currency = chosen.currency AND worth.hour = date_trunc('hour', chosen.at, 'UTC')
        ) END AS price
        FROM chosen LEFT JOIN sent ON sent.venue_fill_id = chosen.venue_fill_id
    ) entry ORDER BY number
) TO STDOUT (FORMAT csv, NULL 'null')
""".replace("TEXTS", ", ".join(_safe(one) for one in (*READ[2:7], "member"))).replace(
    "FIGURES", ", ".join(f"trim_scale({one})" for one in READ[7:])
)
