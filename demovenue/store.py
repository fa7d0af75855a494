"""What must outlive the process, in one SQLite file with a journal beside it.

Writes gather in `pending` and go down together at the end of every command, before anybody is told. What goes down is
one entry of the journal; the tables follow a little later, many commands at once, and always before somebody reads.
After a kill the journal is played into the tables first. Records are JSON beside the columns that are searched.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, TypeVar

import msgspec

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
MAX_BACKLOG = 20_000
# Tables of which only the newest row of a key is kept: how many of the first values are the key.
KEYED = {"accounts": 1, "balances": 3, "positions": 2, "orders": 1}

SCHEMA = """
CREATE TABLE IF NOT EXISTS accounts (uid TEXT PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS keys (public TEXT PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS balances (account TEXT, wallet TEXT, currency TEXT, amount TEXT NOT NULL,
    PRIMARY KEY (account, wallet, currency)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS positions (account TEXT, symbol TEXT, body BLOB NOT NULL,
    PRIMARY KEY (account, symbol)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS orders (id TEXT PRIMARY KEY, account TEXT NOT NULL, cli TEXT, open INTEGER NOT NULL,
    at INTEGER NOT NULL, body BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS orders_account ON orders (account, at);
CREATE INDEX IF NOT EXISTS orders_open ON orders (open) WHERE open = 1;
CREATE TABLE IF NOT EXISTS fills (seq INTEGER PRIMARY KEY, account TEXT NOT NULL, at INTEGER NOT NULL,
    usd REAL NOT NULL, body BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS fills_account ON fills (account, at);
CREATE TABLE IF NOT EXISTS log (account TEXT, id INTEGER, at INTEGER NOT NULL, info TEXT NOT NULL,
    body BLOB NOT NULL, PRIMARY KEY (account, id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS log_at ON log (account, at);
CREATE TABLE IF NOT EXISTS history (seq INTEGER PRIMARY KEY, account TEXT NOT NULL, family TEXT NOT NULL,
    at INTEGER NOT NULL, symbol TEXT NOT NULL, opened INTEGER NOT NULL, closed INTEGER NOT NULL,
    change TEXT, reason TEXT, body BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS history_page ON history (account, family, seq);
CREATE INDEX IF NOT EXISTS history_at ON history (account, family, at);
CREATE TABLE IF NOT EXISTS transfers (uid TEXT PRIMARY KEY, account TEXT NOT NULL, at INTEGER NOT NULL,
    body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS withdrawals (uid TEXT PRIMARY KEY, account TEXT NOT NULL, at INTEGER NOT NULL,
    body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS funding (symbol TEXT, at INTEGER, absolute TEXT NOT NULL, relative TEXT NOT NULL,
    PRIMARY KEY (symbol, at)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS bars (series TEXT, minute INTEGER, span INTEGER NOT NULL, open TEXT NOT NULL,
    high TEXT NOT NULL, low TEXT NOT NULL, close TEXT NOT NULL, volume TEXT NOT NULL,
    PRIMARY KEY (series, minute)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tape (symbol TEXT, seq INTEGER, at INTEGER NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (symbol, seq)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS participants (id INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS periods (number INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, body BLOB NOT NULL);
"""


class Store:
    """`data` None keeps everything in memory, through the same code."""

    def __init__(self, data: Path | None) -> None:
        if data is not None:
            data.mkdir(parents=True, exist_ok=True, mode=0o700)  # API secrets are inside
        path = ":memory:" if data is None else str(data / "demovenue.sqlite3")
        self.db = sqlite3.connect(path, isolation_level=None)
        self.db.execute("PRAGMA journal_mode=WAL")
        # A killed process loses nothing at NORMAL; only a lost machine could.
        self.db.execute("PRAGMA synchronous=NORMAL")
        self.db.executescript(SCHEMA)
        self.pending: list[Write] = []
        self._backlog: list[Write] = []  # in the journal, not yet in the tables
        self._journal = Journal(None if data is None else data / "journal.bin")
        self._period = int(self.db.execute("SELECT COALESCE(MAX(number), 0) FROM periods").fetchone()[0])
        for entry in self._journal.read(self._period):
            self._backlog += msgspec.msgpack.decode(entry, type=list[Write])
        self.settle()
        self._journal.begin(self._period)

    def commit(self) -> None:
        """After this the pending writes survive a kill. One append, whatever was done."""
        if not self.pending:
            return
        self._journal.add(msgspec.msgpack.encode(self.pending))
        self._backlog += self.pending
        self.pending = []
        if len(self._backlog) > MAX_BACKLOG:
            self.settle()

    def settle(self) -> None:
        """Plays the backlog into the tables and empties the journal, all or nothing."""
        if not self._backlog:
            return
        self.db.execute("BEGIN IMMEDIATE")
        for writes in _by_table(self._backlog):
            for sql, same in groupby(writes, key=itemgetter(0)):
                self.db.executemany(sql, [values for _, values in same])
        self._period += 1
        self.db.execute("DELETE FROM periods")
        self.db.execute("INSERT INTO periods VALUES (?)", (self._period,))
        self.db.execute("COMMIT")
        self._journal.begin(self._period)
        self._backlog = []

    def close(self) -> None:
        self.commit()
        self.settle()
        self._journal.close()
        self.db.close()

    # --- writing -----------------------------------------------------------------------------------------------

    def put(self, sql: str, *values: Any) -> None:
        self.pending.append((sql, values))

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

    def save_order(self, order: Order) -> None:
        self.put(
            "INSERT OR REPLACE INTO orders VALUES (?, ?, ?, ?, ?, ?)",
            order.id,
            order.account_uid,
            order.cli_ord_id,
            int(order.is_open),
            to_millis(order.created),
            msgspec.json.encode(order),
        )

    def add_fill(self, fill: Fill, usd: Decimal) -> None:
        self.put(
            "INSERT INTO fills (account, at, usd, body) VALUES (?, ?, ?, ?)",
            fill.account_uid,
            to_millis(fill.at),
            float(usd),
            msgspec.json.encode(fill),
        )

    def add_log(self, entry: LogEntry) -> None:
        body = msgspec.json.encode(entry)
        sql = "INSERT INTO log VALUES (?, ?, ?, ?, ?)"
        self.put(sql, entry.account_uid, entry.id, to_millis(entry.at), entry.info, body)

    def add_history(self, event: HistoryEvent) -> None:
        position = event.position
        self.put(
            "INSERT INTO history VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            event.seq,
            event.account_uid,
            event.family,
            to_millis(event.at),
            event.symbol,
            int(event.opened),
            int(event.closed),
            position.change if position else None,
            position.reason if position else None,
            msgspec.json.encode(event),
        )

    def add_transfer(self, transfer: Transfer) -> None:
        body = msgspec.json.encode(transfer)
        sql = "INSERT INTO transfers VALUES (?, ?, ?, ?)"
        self.put(sql, transfer.uid, transfer.account_uid, to_millis(transfer.at), body)

    def add_withdrawal(self, withdrawal: Withdrawal) -> None:
        body = msgspec.json.encode(withdrawal)
        sql = "INSERT INTO withdrawals VALUES (?, ?, ?, ?)"
        self.put(sql, withdrawal.uid, withdrawal.account_uid, to_millis(withdrawal.at), body)

    def add_trade(self, trade: TradePrint) -> None:
        body = msgspec.json.encode(trade)
        self.put("INSERT OR REPLACE INTO tape VALUES (?, ?, ?, ?)", trade.symbol, trade.seq, to_millis(trade.at), body)

    def forget_trades(self, before: int) -> None:
        """Epoch milliseconds."""
        self.put("DELETE FROM tape WHERE at < ?", before)

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

    def meta(self, name: str) -> Any:
        """None when it was never saved."""
        self.settle()
        row = self.db.execute("SELECT body FROM meta WHERE name = ?", (name,)).fetchone()
        return None if row is None else msgspec.json.decode(row[0])

    def number(self, sql: str, *values: Any) -> int:
        self.settle()
        row = self.db.execute(sql, values).fetchone()
        return int(row[0] or 0)


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
