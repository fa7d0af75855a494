"""What a stream can say. Gaps and losses are events too, never silences."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from krakenfutures.funds import LedgerRow
from krakenfutures.values import (
    BookDelta,
    BookSnapshot,
    Candle,
    Fill,
    FlexAccount,
    MarginAccount,
    Order,
    OrderState,
    Position,
    Ticker,
    Trade,
    Value,
)


class Connected(Value, frozen=True):
    """A new connection stands and everything wished for has been asked of it."""

    attempt: int


class Disconnected(Value, frozen=True):
    why: str
    retry_in: float  # seconds


class Heard(Value, frozen=True):
    """The venue said something that carries no data (heartbeat, acknowledgement, info): the link lives.

    `at`: the venue's clock, where it told the time.
    """

    at: datetime | None = None


class Subscribed(Value, frozen=True):
    feed: str
    symbol: str | None = None


class Alert(Value, frozen=True):
    """The venue is unhappy, in its own words. `unauthorised`: it does not accept our key for private streams."""

    message: str
    unauthorised: bool = False


class Gap(Value, frozen=True):
    """A number was skipped in this stream: what we hold of it is void until the next snapshot."""

    feed: str
    symbol: str | None
    expected: int
    got: int


class Unread(Value, frozen=True):
    """A line we do not understand, as it came."""

    text: str
    why: str


class TradesSnapshot(Value, frozen=True):
    symbol: str
    trades: tuple[Trade, ...]  # newest first


class CandleTick(Value, frozen=True):
    symbol: str
    resolution: str
    candles: tuple[Candle, ...]


class OrdersSnapshot(Value, frozen=True):
    orders: tuple[Order, ...]


class OrderChanged(Value, frozen=True):
    """One order moved. `gone` means it is no longer open; `order` is missing where the venue names only the id.

    `state` is what the change proves; an order gone for a reason we do not know is `UNKNOWN` until looked up.
    """

    order_id: str
    client_id: str | None
    gone: bool
    reason: str
    order: Order | None = None
    state: OrderState = OrderState.UNKNOWN


class FillsSnapshot(Value, frozen=True):
    fills: tuple[Fill, ...]


class FillsHappened(Value, frozen=True):
    fills: tuple[Fill, ...]


class PositionsChanged(Value, frozen=True):
    """Always every position: one that is missing is closed."""

    positions: tuple[Position, ...]


class BalancesChanged(Value, frozen=True):
    """Only the sections that changed are set, unless `complete`."""

    complete: bool
    cash: dict[str, Decimal] | None = None
    margin_accounts: tuple[MarginAccount, ...] | None = None
    flex: FlexAccount | None = None
    seq: int | None = None


class LedgerRows(Value, frozen=True):
    rows: tuple[LedgerRow, ...]
    complete: bool


class Notices(Value, frozen=True):
    notices: tuple[dict[str, object], ...]


Event = (
    Connected
    | Disconnected
    | Heard
    | Subscribed
    | Alert
    | Gap
    | Unread
    | Ticker
    | Trade
    | TradesSnapshot
    | BookSnapshot
    | BookDelta
    | CandleTick
    | OrdersSnapshot
    | OrderChanged
    | FillsSnapshot
    | FillsHappened
    | PositionsChanged
    | BalancesChanged
    | LedgerRows
    | Notices
)
