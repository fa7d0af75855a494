"""The ledger, derived from the account log: extended as the log grows, made anew from its beginning when asked."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal, localcontext
from typing import Any

from django.db import connection, transaction

from krakenfutures.numbers import WIDE, plain
from trading.actions.keeping import insert_sql
from trading.ledger_sums import Money, Running, quarter_of
from trading.models import LedgerEntry, LedgerSum, LogEntry, Sync, WalletLedger

STREAM = "ledger"
AT_ONCE = 2000  # entries in one transaction: others wait to write meanwhile
COLUMNS = (
    "account_id", "number", "at", "wallet", "currency", "category", "symbol", "venue_fill_id", "amount",
    "realised_pnl", "fee", "funding", "other", "balance", "residual",
)  # fmt: skip
INSERT = insert_sql(LedgerEntry, COLUMNS, "(account_id, number) DO NOTHING")
AT, CURRENCY, SYMBOL = (COLUMNS.index(name) for name in ("at", "currency", "symbol"))
SUMMED = ("realised_pnl", "fee", "funding", "other")
FIGURES = slice(COLUMNS.index(SUMMED[0]), COLUMNS.index(SUMMED[-1]) + 1)
INSERT_SUM = insert_sql(
    LedgerSum,
    ("account_id", "quarter", "symbol", "currency", *SUMMED, "entries"),
    "(account_id, quarter, symbol, currency) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in (*SUMMED, "entries")),
)
COPY = f"COPY {LedgerEntry._meta.db_table} ({', '.join(COLUMNS)}) FROM STDIN"
# Position rows count contracts, not money.
READ = """
    SELECT number, at, wallet, asset, category, contract, reference, old, new, realised_pnl, fee, realised_funding
    FROM trading_logentry
    WHERE account_id = %s AND number > %s AND number <= %s AND (contract = '' OR asset <> contract)
    ORDER BY number LIMIT %s
