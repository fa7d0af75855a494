"""Looking back."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from demovenue.values.base import Record
from demovenue.values.orders import Order
from demovenue.values.trades import Fill, PositionChange
from demovenue.values.wallets import Transfer, Withdrawal


class HistoryEvent(Record, frozen=True):
    """One element of `/api/history`; `family` is executions, orders, triggers or positions, `key` the event."""

    seq: int  # rises with time; the cursor
    uid: str
    account_uid: str
    family: str
    key: str
    at: datetime
    symbol: str
    order: Order | None = None  # the order; the *new* one of an update
    old: Order | None = None
    reason: str = ""
    error: str | None = None
    reduced: Decimal | None = None
    fill: Fill | None = None
    position: PositionChange | None = None
    opened: bool = False
    closed: bool = False

    @property
    def tags(self) -> tuple[str, ...]:
        """What it can be searched by."""
        if self.position is not None:
            return (self.symbol, self.position.change, self.position.reason)
        return (self.symbol, *(("opened",) if self.opened else ()), *(("closed",) if self.closed else ()))


class HistoryPage(Record, frozen=True):
    events: tuple[HistoryEvent, ...]
    cursor: int | None  # hand it back to go on; None when that was all


class Ledger(Record, frozen=True):
    """The truth about an account, whatever the client was told."""

    orders: tuple[Order, ...]
    fills: tuple[Fill, ...]
    transfers: tuple[Transfer, ...]
    withdrawals: tuple[Withdrawal, ...]
