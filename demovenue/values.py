"""What the exchange holds and returns. Frozen records: a change is a new record, so what you hold is a snapshot.

Money and sizes are `Decimal`, times are aware UTC. Currencies are in lower case, Kraken's way (`xbt`, `usd`);
symbols in upper case. The words of enums are those of the REST reference unless a comment says otherwise.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """A frozen record; `msgspec.json` writes decimals as strings and times as ISO 8601."""


class Refused(Exception):
    """The exchange says no. `word` is Kraken's own (`insufficientFunds`), `number` is for preferences (87 …)."""

    def __init__(self, word: str, number: int | None = None) -> None:
        super().__init__(word)
        self.word = word
        self.number = number


class MarginLevel(Record, frozen=True):
    """From `start` (contracts if inverse, USD of notional if linear) upwards these shares of 1 apply."""

    start: Decimal
    initial: Decimal
    maintenance: Decimal


class Instrument(Record, frozen=True):
    symbol: str
    coin: str  # XBT, ETH …: symbol notation
    inverse: bool  # sized in USD, margined in the coin; otherwise sized in the coin, margined by flex
    perpetual: bool
    wallet: str  # "flex" or "fi_xbtusd"
    tick: Decimal
    lot: Decimal
    size_precision: int
    max_position: Decimal
    impact_mid_size: Decimal
    levels: tuple[MarginLevel, ...]
    tag: str  # perpetual, week, month, quarter, semiannual
    opened: datetime
    maturity: datetime | None = None
    funding_coefficient: Decimal | None = None
    funding_cap: Decimal | None = None
    raw: dict[str, Any] = {}  # the REST answer's row

    @property
    def pair(self) -> str:
        return f"{self.coin}:USD"

    @property
    def currency(self) -> str:
        """What profit, fees and funding are paid in."""
        return self.coin.lower() if self.inverse else "usd"


class InstrumentStatus(Record, frozen=True):
    symbol: str
    suspended: bool = False
    post_only: bool = False
    dislocation: str | None = None  # ABOVE_UPPER_BOUND, BELOW_LOWER_BOUND
    extreme_volatility: bool = False
    margin_multiplier: int = 1
    maker_protection_ms: int = 0


class Account(Record, frozen=True):
    uid: str
    number: int  # `accountId` of trigger events
    email: str
    password_hash: str
    created: datetime
    master_uid: str | None = None  # set on a subaccount
    trading_enabled: bool = True
    self_trade: str = "REJECT_TAKER"
    max_leverage: dict[str, Decimal] = {}  # symbol → cap; presence isolates the symbol
    pnl_currency: dict[str, str] = {}  # symbol → BTC, EUR …
    cancel_all_at: datetime | None = None  # dead man's switch
    house: bool = False  # the makers' and takers' own account


class SignUp(Record, frozen=True):
    account: Account
    password: str  # known only now


class Key(Record, frozen=True):
    public: str
    secret: str
    account_uid: str
    general: str  # none, read, full
    withdrawal: str  # none, full
    created: datetime


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
    mark_price: Decimal
    position: Decimal  # signed, afterwards
    order: Order | None = None  # just before the execution
    limit_filled: bool = False


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


class MarketOrder(Record, frozen=True):
    """An anonymous order entering or leaving the book. `key` is OrderPlaced or OrderCancelled."""

    seq: int  # rises; the cursor
    symbol: str
    key: str
    order_id: str
    side: str
    price: Decimal
    size: Decimal
    at: datetime


class Analytics(Record, frozen=True):
    """A series: `data` is a list aligned with `timestamps` (epoch seconds), or a tree of such lists."""

    timestamps: list[int]
    data: Any
    more: bool = False


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


class FlexCurrency(Record, frozen=True):
    quantity: Decimal
    value: Decimal
    collateral: Decimal
    available: Decimal  # in the currency
    haircut: Decimal
    conversion_spread: Decimal


class FlexView(Record, frozen=True):
    """The multi-collateral wallet, in USD, not rounded. Keys of `currencies` are upper case."""

    currencies: dict[str, FlexCurrency]
    initial_margin: Decimal
    initial_margin_with_orders: Decimal
    maintenance_margin: Decimal
    balance_value: Decimal
    portfolio_value: Decimal
    collateral_value: Decimal
    pnl: Decimal
    unrealized_funding: Decimal
    total_unrealized: Decimal
    total_unrealized_as_margin: Decimal
    margin_equity: Decimal
    available_margin: Decimal
    effective_leverage: Decimal
    isolated: tuple[str, ...] = ()


