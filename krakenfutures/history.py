"""Looking back: what happened to an account, event by event, as the venue recorded it.

A page is never broken by one entry in it: an entry of a kind we do not know, or that we cannot read, becomes an
`AccountEvent` that carries it raw in `unknown`.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from krakenfutures.values import Fill, OrderType, Side, TriggerSignal, Unknown, Value


class HistoryStream(StrEnum):
    EXECUTIONS = "executions"
    ORDERS = "orders"
    TRIGGERS = "triggers"
    POSITIONS = "positions"


class AccountEvent(Value, frozen=True):
    """What became of an order or a trigger; or an entry of any stream that we could not read."""

    id: str
    stream: HistoryStream
    at: datetime
    kind: str  # placed, updated, cancelled, rejected, edit_rejected, not_found, activated; an unknown one as it came
    symbol: str = ""
    order_id: str = ""
    client_id: str | None = None
    side: Side | None = None
    type: OrderType = OrderType.UNKNOWN
    size: Decimal | None = None  # the total, filled part included
    filled: Decimal | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trigger_signal: TriggerSignal | None = None
    reduce_only: bool = False
    old_size: Decimal | None = None  # before an update
    old_limit_price: Decimal | None = None
    old_stop_price: Decimal | None = None
    reason: str = ""  # Kraken's own word
    error: str = ""
    unknown: Unknown = {}


class PositionEvent(Value, frozen=True):
    """How a position changed, and what that realised. Amounts as the venue gives them, not rounded."""

    id: str
    at: datetime
    symbol: str
    change: str  # open, close, increase, decrease, reverse, noChange
    reason: str  # trade, fundingRealisation, settlement
    old_size: Decimal  # signed
    new_size: Decimal
    old_entry: Decimal | None = None
    new_entry: Decimal | None = None
    execution: str = ""  # the id of the fill
    price: Decimal | None = None
    size: Decimal | None = None
    trade_kind: str = ""
    fee: Decimal | None = None
    fee_currency: str = ""
    realised_pnl: Decimal | None = None
    realised_funding: Decimal | None = None
    settlement_price: Decimal | None = None
    unknown: Unknown = {}


class HistoryPage(Value, frozen=True):
    """What a page held, in the order asked for. `after` asks for the page that follows; empty when that was all."""

    fills: tuple[Fill, ...] = ()
    events: tuple[AccountEvent, ...] = ()
    positions: tuple[PositionEvent, ...] = ()
    after: str = ""

    @property
    def times(self) -> list[datetime]:
        return [
            *(one.at for one in self.fills),
            *(one.at for one in self.events),
            *(one.at for one in self.positions),
        ]

    def __len__(self) -> int:
        return len(self.fills) + len(self.events) + len(self.positions)
