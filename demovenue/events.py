"""What the engine tells its listeners, after it is committed and in the order it happened."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

from demovenue.values import Fill, LogEntry, Order, Record, TradePrint


class BookDelta(Record, frozen=True):
    """`size` is what now stands at the price, 0 when the level is gone. `seq` rises by exactly 1 per symbol."""

    symbol: str
    seq: int
    side: str  # buy: the bids
    price: Decimal
    size: Decimal
    at: datetime


class Traded(Record, frozen=True):
    trade: TradePrint


class TickerChanged(Record, frozen=True):
    """Ask `Exchange.ticker` when you want to send one; this only rings the bell, a few times a second."""

    symbol: str


class OrderChanged(Record, frozen=True):
    """`gone`: it is no longer open. `reason` is the socket's word (`new_placed_order_by_user`, `full_fill` …)."""

    account_uid: str
    order: Order
    gone: bool
    reason: str
    verbose_only: bool = False  # a rejected post-only order, which never was in the book


class Filled(Record, frozen=True):
    account_uid: str
    fill: Fill


class PositionsChanged(Record, frozen=True):
    account_uid: str


class BalancesChanged(Record, frozen=True):
    account_uid: str
    wallet: str  # cash, flex, fi_xbtusd …


class Logged(Record, frozen=True):
    account_uid: str
    entry: LogEntry


class InstrumentsChanged(Record, frozen=True):
    """A contract was listed, settled, suspended or released."""


class KeyRevoked(Record, frozen=True):
    account_uid: str
    public: str


class AccountChanged(Record, frozen=True):
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
