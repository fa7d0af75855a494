"""The seam: what the desk may ask of a venue. Today's protocol and its successor both fit under it.

Kraken's Derivatives REST and WebSocket v1 end on 1 March 2027. Nothing above this package knows a path, a
header or a field name; capabilities are asked, never assumed; the transport is chosen per credential.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from krakenfutures.events import Event
from krakenfutures.funds import CASH, Destination, LedgerRow, MoneyOutcome, Transfer
from krakenfutures.history import HistoryPage, HistoryStream
from krakenfutures.values import (
    BookSnapshot,
    Candle,
    Change,
    DeadMan,
    Fill,
    FundingRate,
    Instrument,
    KeyFacts,
    Measure,
    NewOrder,
    Order,
    OrderRef,
    OrderType,
    Outcome,
    Position,
    Preference,
    PriceSource,
    Reading,
    Ticker,
    Trade,
    UnwindRank,
    Wallets,
)


class Feature(StrEnum):
    PLACE = "place"
    AMEND = "amend"
    BATCH = "batch"
    CANCEL_ALL = "cancel_all"
    LOOKUP = "lookup"
    HISTORY = "history"
    CHARTS = "charts"
    FUNDING = "funding"
    READINGS = "readings"
    WITHDRAW = "withdraw"
    PREFERENCES = "preferences"


@dataclass(frozen=True, slots=True)
class Capabilities:
    features: frozenset[Feature]
    order_types: frozenset[OrderType]
    batch_size: int


@dataclass(frozen=True, slots=True)
class Credentials:
    """A key pair. The secret is opened for one call and lives no longer."""

    key: str
    secret: str = field(repr=False)


class Gate(Protocol):
    """The one broker of a key: every signed call passes it, in whichever process it is made."""

    def enter(self, cost: int, *, urgent: bool = False, history: bool = False) -> int | None:
        """Spend `cost` points and get the nonce to send (None: send none).

        `urgent` calls (cancels, reductions) may use the reserve; `history` is paid from a pool of its own. Raises
        `Throttled` when the budget is short.
        """

    def penalise(self, *, history: bool = False) -> None:
        """The venue itself said "too fast": somebody else uses this key too, so assume the budget is empty."""


class Market(Protocol):
    def instruments(self) -> list[Instrument]: ...
    def tickers(self) -> list[Ticker]: ...
    def book(self, symbol: str) -> BookSnapshot: ...
    def trades(self, symbol: str, *, before: datetime | None = None) -> list[Trade]: ...
    def candles(
        self,
        symbol: str,
        *,
        source: PriceSource,
        resolution: str,
        since: datetime | None = None,
        until: datetime | None = None,
        count: int | None = None,
    ) -> list[Candle]: ...
    def funding(self, symbol: str) -> list[FundingRate]: ...
    def readings(
        self, symbol: str, measure: Measure, *, step: int, since: datetime, until: datetime | None = None
    ) -> list[Reading]: ...


class Orders(Protocol):
    def place(self, order: NewOrder, *, deadline: datetime) -> Outcome: ...
    def amend(self, ref: OrderRef, change: Change, *, deadline: datetime) -> Outcome: ...
    def cancel(self, ref: OrderRef, *, deadline: datetime | None = None) -> Outcome: ...
    def batch(self, orders: Sequence[NewOrder], *, deadline: datetime) -> list[Outcome]: ...
    def cancel_batch(self, refs: Sequence[OrderRef], *, deadline: datetime) -> list[Outcome]: ...
    def cancel_all(self, symbol: str | None = None) -> list[OrderRef]: ...
    def arm(self, seconds: int) -> DeadMan: ...
    def lookup(self, refs: Iterable[OrderRef]) -> list[Order]: ...


class Account(Protocol):
    def check(self) -> KeyFacts: ...
    def wallets(self) -> Wallets: ...
    def positions(self) -> list[Position]: ...
    def open_orders(self) -> list[Order]: ...
    def fills(self, *, before: datetime | None = None) -> list[Fill]: ...


class Funds(Protocol):
    """What moves money answers an outcome and is never sent twice; the reads raise the error tree."""

    def withdraw(self, currency: str, amount: Decimal, *, source: str = CASH) -> MoneyOutcome: ...
    def move(self, transfer: Transfer) -> MoneyOutcome: ...
    def destinations(self) -> list[Destination]: ...
    def ledger(
        self,
        *,
        from_id: int | None = None,
        to_id: int | None = None,
        since: datetime | None = None,
        before: datetime | None = None,
        count: int = 500,
        oldest_first: bool = False,
    ) -> list[LedgerRow]: ...


class History(Protocol):
    """Looking back, page by page. Raises the error tree; a page never breaks because of one entry in it."""

    def page(
        self,
        stream: HistoryStream,
        *,
        since: datetime | None = None,
        before: datetime | None = None,
        oldest_first: bool = False,
        count: int = 1000,
        after: str = "",
    ) -> HistoryPage: ...
    def ledger(
        self,
        *,
        from_id: int | None = None,
        to_id: int | None = None,
        since: datetime | None = None,
        before: datetime | None = None,
        count: int = 500,
        oldest_first: bool = False,
    ) -> list[LedgerRow]: ...
    def ledger_file(self) -> str: ...


class Preferences(Protocol):
    """What an account chose for each contract. Raises the error tree; setting one again only says it again."""

    def all(self) -> list[Preference]: ...
    def set_leverage(self, symbol: str, max_leverage: Decimal | None) -> None: ...
    def set_pnl_currency(self, symbol: str, currency: str) -> None: ...
    def unwind_ranks(self) -> list[UnwindRank]: ...


class Session(Protocol):
    """Everything one credential may do. Close it, or use it as a context manager."""

    @property
    def orders(self) -> Orders: ...
    @property
    def account(self) -> Account: ...
    @property
    def funds(self) -> Funds: ...
    @property
    def history(self) -> History: ...
    @property
    def preferences(self) -> Preferences: ...
    def close(self) -> None: ...


class Venue(Protocol):
    """One environment (production, demo) of one exchange."""

    @property
    def capabilities(self) -> Capabilities: ...
    @property
    def market(self) -> Market: ...
    def clock_skew(self) -> float: ...
    def session(self, credentials: Credentials, gate: Gate) -> AbstractContextManager[Session]: ...
    def watch_market(self, wanted: MarketWishes) -> AsyncIterator[Event]: ...
    def watch_account(self, credentials: Credentials) -> AsyncIterator[Event]: ...


class MarketWishes(Protocol):
    """What should be subscribed now; the stream reads it after every connect and whenever it changes."""

    def current(self) -> dict[str, frozenset[str]]: ...
    async def changed(self) -> None: ...
