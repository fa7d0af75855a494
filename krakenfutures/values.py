"""The plain values the desk is made of: frozen, in `Decimal` and aware UTC, in words of no transport.

Every value parsed from a venue carries `unknown`: the fields and enum values we did not know, as they came.
Nothing is lost and nothing breaks; whoever stores the value stores that too and flags the row.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

import msgspec

Unknown = dict[str, Any]


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """A frozen record. `msgspec.json.encode` writes its decimals as strings and its times as ISO 8601."""


class Side(StrEnum):
    BUY = "buy"
    SELL = "sell"

    @property
    def sign(self) -> int:
        return 1 if self is Side.BUY else -1

    @property
    def opposite(self) -> Side:
        return Side.SELL if self is Side.BUY else Side.BUY


class ContractKind(StrEnum):
    INVERSE = "inverse"  # sized in contracts of 1 USD, margined and settled in the coin
    LINEAR = "linear"  # sized in the base coin, margined by the multi-collateral wallet
    VANILLA = "vanilla"
    OPTION = "option"
    UNKNOWN = "unknown"


class OrderType(StrEnum):
    LIMIT = "limit"
    POST = "post"
    IOC = "ioc"
    FOK = "fok"
    MARKET = "market"
    STOP = "stop"
    TAKE_PROFIT = "take_profit"
    TRAILING_STOP = "trailing_stop"
    UNKNOWN = "unknown"

    @property
    def takes_limit_price(self) -> bool:
        return self in {OrderType.LIMIT, OrderType.POST, OrderType.IOC, OrderType.FOK}

    @property
    def is_trigger(self) -> bool:
        return self in {OrderType.STOP, OrderType.TAKE_PROFIT, OrderType.TRAILING_STOP}


class TriggerSignal(StrEnum):
    MARK = "mark"
    INDEX = "index"
    LAST = "last"


class OrderState(StrEnum):
    """What a venue says of an order. What *we* know of an intent is `trading.models.order`'s own table."""

    PENDING = "pending"
    OPEN = "open"
    PARTLY_FILLED = "partly_filled"
    FILLED = "filled"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    EXPIRED = "expired"
    UNKNOWN = "unknown"

    @property
    def is_final(self) -> bool:
        return self in {OrderState.FILLED, OrderState.CANCELLED, OrderState.REJECTED, OrderState.EXPIRED}


class Permission(StrEnum):
    NONE = "none"
    READ = "read"
    FULL = "full"


class PriceSource(StrEnum):
    TRADE = "trade"
    MARK = "mark"
    INDEX = "index"


class MarginLevel(Value, frozen=True):
    """`initial` and `maintenance` (shares of 1) apply to the slice of the position from `start` upwards.

    `start` is in contracts on inverse markets and in USD of notional on linear ones.
    """

    start: Decimal
    initial: Decimal
    maintenance: Decimal


class Instrument(Value, frozen=True):
    symbol: str
    kind: ContractKind
    base: str  # normal form, BTC and never XBT
    quote: str
    tick: Decimal
    lot: Decimal  # the step of the size
    size_decimals: int  # may be negative: −3 means multiples of 1,000
    max_position: Decimal
    margin_levels: tuple[MarginLevel, ...]
    wallet: str  # which wallet margins it: "flex" or "fi_xbtusd"
    perpetual: bool
    maturity: datetime | None = None
    opened: datetime | None = None
    impact_mid_size: Decimal | None = None
    funding_coefficient: Decimal | None = None
    funding_cap: Decimal | None = None
    post_only: bool = False
    tradeable: bool = True
    expired: bool = False
    category: str = ""
    maker_protection_ms: int | None = None
    unknown: Unknown = {}


class InstrumentStatus(Value, frozen=True):
    symbol: str
    dislocated: bool
    dislocation: str  # Kraken's word for the direction, "" when there is none
    extremely_volatile: bool
    margin_multiplier: Decimal  # of the initial margin; 1 is normal
    unknown: Unknown = {}


