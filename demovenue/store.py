"""What must outlive the process, in one SQLite file with a journal beside it.

Writes gather and go down together at the end of every command, before anybody is told. What goes down is one entry of
the journal; the tables follow a little later, many commands at once, and always before somebody reads. After a kill
the journal is played into the tables first. How things stand is a row each, JSON beside the columns that are searched;
what happened goes into the archive.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from demovenue.archive import BEYOND, Archive, Happened
from demovenue.archive import SCHEMA as ARCHIVE
from demovenue.clock import to_millis
from demovenue.journal import Journal
from demovenue.values import (
    Account,
    Fill,
    HistoryEvent,
    Key,
    LogEntry,
    Order,
    Position,
    Record,
    TradePrint,
    Transfer,
    Withdrawal,
)

R = TypeVar("R", bound=Record)
Write = tuple[str, tuple[Any, ...]]  # a statement and its values
Entry = tuple[list[Write], list[Happened]]  # of the journal
MAX_BACKLOG = 20_000
FORMAT = 2  # of the file
# Tables of which only the newest row of a key is kept: how many of the first values are the key.
KEYED = {"accounts": 1, "balances": 3, "positions": 2, "orders": 1, "names": 2, "volumes": 2}

SCHEMA = """
CREATE TABLE IF NOT EXISTS accounts (uid TEXT PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS keys (public TEXT PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS balances (account TEXT, wallet TEXT, currency TEXT, amount TEXT NOT NULL,
    PRIMARY KEY (account, wallet, currency)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS positions (account TEXT, symbol TEXT, body BLOB NOT NULL,
    PRIMARY KEY (account, symbol)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS orders (id TEXT PRIMARY KEY, account TEXT NOT NULL, at INTEGER NOT NULL,
    body BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS names (account TEXT, cli TEXT, PRIMARY KEY (account, cli)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS volumes (account TEXT, day INTEGER, usd TEXT NOT NULL,
    PRIMARY KEY (account, day)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS transfers (uid TEXT PRIMARY KEY, account TEXT NOT NULL, at INTEGER NOT NULL,
    body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS withdrawals (uid TEXT PRIMARY KEY, account TEXT NOT NULL, at INTEGER NOT NULL,
    body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS funding (symbol TEXT, at INTEGER, absolute TEXT NOT NULL, relative TEXT NOT NULL,
    PRIMARY KEY (symbol, at)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS bars (series TEXT, minute INTEGER, span INTEGER NOT NULL, open TEXT NOT NULL,
    high TEXT NOT NULL, low TEXT NOT NULL, close TEXT NOT NULL, volume TEXT NOT NULL,
    PRIMARY KEY (series, minute)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS participants (id INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS periods (number INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, body BLOB NOT NULL);
"""


class Store:
    """`data` None keeps everything in memory, through the same code. ValueError for a file of another format."""

    def __init__(self, data: Path | None) -> None:
        if data is not None:
            data.mkdir(parents=True, exist_ok=True, mode=0o700)  # API secrets are inside
        path = ":memory:" if data is None else str(data / "demovenue.sqlite3")
        self.db = sqlite3.connect(path, isolation_level=None)
        _check_format(self.db, path)
        self.db.execute("PRAGMA journal_mode=WAL")
        # A killed process loses nothing at NORMAL; only a lost machine could.
        self.db.execute("PRAGMA synchronous=NORMAL")
        self.db.executescript(SCHEMA + ARCHIVE + f"PRAGMA user_version = {FORMAT};")
        self._archive = Archive(self.db)
        self._pending: list[Write] = []
        self._happened: list[Happened] = []
        self._backlog: list[Write] = []  # in the journal, not yet in the tables
        self._unfiled: list[Happened] = []  # the same, of what belongs into the archive
        self._journal = Journal(None if data is None else data / "journal.bin")
        self._period = int(self.db.execute("SELECT COALESCE(MAX(number), 0) FROM periods").fetchone()[0])
        for entry in self._journal.read(self._period):
            writes, happened = msgspec.msgpack.decode(entry, type=Entry)
            self._backlog += writes
            self._unfiled += happened
        self.settle()
        self._journal.begin(self._period)

    def commit(self) -> None:
        """After this the pending writes survive a kill. One append, whatever was done."""
        if not self._pending and not self._happened:
            return
        self._journal.add(msgspec.msgpack.encode((self._pending, self._happened)))
        self._backlog += self._pending
        self._unfiled += self._happened
        self._pending, self._happened = [], []
        if len(self._backlog) + len(self._unfiled) > MAX_BACKLOG:
            self.settle()

    def settle(self) -> None:
        """Plays the backlog into the tables and empties the journal, all or nothing."""
        if not self._backlog and not self._unfiled:
            return
        self.db.execute("BEGIN IMMEDIATE")
        self._archive.add(self._unfiled)  # before anything is forgotten
        for writes in _by_table(self._backlog):
            for sql, same in groupby(writes, key=itemgetter(0)):
                self.db.executemany(sql, [values for _, values in same])
        self._period += 1
        self.db.execute("DELETE FROM periods")
        self.db.execute("INSERT INTO periods VALUES (?)", (self._period,))
        self.db.execute("COMMIT")
        self._journal.begin(self._period)
        self._backlog, self._unfiled = [], []

    def close(self) -> None:
        self.commit()
        self.settle()
        self._journal.close()
        self.db.close()

    # --- writing -----------------------------------------------------------------------------------------------

    def put(self, sql: str, *values: Any) -> None:
        self._pending.append((sql, values))

    def file(
        self, stream: str, owner: str, number: int, at: datetime, record: Record, tags: tuple[str, ...] = ()
    ) -> None:
        """Into the archive; numbers of a stream rise."""
        self._happened.append(Happened(stream, owner, number, to_millis(at), tags, msgspec.json.encode(record)))

    def save_account(self, account: Account) -> None:
        self.put("INSERT OR REPLACE INTO accounts VALUES (?, ?)", account.uid, msgspec.json.encode(account))

    def save_key(self, key: Key) -> None:
        self.put("INSERT OR REPLACE INTO keys VALUES (?, ?)", key.public, msgspec.json.encode(key))

    def drop_key(self, public: str) -> None:
        self.put("DELETE FROM keys WHERE public = ?", public)

    def save_balance(self, account: str, wallet: str, currency: str, amount: Decimal) -> None:
        self.put("INSERT OR REPLACE INTO balances VALUES (?, ?, ?, ?)", account, wallet, currency, f"{amount:f}")

    def save_position(self, position: Position) -> None:
        if position.size == 0:
            sql = "DELETE FROM positions WHERE account = ? AND symbol = ?"
            self.put(sql, position.account_uid, position.symbol)
            return
        body = msgspec.json.encode(position)
        sql = "INSERT OR REPLACE INTO positions VALUES (?, ?, ?)"
        self.put(sql, position.account_uid, position.symbol, body)

    def save_order(self, order: Order, number: int) -> None:
        """`number` places a finished order in the archive."""
        if order.is_open:
            at, body = to_millis(order.created), msgspec.json.encode(order)
            self.put("INSERT OR REPLACE INTO orders VALUES (?, ?, ?, ?)", order.id, order.account_uid, at, body)
            return
        self.put("DELETE FROM orders WHERE id = ?", order.id)
        self.file("finished", order.account_uid, number, order.updated, order)

    def save_name(self, account: str, cli_ord_id: str) -> None:
        self.put("INSERT OR REPLACE INTO names VALUES (?, ?)", account, cli_ord_id)

    def save_volume(self, account: str, day: int, usd: Decimal) -> None:
        self.put("INSERT OR REPLACE INTO volumes VALUES (?, ?, ?)", account, day, f"{usd:f}")

    def add_fill(self, fill: Fill) -> None:
        self.file("fills", fill.account_uid, fill.number, fill.at, fill, fill.tags)

    def add_log(self, entry: LogEntry) -> None:
        self.file("log", entry.account_uid, entry.id, entry.at, entry, (entry.info,))

    def add_history(self, event: HistoryEvent) -> None:
        self.file(event.family, event.account_uid, event.seq, event.at, event, event.tags)

    def add_transfer(self, transfer: Transfer) -> None:
        body = msgspec.json.encode(transfer)
        sql = "INSERT INTO transfers VALUES (?, ?, ?, ?)"
        self.put(sql, transfer.uid, transfer.account_uid, to_millis(transfer.at), body)

    def add_withdrawal(self, withdrawal: Withdrawal) -> None:
        body = msgspec.json.encode(withdrawal)
        sql = "INSERT INTO withdrawals VALUES (?, ?, ?, ?)"
        self.put(sql, withdrawal.uid, withdrawal.account_uid, to_millis(withdrawal.at), body)

    def add_trade(self, trade: TradePrint) -> None:
        self.file("tape", trade.symbol, trade.seq, trade.at, trade)

    def forget_trades(self, before: int) -> None:
        """Epoch milliseconds."""
        self.put("DELETE FROM events WHERE stream = 'tape' AND at < ?", before)

    def save_meta(self, name: str, value: Any) -> None:
        self.put("INSERT OR REPLACE INTO meta VALUES (?, ?)", name, msgspec.json.encode(value))

    # --- reading -----------------------------------------------------------------------------------------------

    def rows(self, sql: str, *values: Any) -> Iterator[tuple[Any, ...]]:
        self.settle()
        yield from self.db.execute(sql, values)

    def records(self, kind: type[R], sql: str, *values: Any) -> list[R]:
        """`sql` selects bodies."""
        self.settle()
        decode = msgspec.json.Decoder(kind).decode
        return [decode(body) for (body,) in self.db.execute(sql, values)]

    def happened(
        self,
        kind: type[R],
        stream: str,
        owner: str,
        *,
        low: int = 0,
        high: int = BEYOND,
        ascending: bool = True,
        tags: Sequence[Sequence[str]] = (),
    ) -> Iterator[R]:
        """`Archive.read`."""
        self.settle()
        return self._archive.read(kind, stream, owner, low=low, high=high, ascending=ascending, tags=tags)

    def number_at(self, stream: str, owner: str, at: datetime) -> int:
        self.settle()
        return self._archive.number_at(stream, owner, to_millis(at))

    def newest(self, *streams: str) -> dict[str, int]:
        """The highest number of each owner in these streams."""
        self.settle()
        return self._archive.newest(streams)

    def meta(self, name: str) -> Any:
        """None when it was never saved."""
        self.settle()
        row = self.db.execute("SELECT body FROM meta WHERE name = ?", (name,)).fetchone()
        return None if row is None else msgspec.json.decode(row[0])


def _check_format(db: sqlite3.Connection, path: str) -> None:
    found = int(db.execute("PRAGMA user_version").fetchone()[0])
    if found != FORMAT and db.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()[0]:
        raise ValueError(f"{path} was written by another version of demovenue: start with an empty directory")


def _by_table(backlog: Iterable[Write]) -> Iterator[Iterable[Write]]:
    """Tables know nothing of each other, so each can be written at a stretch; its own order stays."""
    streams: dict[str, list[Write]] = defaultdict(list)
    newest: dict[str, dict[tuple[Any, ...], Write]] = defaultdict(dict)
    tables: dict[str, str] = {}
    for write in backlog:
        sql, values = write
        table = tables.get(sql)
        if table is None:
            words = sql.split()
            table = tables[sql] = words[words.index("FROM" if words[0] == "DELETE" else "INTO") + 1]
        length = KEYED.get(table)
        if length is None:
            streams[table].append(write)
        else:
            newest[table][tuple(values[:length])] = write
    yield from streams.values()
    for writes in newest.values():
        yield sorted(writes.values(), key=itemgetter(0))
