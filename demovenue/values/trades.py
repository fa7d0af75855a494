"""Executions and positions."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from demovenue.values.base import Record
from demovenue.values.orders import Order


class PositionChange(Record, frozen=True):
    """The body of a `PositionUpdate`."""

    old_size: Decimal
    new_size: Decimal
    old_entry: Decimal | None
    new_entry: Decimal | None
    opened: datetime | None
    change: str  # open close increase decrease reverse noChange
    reason: str  # trade fundingRealisation settlement
    fee: Decimal | None = None
    fee_currency: str | None = None
    realized_pnl: Decimal | None = None
    realized_funding: Decimal | None = None
    funding_at: datetime | None = None
    execution_uid: str | None = None
    execution_price: Decimal | None = None
    execution_size: Decimal | None = None
    trade_type: str | None = None
    settlement_price: Decimal | None = None


class Fill(Record, frozen=True):
    fill_id: str
    account_uid: str
    order_id: str
    cli_ord_id: str | None
    symbol: str
    side: str
    size: Decimal
    price: Decimal
    at: datetime
    fill_type: str  # maker taker liquidation partialLiquidation assignor assignee takerAfterEdit unwind…
    realized_pnl: Decimal
    fee: Decimal
    fee_currency: str  # BTC, ETH, USD: this one is in instrument notation
    fee_percent: Decimal
    remaining: Decimal  # of the order, afterwards
    order_type: str  # as sent: lmt, mkt, post …
    taker_order_type: str
    sequence: int  # of the market's trades
    number: int  # of the account's history, rising
    mark_price: Decimal
    position: Decimal  # signed, afterwards
    order: Order  # just before the execution
    change: PositionChange
    limit_filled: bool = False

    @property
    def tags(self) -> tuple[str, ...]:
        """What it can be searched by."""
        tags = (self.symbol, self.change.change, self.change.reason)
        return (*tags, "closed") if self.remaining == 0 else tags


class TradePrint(Record, frozen=True):
    """One row of the tape. `side` is the taker's; `kind` is fill, liquidation, assignment, unwind, termination."""

    symbol: str
    uid: str
    side: str
    kind: str
    seq: int
    at: datetime
    size: Decimal
    price: Decimal
    mark: Decimal | None = None
    maker_id: str | None = None
    taker_id: str | None = None
    maker_quantity: Decimal | None = None  # open just before
    taker_quantity: Decimal | None = None
    taker_limit: Decimal | None = None
    limit_filled: bool = False  # the maker is used up


class Position(Record, frozen=True):
    account_uid: str
    symbol: str
    size: Decimal  # signed
    entry: Decimal
    opened: datetime  # `fillTime`
    funded: datetime  # funding is realised up to here


class PositionView(Record, frozen=True):
    """A position priced now. Amounts in the settlement currency (the coin if inverse, USD if linear)."""

    symbol: str
    size: Decimal  # signed
    entry: Decimal
    opened: datetime
    mark: Decimal
    index: Decimal
    pnl: Decimal
    unrealized_funding: Decimal
    initial_margin: Decimal
    initial_margin_with_orders: Decimal
    maintenance_margin: Decimal
    liquidation_price: Decimal  # 0 when it cannot be reached
    effective_leverage: Decimal
    return_on_equity: Decimal
    pnl_currency: str | None = None
    max_fixed_leverage: Decimal | None = None
