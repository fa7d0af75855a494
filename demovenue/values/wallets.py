"""Money: how much, what it is worth, and how it came and went."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from demovenue.values.base import Record


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
