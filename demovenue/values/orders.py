"""Wishes, orders, and what came of them."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import msgspec

from demovenue.values.base import Record


class OrderWish(Record, frozen=True):
    """What a client asks for. Sizes and prices are as sent: the exchange checks steps and signs."""

    order_type: str  # lmt post ioc fok mkt stp take_profit trailing_stop
    symbol: str
    side: str  # buy, sell
    size: Decimal
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trigger_signal: str | None = None  # mark, index, last
    reduce_only: bool = False
    cli_ord_id: str | None = None
    trailing_max_deviation: Decimal | None = None
    trailing_unit: str | None = None  # PERCENT, QUOTE_CURRENCY
    limit_offset_value: Decimal | None = None
    limit_offset_unit: str | None = None
    process_before: datetime | None = None
    algo_id: str | None = None


class EditWish(Record, frozen=True):
    order_id: str | None = None
    cli_ord_id: str | None = None
    size: Decimal | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trailing_max_deviation: Decimal | None = None
    trailing_unit: str | None = None
    qty_mode: str = "RELATIVE"  # or ABSOLUTE
    process_before: datetime | None = None


class CancelWish(Record, frozen=True):
    order_id: str | None = None
    cli_ord_id: str | None = None
    process_before: datetime | None = None


class Order(Record, frozen=True):
    """An order or a dormant trigger order (`trigger_kind` set) at one moment."""

    id: str
    account_uid: str
    symbol: str
    side: str
    type: str  # of the event vocabulary: lmt ioc post fok liquidation assignment unwind
    sent_type: str  # what the client asked for: lmt … mkt stp take_profit trailing_stop
    quantity: Decimal  # the total, filled part included
    filled: Decimal
    limit_price: Decimal | None  # None: a trigger that will be a market order
    created: datetime
    updated: datetime
    cli_ord_id: str | None = None
    reduce_only: bool = False
    algo_id: str | None = None
    trigger_kind: str | None = None  # stop, take_profit, trailing_stop; None once it is a plain order
    trigger_price: Decimal | None = None
    trigger_above: bool = False
    trigger_signal: str | None = None  # mark, index, last
    trailing_max_deviation: Decimal | None = None
    trailing_unit: str | None = None
    limit_offset_value: Decimal | None = None
    limit_offset_unit: str | None = None
    triggered_at: datetime | None = None
    # ENTERED_BOOK FULLY_EXECUTED REJECTED CANCELLED TRIGGER_PLACED TRIGGER_ACTIVATION_FAILURE
    status: str = "ENTERED_BOOK"
    update_reason: str | None = None  # of orders/status: PARTIAL_FILL, CANCELLED_BY_USER …
    error: str | None = None  # OrderError

    def after(self, size: Decimal, at: datetime) -> Order:
        """What an execution leaves of it."""
        filled = self.filled + size
        if filled < self.quantity:
            return msgspec.structs.replace(self, filled=filled, updated=at, update_reason="PARTIAL_FILL")
        return msgspec.structs.replace(
            self, filled=filled, updated=at, status="FULLY_EXECUTED", update_reason="FULL_FILL"
        )

    @property
    def remaining(self) -> Decimal:
        return self.quantity - self.filled

    @property
    def is_trigger(self) -> bool:
        return self.trigger_kind is not None

    @property
    def is_open(self) -> bool:
        return self.status in {"ENTERED_BOOK", "TRIGGER_PLACED"}


class OrderEvent(Record, frozen=True):
    """One row of `orderEvents`. `order.is_trigger` tells `orderTrigger` from `order`."""

    type: str  # PLACE CANCEL EDIT REJECT EXECUTION
    order: Order | None = None  # PLACE, CANCEL, REJECT; the new one of EDIT; the one *before* an EXECUTION
    old: Order | None = None  # EDIT
    reduced_quantity: Decimal | None = None  # PLACE, EDIT; takerReducedQuantity of an EXECUTION
    reason: str | None = None  # REJECT
    execution_id: str | None = None
    price: Decimal | None = None
    amount: Decimal | None = None
    order_prior_edit: Order | None = None


class OrderResult(Record, frozen=True):
    """The answer to send, edit or cancel. `status` is Kraken's word (`placed`, `insufficientAvailableFunds` …)."""

    status: str
    received: datetime
    order_id: str | None = None
    cli_ord_id: str | None = None
    events: tuple[OrderEvent, ...] = ()


class CancelAllResult(Record, frozen=True):
    status: str  # cancelled, noOrdersToCancel
    received: datetime
    cancel_only: str  # "all" or the symbol
    cancelled: tuple[Order, ...] = ()