class Ticker(Value, frozen=True):
    """Every field but the symbol may be missing; `at` is the venue's own time of the record."""

    symbol: str
    at: datetime | None = None
    bid: Decimal | None = None
    bid_size: Decimal | None = None
    ask: Decimal | None = None
    ask_size: Decimal | None = None
    last: Decimal | None = None
    last_size: Decimal | None = None
    mark: Decimal | None = None
    index: Decimal | None = None
    change_24h: Decimal | None = None  # percent
    open_24h: Decimal | None = None
    high_24h: Decimal | None = None
    low_24h: Decimal | None = None
    volume_24h: Decimal | None = None  # in the size unit of the contract
    volume_quote: Decimal | None = None
    open_interest: Decimal | None = None
    funding_rate: Decimal | None = None  # absolute, an hour: coin a contract (inverse), USD a coin (linear)
    funding_rate_prediction: Decimal | None = None
    relative_funding_rate: Decimal | None = None
    relative_funding_rate_prediction: Decimal | None = None
    next_funding_at: datetime | None = None
    premium: Decimal | None = None  # percent
    maturity: datetime | None = None
    suspended: bool = False
    post_only: bool = False
    tag: str = ""
    unknown: Unknown = {}


class Trade(Value, frozen=True):
    symbol: str
    id: str
    side: Side  # of the taker
    price: Decimal
    size: Decimal
    at: datetime
    kind: str = "fill"
    seq: int | None = None
    unknown: Unknown = {}


class Level(Value, frozen=True):
    price: Decimal
    size: Decimal


class BookSnapshot(Value, frozen=True):
    symbol: str
    bids: tuple[Level, ...]  # best first
    asks: tuple[Level, ...]  # best first
    seq: int | None = None  # REST gives none
    at: datetime | None = None


class BookDelta(Value, frozen=True):
    symbol: str
    side: Side  # buy means the bid side
    price: Decimal
    size: Decimal  # the new size at that price, 0 removes it
    seq: int
    at: datetime | None = None


class Candle(Value, frozen=True):
    at: datetime  # when it opened
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal


class FundingRate(Value, frozen=True):
    at: datetime  # start of the hour it applied to
    absolute: Decimal
    relative: Decimal


class Measure(StrEnum):
    """What the venue keeps a history of, beside prices."""

    FUNDING = "funding"  # the relative rate of an hour
    OPEN_INTEREST = "open_interest"
    PREMIUM = "premium"  # of the mark over the index, as a share


class Reading(Value, frozen=True):
    """A measure over one step of time; of a measure that is told once a step all four are the same."""

    at: datetime  # when the step began
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal


class Order(Value, frozen=True):
    """An order as the venue describes it. `size` is the total, filled part included."""

    id: str
    client_id: str | None
    symbol: str
    side: Side
    type: OrderType
    size: Decimal
    filled: Decimal
    state: OrderState
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trigger_signal: TriggerSignal | None = None
    reduce_only: bool = False
    placed_at: datetime | None = None
    updated_at: datetime | None = None
    reason: str = ""  # Kraken's own word for the last change
    unknown: Unknown = {}

    @property
    def open_size(self) -> Decimal:
        return self.size - self.filled


class Fill(Value, frozen=True):
    id: str
    order_id: str
    client_id: str | None
    symbol: str
    side: Side
    size: Decimal
    price: Decimal
    at: datetime
    kind: str  # Kraken's fill type: maker, taker, liquidation …; an unknown one stays as it came
    fee: Decimal | None = None  # positive means paid; REST fills do not say
    fee_currency: str | None = None
    realised_pnl: Decimal | None = None
    seq: int | None = None
    unknown: Unknown = {}


class Position(Value, frozen=True):
    symbol: str
    size: Decimal  # signed: negative is short
    entry: Decimal
    unrealised_pnl: Decimal | None = None
    unrealised_funding: Decimal | None = None
    pnl_currency: str | None = None
    max_leverage: Decimal | None = None  # set means isolated
    liquidation_price: Decimal | None = None
    initial_margin: Decimal | None = None
    maintenance_margin: Decimal | None = None
    mark: Decimal | None = None
    unknown: Unknown = {}


class Preference(Value, frozen=True):
    """What an account chose for a contract."""

    symbol: str
    max_leverage: Decimal | None = None  # set means isolated
    pnl_currency: str | None = None  # None: nothing was chosen
    unknown: Unknown = {}


class UnwindRank(Value, frozen=True):
    """Where a position stands in the line of those that are unwound against bankrupt ones: 100 is first in line."""

    symbol: str
    percentile: int
    unknown: Unknown = {}


