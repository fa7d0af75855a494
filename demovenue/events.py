"""What the engine tells its listeners, after it is committed and in the order it happened."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

from demovenue.values import Fill, LogEntry, Order, Record, TradePrint


class BookDelta(Record):
    """`size` is what now stands at the price, 0 when the level is gone. `seq` rises by exactly 1 per symbol."""

    symbol: str
    seq: int
    side: str  # buy: the bids
    price: Decimal
    size: Decimal
    at: datetime


class Traded(Record):
    trade: TradePrint


class TickerChanged(Record):
    """Ask `Exchange.ticker` when you want to send one; this only rings the bell, a few times a second."""

    symbol: str


class OrderChanged(Record):
    """`gone`: it is no longer open. `reason` is the socket's word (`new_placed_order_by_user`, `full_fill` …)."""

    account_uid: str
    order: Order
    gone: bool
    reason: str
    verbose_only: bool = False  # a rejected post-only order, which never was in the book


class Filled(Record):
    account_uid: str
    fill: Fill


class PositionsChanged(Record):
    account_uid: str


class BalancesChanged(Record):
    account_uid: str
    wallet: str  # cash, flex, fi_xbtusd …


class Logged(Record):
    account_uid: str
    entry: LogEntry


class InstrumentsChanged(Record):
    """A contract was listed, settled, suspended or released."""


class KeyRevoked(Record):
    account_uid: str
    public: str


class AccountChanged(Record):
    """A preference, the dead man's switch or a permission."""

    account_uid: str


Event = (
    BookDelta
    | Traded
    | TickerChanged
    | OrderChanged
    | Filled
    | PositionsChanged
    | BalancesChanged
    | Logged
    | InstrumentsChanged
    | KeyRevoked
    | AccountChanged
)
Listener = Callable[[Event], None]