"""
Wallet = tuple[str, str]


class Overtaken(Exception):
    """Somebody else extends this ledger and was quicker."""


def extend_ledger(account_id: int) -> int:
    """Derive what the log has since become, if nothing is missing in between. Returns how many entries that were.

    While the log is still read backwards the ledger covers its newest stretch; when the beginning has arrived, it is
    made anew from there.
    """
    low, high, is_whole = _gapless(account_id)
    if not high:
        return 0
    first, last = covered(account_id)
    if first is None or last is None or (is_whole and low < first):
        return rebuild_ledger(account_id)
    if low > last + 1 or high <= last:
        return 0
    try:
        return _derive(account_id, last, high)
    except Overtaken:
        return 0


def rebuild_ledger(account_id: int, tell: Callable[[int], None] = lambda _: None) -> int:
    """Throw the ledger away and make it again from the log as it is stored. Returns how many entries it has.

    `tell` hears the number of entries so far. Killed half-way, the next extension goes on where it ended.
    """
    try:
        _forget(account_id)
        low, high, _ = _gapless(account_id)
        if not high:
            return 0
        _cover(account_id, None, low, low - 1)
        return _derive(account_id, low - 1, high, tell)
    except Overtaken:
        return 0


def behind(account_id: int) -> bool:
    """Whether there is more in the log, without a gap, than the ledger is made of yet."""
    low, high, is_whole = _gapless(account_id)
    first, last = covered(account_id)
    return bool(high) and (first is None or last is None or last < high or (is_whole and low < first))


def covered(account_id: int) -> tuple[int | None, int | None]:
    """The first and the last number of the log that the ledger covers."""
    row = Sync.objects.filter(account_id=account_id, stream=STREAM).first()
    raw = json.loads(row.cursor or "{}") if row else {}
    return raw.get("first"), raw.get("last")


def _gapless(account_id: int) -> tuple[int, int, bool]:
    """The newest stretch of the log in which nothing is missing, and whether it begins with the log itself."""
    row = Sync.objects.filter(account_id=account_id, stream="log").first()
    raw = json.loads(row.cursor or "{}") if row else {}
    gaps, high = raw.get("gaps", []), raw.get("high", 0)
    if gaps:
        return max(gap["before"] for gap in gaps), high, False
    first = LogEntry.objects.filter(account_id=account_id).order_by("number").values_list("number", flat=True).first()
    return first or 0, high, True


def _forget(account_id: int) -> None:
    """A stretch at a time: others wait to write meanwhile. Nobody adds while there is no mark of what is derived.

    Raises `Overtaken` when there is one again: somebody else forgot, too, and has begun to derive.
    """
    with transaction.atomic():
        Sync.objects.update_or_create(account_id=account_id, stream=STREAM, defaults={"cursor": "", "rows": 0})
        WalletLedger.objects.filter(account_id=account_id).delete()
        LedgerSum.objects.filter(account_id=account_id).delete()
    unmarked = Sync.objects.filter(account_id=account_id, stream=STREAM, cursor="")
    numbers = LedgerEntry.objects.filter(account_id=account_id).order_by("number").values_list("number", flat=True)
    while stretch := list(numbers[: AT_ONCE * 5]):
        with transaction.atomic():
            if not unmarked.update(rows=0):  # which also keeps others waiting
                raise Overtaken
            LedgerEntry.objects.filter(account_id=account_id, number__lte=stretch[-1]).delete()


def _derive(account_id: int, after: int, to: int, tell: Callable[[int], None] = lambda _: None) -> int:
    wallets = {(one.wallet, one.currency): _running(one) for one in WalletLedger.objects.filter(account_id=account_id)}
    first, last = covered(account_id)
    done = 0
    while last is not None and last < to:
        rows = list(_rows(account_id, last, to))
        end = int(rows[-1][0]) if len(rows) == AT_ONCE else to
        with localcontext(WIDE):
            entries = [_entry(account_id, wallets, row) for row in rows]
        with transaction.atomic():
            _cover(account_id, last, first or 0, end, len(entries))
            _insert(entries)
            _add_up(account_id, entries)
            _keep(account_id, wallets)
        done, last = done + len(entries), end
        tell(done)
    return done


def _insert(entries: list[tuple[Any, ...]]) -> None:
    """None of them can be there: the mark that was just moved stands between what is derived and what is not."""
    with connection.cursor() as cursor:
        if connection.vendor != "postgresql":
            cursor.executemany(INSERT, entries)
            return
        with cursor.copy(COPY) as copy:  # twice as fast there
            for entry in entries:
                copy.write_row(entry)


def _add_up(account_id: int, entries: list[tuple[Any, ...]]) -> None:
    """What these entries add to the sums. Whoever moved the mark in this transaction is the only one to do so."""
    added: dict[tuple[datetime, str, str], list[Any]] = {}
    with localcontext(WIDE):
        for entry in entries:
            sums = added.setdefault(
                (quarter_of(_moment(entry[AT])), entry[SYMBOL], entry[CURRENCY]), [*map(Decimal, "0000"), 0]
            )
            _plus(sums, (*map(Decimal, entry[FIGURES]), 1))
        quarters = {quarter for quarter, _, _ in added}
        known = LedgerSum.objects.filter(account_id=account_id, quarter__in=quarters)
        for quarter, symbol, currency, *figures in known.values_list(
            "quarter", "symbol", "currency", *SUMMED, "entries"
        ):
            if (quarter, symbol, currency) in added:
                _plus(added[quarter, symbol, currency], figures)
    with connection.cursor() as cursor:
        cursor.executemany(
            INSERT_SUM,
            [
                (account_id, connection.ops.adapt_datetimefield_value(quarter), symbol, currency,
                 *map(plain, figures), count)
                for (quarter, symbol, currency), (*figures, count) in added.items()
            ],
        )  # fmt: skip


def _plus(sums: list[Any], more: Iterable[Any]) -> None:
    for place, figure in enumerate(more):
        sums[place] += figure


def _rows(account_id: int, after: int, to: int) -> Iterator[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(READ, [account_id, after, to, AT_ONCE])
        yield from cursor.fetchall()


def _entry(account_id: int, wallets: dict[Wallet, Running], row: tuple[Any, ...]) -> tuple[Any, ...]:
    number, at, wallet, currency, category, contract, reference, *figures = row
    old, new, pnl, fee, funding = (None if one is None else Decimal(one) for one in figures)
    money = Money(number, old or Decimal(0), new or Decimal(0), pnl, fee, funding)
    running = wallets.get((wallet, currency))
    if running is None:
        running = wallets[wallet, currency] = Running.before(money, at)
    parts = running.take(money, at)
    return (
        account_id, number, at, wallet, currency, category, contract, reference if contract else "",
        *(plain(one) for one in parts),
    )  # fmt: skip


def _running(row: WalletLedger) -> Running:
    return Running(
        opening=row.opening, balance=row.balance, venue_balance=row.venue_balance, first_number=row.first_number,
        last_number=row.last_number, entries=row.entries, last_at=row.last_at,
        first_difference=row.first_difference, why=row.why,
    )  # fmt: skip


def _keep(account_id: int, wallets: dict[Wallet, Running]) -> None:
    rows = [
        WalletLedger(
            account_id=account_id, wallet=wallet, currency=currency, opening=one.opening, balance=one.balance,
            venue_balance=one.venue_balance, residual=one.residual, entries=one.entries,
            first_number=one.first_number, last_number=one.last_number, last_at=_moment(one.last_at),
            first_difference=one.first_difference, why=one.why,
        )
        for (wallet, currency), one in wallets.items()
    ]  # fmt: skip
    changing = ["balance", "venue_balance", "residual", "entries", "last_number", "last_at", "first_difference", "why"]
    WalletLedger.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["account", "wallet", "currency"], update_fields=changing
    )


def _moment(at: datetime | str) -> datetime:
    """SQLite forgets the zone, and may give text, where no model reads it."""
    moment = datetime.fromisoformat(at) if isinstance(at, str) else at
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _cover(account_id: int, last: int | None, first: int, new_last: int, rows: int = 0) -> None:
    """Move the mark of what is derived. Raises `Overtaken` when it does not stand where we left it."""
    text = _mark(first, new_last)
    mark = "" if last is None else _mark(first, last)
    mine = Sync.objects.filter(account_id=account_id, stream=STREAM, cursor=mark)
    known = mine.values_list("rows", flat=True).first()
    if known is None or not mine.update(cursor=text, rows=known + rows):
        raise Overtaken


def _mark(first: int, last: int) -> str:
    return json.dumps({"first": first, "last": last})
