"""What the API answers with. Decimals are text, times ISO 8601 in UTC; null is "not known" or "does not apply"."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from ninja import Field, Schema

Number = Annotated[str, Field(pattern=r"^-?\d+(\.\d+)?$", description="a decimal", examples=["0.25"])]


class Account(Schema):
    id: int
    label: str
    environment: str = Field(description="demo or production")
    demo_email: str | None = Field(None, description="its login at the demo exchange, where it has one")


class Totals(Schema):
    """In USD, as the overview shows them."""

    equity: Number
    available: Number
    used: Number
    maintenance: Number
    unrealised_pnl: Number
    unrealised_funding: Number
    share: Number | None = Field(description="maintenance margin over equity, of what is nearest to liquidation")
    level: str = Field(description="healthy, caution, warning or critical")
    missing: list[str] = Field(description="currencies nobody prices: they are in none of the sums")


class Requirements(Schema):
    initial: Number
    maintenance: Number
    liquidation: Number | None
    termination: Number | None


class MarginAccount(Schema):
    """A single-collateral account, in its own currency."""

    name: str
    currency: str
    balance: Number
    portfolio_value: Number
    available: Number
    pnl: Number
    unrealised_funding: Number
    requirements: Requirements
    trigger_estimates: Requirements | None


class Holding(Schema):
    """A currency of the multi-collateral wallet; value and collateral in USD."""

    currency: str
    quantity: Number
    value: Number
    collateral: Number
    available: Number
    haircut: Number | None


class Flex(Schema):
    """The multi-collateral wallet, in USD."""

    holdings: list[Holding]
    balance_value: Number
    portfolio_value: Number
    collateral_value: Number
    initial_margin: Number
    initial_margin_with_orders: Number
    maintenance_margin: Number
    pnl: Number
    unrealised_funding: Number
    total_unrealised: Number
    total_unrealised_as_margin: Number
    margin_equity: Number
    available_margin: Number


class AccountWallets(Schema):
    """Everything the exchange last said an account holds, to the last digit, and when it said so."""

    account: int
    at: datetime
    source: str = Field(description="rest or feed")
    totals: Totals
    cash: dict[str, Number]
    margin_accounts: list[MarginAccount]
    flex: Flex | None


class Position(Schema):
    account: int
    symbol: str
    side: str = Field(description="long or short")
    size: Number = Field(description="without a sign, in the contract's own unit")
    entry: Number
    mark: Number | None
    unrealised_pnl: Number | None = Field(description="by the mark, in `pnl_currency`")
    pnl_currency: str
    unrealised_funding: Number | None
    initial_margin: Number | None
    maintenance_margin: Number | None
    max_leverage: Number | None = Field(description="set means isolated")
    unwind_percentile: int | None = Field(description="in the line of those to be unwound; 100 is first")
    liquidation_price: Number | None
    liquidation_estimated: bool = Field(description="the exchange has not said it, so it is reckoned here")
    liquidation_distance: Number | None = Field(description="from the mark, as a share of it")
    at: datetime
    source: str


class Order(Schema):
    id: UUID = Field(description="the intent: the Idempotency-Key it was placed with")
    account: int
    state: str = Field(description="draft, sending, open, partly_filled, filled, cancelled, rejected, expired,"
                       " uncertain, never_arrived")  # fmt: skip
    client_order_id: str | None
    venue_order_id: str | None
    symbol: str
    side: str
    type: str
    size: Number
    filled: Number
    limit_price: Number | None
    stop_price: Number | None
    trigger_signal: str | None
    trailing_deviation: Number | None
    trailing_unit: str | None
    reduce_only: bool
    average_price: Number | None
    venue_status: str = Field(description="the exchange's own word, raw")
    reason_code: str
    reason: str = Field(description="why it is as it is, in a sentence")
    evidence: list[dict[str, Any]] = Field(description="what was looked for while it was uncertain")
    by: str | None = Field(description="who asked for it; null: somebody else at the exchange")
    created_at: datetime
    updated_at: datetime


class Batch(Schema):
    id: UUID
    account: int
    items: list[Order]


class Leg(Schema):
    """One order of a cancel of many. `done` is null while nobody has proven what became of it."""

    done: bool | None
    message: str
    order: Order


class Cancelled(Schema):
    items: list[Leg]


class Fill(Schema):
    id: str = Field(description="the exchange's own")
    account: int
    venue_order_id: str
    client_order_id: str
    symbol: str
    side: str
    size: Number
    price: Number
    kind: str = Field(description="maker, taker, liquidation …; an unknown one as it came")
    fee: Number | None
    fee_currency: str
    realised_pnl: Number | None
    at: datetime


class Withdrawal(Schema):
    id: UUID
    account: int
    state: str
    code: str = Field(description="the short code, the same everywhere")
    source: str
    currency: str
    amount: Number
    landing: str = Field(description="spot, wallet or subaccount")
    target_wallet: str
    target_account: str
    reason: str
    requester: str
    approvals: int = Field(description="of those given to what is asked for now")
    approvals_needed: int
    requested_at: datetime | None
    expires_at: datetime | None
    ready_at: datetime | None = Field(description="the end of the cool-off")
    finished_at: datetime | None
    reference: str = Field(description="the exchange's own")
    resolution: str
    remark: str


class AuditRow(Schema):
    number: int | None = Field(description="its place in the desk's chain")
    at: datetime
    actor: str | None
    action: str
    about: str
    details: dict[str, Any]
    request_id: str
    digest: str