class MarginView(Record, frozen=True):
    """A single-collateral wallet, in its coin."""

    name: str  # fi_xbtusd
    currency: str
    balance: Decimal
    positions: dict[str, Decimal]
    pv: Decimal
    pnl: Decimal
    af: Decimal
    funding: Decimal
    im: Decimal
    mm: Decimal
    lt: Decimal
    tt: Decimal
    triggers: dict[str, Decimal]  # im mm lt tt → price; 0 when flat


class WalletsView(Record, frozen=True):
    cash: dict[str, Decimal]
    flex: FlexView
    margin: dict[str, MarginView]


class LogEntry(Record, frozen=True):
    """A row of the account log. None where the kind has no such figure."""

    account_uid: str
    id: int  # 1, 2, 3 … per account
    at: datetime
    asset: str
    info: str
    booking_uid: str
    margin_account: str
    old_balance: Decimal
    new_balance: Decimal
    contract: str | None = None
    old_average_entry_price: Decimal | None = None
    new_average_entry_price: Decimal | None = None
    trade_price: Decimal | None = None
    mark_price: Decimal | None = None
    realized_pnl: Decimal | None = None
    fee: Decimal | None = None
    realized_funding: Decimal | None = None
    funding_rate: Decimal | None = None
    execution: str | None = None
    collateral: str | None = None
    conversion_spread_percentage: Decimal | None = None
    liquidation_fee: Decimal | None = None


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


class HistoryPage(Record, frozen=True):
    events: tuple[HistoryEvent, ...]
    cursor: int | None  # hand it back to go on; None when that was all


class Candle(Record, frozen=True):
    time: int  # epoch milliseconds of the opening
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal


class Ticker(Record, frozen=True):
    """None where Kraken leaves the field out."""

    symbol: str
    at: datetime
    tag: str
    pair: str
    mark: Decimal
    index: Decimal
    volume: Decimal
    volume_quote: Decimal
    open_interest: Decimal
    change: Decimal  # percent, two decimals
    suspended: bool
    post_only: bool
    premium: Decimal  # percent
    leverage: str  # "50x"
    bid: Decimal | None = None
    bid_size: Decimal | None = None
    ask: Decimal | None = None
    ask_size: Decimal | None = None
    last: Decimal | None = None
    last_size: Decimal | None = None
    last_at: datetime | None = None
    open: Decimal | None = None
    high: Decimal | None = None
    low: Decimal | None = None
    vwap: Decimal | None = None
    funding_rate: Decimal | None = None  # absolute
    funding_rate_prediction: Decimal | None = None
    relative_funding_rate: Decimal | None = None
    relative_funding_rate_prediction: Decimal | None = None
    next_funding: datetime | None = None
    maturity: datetime | None = None


class BookView(Record, frozen=True):
    symbol: str
    seq: int
    at: datetime
    bids: tuple[tuple[Decimal, Decimal], ...]  # price, size; best first
    asks: tuple[tuple[Decimal, Decimal], ...]


class FundingRate(Record, frozen=True):
    at: datetime  # the start of the hour it applied to
    absolute: Decimal
    relative: Decimal


class Transfer(Record, frozen=True):
    uid: str
    account_uid: str
    from_wallet: str
    to_wallet: str
    currency: str
    amount: Decimal
    at: datetime
    other_account_uid: str | None = None


class Withdrawal(Record, frozen=True):
    uid: str
    account_uid: str
    currency: str
    amount: Decimal
    source_wallet: str
    at: datetime


class Ledger(Record, frozen=True):
    """The truth about an account, whatever the client was told."""

    orders: tuple[Order, ...]
    fills: tuple[Fill, ...]
    transfers: tuple[Transfer, ...]
    withdrawals: tuple[Withdrawal, ...]


class Notification(Record, frozen=True):
    id: int
    type: str
    priority: str
    note: str
    effective: datetime
    downtime_minutes: int | None = None


class Participant(Record, frozen=True):
    """An entry in the assignment programme. Nulls mean no limit, every contract, every currency."""

    account_uid: str
    contract_type: str  # flex, futures_inverse
    accept_long: bool
    accept_short: bool
    time_frame: str  # WEEKDAYS, WEEKEND, ALL
    enabled: bool
    contract: str | None = None
    max_size: Decimal | None = None
    max_position: Decimal | None = None
    base_currency: str | None = None
    quote_currency: str | None = None
    cash_account_open_position_max_notional: Decimal | None = None
    id: int = 0
    added: datetime | None = None
    deleted: datetime | None = None
