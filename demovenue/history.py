"""Looking back: fills, account log, order and position events, the ledger. All from the store, by index."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from demovenue.clock import to_millis
from demovenue.floor import Floor
from demovenue.values import Fill, HistoryEvent, HistoryPage, Ledger, LogEntry, Order, Transfer, Withdrawal

MAX_PAGE = 100_000
BEYOND = 2**62  # above every key


class History:
    def __init__(self, floor: Floor) -> None:
        self._floor = floor

    def fills(self, uid: str, before: datetime | None, limit: int) -> list[Fill]:
        sql = "SELECT body FROM fills WHERE account = ? AND at < ? ORDER BY at DESC, seq DESC LIMIT ?"
        end = to_millis(before) if before else 2**62
        return self._floor.store.records(Fill, sql, uid, end, limit)

    def log(
        self,
        uid: str,
        *,
        since: datetime | None,
        before: datetime | None,
        from_id: int | None,
        to_id: int | None,
        info: Sequence[str],
        ascending: bool,
        limit: int,
    ) -> list[LogEntry]:
        where: list[str] = ["account = ?"]
        values: list[Any] = [uid]
        _range(where, values, "id >= ?", self._first("log", "id", [("account", uid)], since))
        _range(where, values, "id < ?", self._first("log", "id", [("account", uid)], before))
        _range(where, values, "id >= ?", from_id)
        _range(where, values, "id <= ?", to_id)
        _one_of(where, values, "info", info)
        return self._read(LogEntry, "log", where, values, "id", ascending, limit)

    def page(
        self,
        uid: str,
        family: str,
        *,
        symbol: str | None,
        since: datetime | None,
        before: datetime | None,
        ascending: bool,
        count: int,
        cursor: int | None,
        opened: bool | None,
        closed: bool | None,
        changes: Sequence[str],
        reasons: Sequence[str],
    ) -> HistoryPage:
        where: list[str] = ["account = ?", "family = ?"]
        values: list[Any] = [uid, family]
        owner = [("account", uid), ("family", family)]
        _range(where, values, "seq >= ?", self._first("history", "seq", owner, since))
        _range(where, values, "seq < ?", self._first("history", "seq", owner, before))
        _range(where, values, "symbol = ?", symbol)
        _range(where, values, "seq > ?" if ascending else "seq < ?", cursor)
        _openings(where, opened, closed)
        _one_of(where, values, "change", changes)
        _one_of(where, values, "reason", reasons)
        events = self._read(HistoryEvent, "history", where, values, "seq", ascending, count + 1)
        more = len(events) > count
        events = events[:count]
        return HistoryPage(events=tuple(events), cursor=events[-1].seq if more else None)

    def _first(self, table: str, key: str, owner: list[tuple[str, str]], at: datetime | None) -> int | None:
        """The key of the first row at or after a moment: keys rise with time, so a page never scans by time."""
        if at is None:
            return None
        named = " AND ".join(f"{column} = ?" for column, _ in owner)
        sql = f"SELECT {key} FROM {table} WHERE {named} AND at >= ? ORDER BY at, {key} LIMIT 1"  # noqa: S608
        row = next(self._floor.store.rows(sql, *(value for _, value in owner), to_millis(at)), None)
        return BEYOND if row is None else int(row[0])

    def _read(
        self,
        kind: type[Any],
        table: str,
        where: list[str],
        values: list[Any],
        key: str,
        ascending: bool,
        limit: int,
    ) -> list[Any]:
        order = "ASC" if ascending else "DESC"
        # Table, key and conditions are words of this module; everything from outside is bound.
        sql = f"SELECT body FROM {table} WHERE {' AND '.join(where)} ORDER BY {key} {order} LIMIT ?"  # noqa: S608
        return self._floor.store.records(kind, sql, *values, min(limit, MAX_PAGE))

    def ledger(self, uid: str) -> Ledger:
        store = self._floor.store
        by_time = "SELECT body FROM {} WHERE account = ? ORDER BY at, {}"
        return Ledger(
            orders=tuple(store.records(Order, by_time.format("orders", "id"), uid)),
            fills=tuple(store.records(Fill, by_time.format("fills", "seq"), uid)),
            transfers=tuple(store.records(Transfer, by_time.format("transfers", "uid"), uid)),
            withdrawals=tuple(store.records(Withdrawal, by_time.format("withdrawals", "uid"), uid)),
        )


def _range(where: list[str], values: list[Any], condition: str, value: Any) -> None:
    if value is not None:
        where.append(condition)
        values.append(value)


def _one_of(where: list[str], values: list[Any], column: str, wanted: Sequence[str]) -> None:
    if wanted:
        where.append(f"{column} IN ({', '.join('?' * len(wanted))})")
        values.extend(wanted)


def _openings(where: list[str], opened: bool | None, closed: bool | None) -> None:
    """True asks for those that opened (closed) something, False excludes them; two Trues widen each other."""
    wanted = [name for name, flag in (("opened", opened), ("closed", closed)) if flag]
    if wanted:
        where.append("(" + " OR ".join(f"{name} = 1" for name in wanted) + ")")
    where.extend(f"{name} = 0" for name, flag in (("opened", opened), ("closed", closed)) if flag is False)