class Holding(Value, frozen=True):
    """One currency of the multi-collateral wallet. `value` and `collateral` in USD, the rest in the currency."""

    currency: str
    quantity: Decimal
    value: Decimal
    collateral: Decimal
    available: Decimal
    haircut: Decimal | None = None


class FlexAccount(Value, frozen=True):
    """The multi-collateral wallet, in USD."""

    holdings: tuple[Holding, ...]
    balance_value: Decimal
    portfolio_value: Decimal
    collateral_value: Decimal
    initial_margin: Decimal
    initial_margin_with_orders: Decimal
    maintenance_margin: Decimal
    pnl: Decimal
    unrealised_funding: Decimal
    total_unrealised: Decimal
    total_unrealised_as_margin: Decimal
    margin_equity: Decimal
    available_margin: Decimal
    unknown: Unknown = {}


class MarginRequirements(Value, frozen=True):
    """Amounts (in the account's currency) or, as trigger estimates, prices. The live stream names only two."""

    initial: Decimal
    maintenance: Decimal
    liquidation: Decimal | None = None
    termination: Decimal | None = None


class MarginAccount(Value, frozen=True):
    """A single-collateral account, in its own `currency`."""

    name: str  # fi_xbtusd
    currency: str
    balance: Decimal
    portfolio_value: Decimal
    available: Decimal
    pnl: Decimal
    unrealised_funding: Decimal
    requirements: MarginRequirements
    trigger_estimates: MarginRequirements | None = None
    unknown: Unknown = {}


class Wallets(Value, frozen=True):
    """Everything `GET /accounts` says."""

    cash: dict[str, Decimal]
    margin_accounts: tuple[MarginAccount, ...]
    flex: FlexAccount | None
    at: datetime | None = None
    unknown: Unknown = {}


class KeyFacts(Value, frozen=True):
    """What a venue says of the key that asks."""

    account_uid: str
    general: Permission
    withdrawal: Permission
    allowed_addresses: tuple[str, ...] = ()
    created_at: datetime | None = None
    unknown: Unknown = {}


class OrderRef(Value, frozen=True):
    """How an order is named: by our own id, chosen before it was sent, and by the venue's once known."""

    client_id: str | None = None
    venue_id: str | None = None


class NewOrder(Value, frozen=True):
    """What we ask for. `client_id` is stored before anything is sent: recovery searches by it."""

    client_id: str
    symbol: str
    side: Side
    type: OrderType
    size: Decimal
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trigger_signal: TriggerSignal | None = None
    reduce_only: bool = False
    trailing_deviation: Decimal | None = None
    trailing_unit: str | None = None  # "percent" or "quote"


class DeadMan(Value, frozen=True):
    """The venue's own switch: it cancels every open order of the account at `fires_at`; None when it is not armed."""

    at: datetime
    fires_at: datetime | None = None


class Change(Value, frozen=True):
    """What an edit wants; `None` leaves a thing as it is. `size` is the new total, filled part included."""

    size: Decimal | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trailing_deviation: Decimal | None = None
    trailing_unit: str | None = None  # goes with the deviation


class Accepted(Value, frozen=True):
    """The venue did what was asked; `state` is the order's state afterwards.

    `filled` is what this answer proves, never more: a held or cancelled order may have filled further.
    """

    order_id: str
    client_id: str | None
    state: OrderState
    filled: Decimal
    average_price: Decimal | None = None
    at: datetime | None = None
    status: str = ""  # Kraken's own word
    order: Order | None = None


class Rejected(Value, frozen=True):
    """What was asked did not happen, for certain. `code` is Kraken's word, `sentence` is for people.

    Two codes are ours: `notSent` (no connection, nothing left this machine) and `throttled` (our own budget is
    short, nothing was sent; `retry_after` says when to ask again, in seconds). A refused cancel says `filled` or
    `notFound`: the order is then no longer open, and only a look-up or a fill says what became of it.
    """

    code: str
    sentence: str
    field: str | None = None
    retry_after: float | None = None


class Lost(Value, frozen=True):
    """No readable answer: the order may or may not exist. Settled by looking it up, never by sending it again."""

    ref: OrderRef
    why: str


Outcome = Accepted | Rejected | Lost
