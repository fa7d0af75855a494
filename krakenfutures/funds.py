"""Money on the move: where it may go, what is asked, what an answer proves, and the venue's own book of it."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from krakenfutures.values import Lost, Rejected, Unknown, Value

CASH = "cash"
MULTI_COLLATERAL = "flex"


class Landing(StrEnum):
    """Where money lands. There is no address: a withdrawal always goes to the owner's own spot wallet."""

    SPOT = "spot"
    WALLET = "wallet"
    SUBACCOUNT = "subaccount"


class Destination(Value, frozen=True):
    """A place the key can send to. `wallet` is empty for spot; `account` is the uid of a subaccount, else empty."""

    landing: Landing
    wallet: str = ""
    account: str = ""
    label: str = ""
    currencies: tuple[str, ...] | None = None  # None: whatever the source holds


class Transfer(Value, frozen=True):
    """Between wallets of one account, or (with both uids set) between an account and its subaccount."""

    source: str
    target: str
    currency: str  # normal form
    amount: Decimal
    from_account: str = ""
    to_account: str = ""


class Receipt(Value, frozen=True):
    """The venue took the money on its way. Only withdrawals carry a `reference`; it stands in the ledger too."""

    reference: str = ""
    at: datetime | None = None


MoneyOutcome = Receipt | Rejected | Lost


class Category(StrEnum):
    """What a row of the account log is about, coarser than the venue's own words."""

    TRADE = "trade"
    LIQUIDATION = "liquidation"
    FUNDING = "funding"
    SETTLEMENT = "settlement"
    TRANSFER = "transfer"
    CONVERSION = "conversion"
    INTEREST = "interest"
    CREDIT = "credit"  # fee credits that paid a fee
    TAX = "tax"
    UNKNOWN = "unknown"


CATEGORIES = {
    "futures trade": Category.TRADE,
    "futures assignor": Category.LIQUIDATION,
    "futures assignee": Category.TRADE,
    "futures liquidation": Category.LIQUIDATION,
    "futures partial liquidation": Category.LIQUIDATION,
    "futures unwind bankrupt": Category.LIQUIDATION,
    "futures unwind counterparty": Category.TRADE,
    "covered liquidation": Category.LIQUIDATION,
    "funding rate change": Category.FUNDING,
    "settlement": Category.SETTLEMENT,
    "transfer": Category.TRANSFER,
    "cross-exchange transfer": Category.TRANSFER,
    "subaccount transfer": Category.TRANSFER,
    "admin transfer": Category.TRANSFER,
    "conversion": Category.CONVERSION,
    "interest payment": Category.INTEREST,
    "kfee applied": Category.CREDIT,
    "tax withheld": Category.TAX,
    "tax refund": Category.TAX,
}


def category_of(kind: str) -> Category:
    return CATEGORIES.get(kind, Category.UNKNOWN)


class LedgerRow(Value, frozen=True):
    """One line of the venue's account log. `old` and `new` are balances of the asset, or signed position sizes."""

    id: int  # rises by one within an account
    at: datetime
    asset: str  # a currency in normal form, or on position rows the contract
    wallet: str
    kind: str  # Kraken's own words; unknown ones stay as they came
    old: Decimal
    new: Decimal
    contract: str = ""
    booking: str = ""
    reference: str = ""  # of the execution, or of the withdrawal
    fee: Decimal | None = None
    realised_pnl: Decimal | None = None
    realised_funding: Decimal | None = None
    funding_rate: Decimal | None = None
    mark: Decimal | None = None
    price: Decimal | None = None
    old_entry: Decimal | None = None
    new_entry: Decimal | None = None
    liquidation_fee: Decimal | None = None
    conversion_spread: Decimal | None = None  # percent
    collateral: str = ""
    unknown: Unknown = {}

    @property
    def change(self) -> Decimal:
        return self.new - self.old

    @property
    def is_position(self) -> bool:
        """Position rows count contracts, not money."""
        return bool(self.contract) and self.asset == self.contract
