"""What callers may ask for, as the actions take it. Whether it is allowed, the actions decide."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID, uuid5

from ninja import Field, Header, Schema
from pydantic import ConfigDict, StrictBool, StrictInt

from accounts.actions.withdrawals import Wish as WithdrawalWish
from accounts.models import Desk
from krakenfutures.funds import CASH
from krakenfutures.values import NewOrder, OrderType, Side, TriggerSignal
from trading.actions.intents import Attached
from trading.batch_lines import MOST_LINES, TYPES, Line

BIGGEST_ID = 2**63 - 1
NAMES = UUID("5b4cf4e2-6a5d-4f0b-9a43-1d0f8b0f5a10")  # under which keys that are no UUID are made one

Amount = Annotated[
    str, Field(pattern=r"^\d{1,20}(\.\d{1,20})?$", description="a decimal above zero", examples=["0.25"])
]
Symbol = Annotated[str, Field(pattern=r"^[A-Za-z0-9_]{1,40}$", examples=["PF_XBTUSD"])]
Text = Annotated[str, Field(pattern=r"^[^\x00]*$", max_length=400)]
Word = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]*$", max_length=60)]
AccountId = Annotated[StrictInt, Field(ge=1, le=BIGGEST_ID)]
Type = Literal[
    "limit", "post", "ioc", "fok", "market", "stop", "take_profit", "trailing_stop", "lmt", "mkt", "stp",
]  # fmt: skip
Key = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[\x21-\x7e]{1,100}$",
        description="The intent: made once for a wish and sent again with every repeat of it, which then finds the"
        " first result. A UUID is the id of what comes of it; another text stands for one.",
        examples=["2f9c0f1e-3d0b-4a53-9b3c-6a8f3f0f7c11"],
    ),
]


def intent_of(key: str, desk: Desk) -> UUID:
    try:
        return UUID(key)
    except ValueError:
        return uuid5(NAMES, f"{desk.pk}:{key}")


class Asked(Schema):
    """A field that is not known is a mistake, not a thing to overlook."""

    model_config = ConfigDict(extra="forbid")


class Terms(Asked):
    """What an order wishes for. `lmt`, `mkt` and `stp` are the exchange's own words for limit, market and stop."""

    symbol: Symbol
    side: Literal["buy", "sell"]
    type: Type
    size: Amount
    limit_price: Amount | None = None
    stop_price: Amount | None = None
    trigger_signal: Literal["mark", "index", "last"] | None = None
    reduce_only: StrictBool = False
    trailing_deviation: Amount | None = None
    trailing_unit: Literal["percent", "quote"] | None = None

    def order(self, client_id: str) -> NewOrder:
        return self.line(1).wish(client_id)

    def line(self, place: int) -> Line:
        trails = TYPES[self.type] is OrderType.TRAILING_STOP
        return Line(
            number=place,
            symbol=self.symbol.upper(),
            side=Side(self.side),
            type=TYPES[self.type],
            size=Decimal(self.size),
            limit_price=decimal(self.limit_price),
            stop_price=decimal(self.stop_price),
            trigger_signal=TriggerSignal(self.trigger_signal) if self.trigger_signal else None,
            reduce_only=self.reduce_only,
            trailing_deviation=decimal(self.trailing_deviation),
            trailing_unit=(self.trailing_unit or "percent") if trails else self.trailing_unit,
        )


class OrderWish(Terms):
    """`stop_loss` and `take_profit` are trigger prices, sent to reduce only once the order has filled."""

    account: AccountId
    stop_loss: Amount | None = None
    take_profit: Amount | None = None

    def attached(self) -> dict[str, Attached]:
        prices = {"stop_loss": self.stop_loss, "take_profit": self.take_profit}
        return {name: Attached(stop_price=Decimal(price)) for name, price in prices.items() if price is not None}


class BatchWish(Asked):
    account: AccountId
    orders: list[Terms] = Field(min_length=1, max_length=MOST_LINES)

    def lines(self) -> list[Line]:
        return [terms.line(number) for number, terms in enumerate(self.orders, start=1)]


class OrderChange(Asked):
    """What is left out stays. `size` is the new total, what is filled counted in."""

    size: Amount | None = None
    limit_price: Amount | None = None
    stop_price: Amount | None = None
    trailing_deviation: Amount | None = None

    def given(self) -> dict[str, Decimal | None]:
        names = ("size", "limit_price", "stop_price", "trailing_deviation")
        return {name: decimal(getattr(self, name)) for name in names}


class CancelWish(Asked):
    """Every order of the account, or of one symbol, or of one side, also those of other people."""

    account: AccountId
    symbol: Symbol | None = None
    side: Literal["buy", "sell"] | None = None


class MoneyWish(Asked):
    """A withdrawal or a transfer to ask for. There is no address: `landing` says where the money lands."""

    account: AccountId
    currency: Annotated[str, Field(pattern=r"^[A-Za-z0-9.]{1,12}$", examples=["USD"])]
    amount: Amount | None = Field(None, description="left out: everything that is free there")
    source: Word = Field(CASH, description="the wallet it leaves: cash, flex, or a margin account")
    landing: Literal["spot", "wallet", "subaccount"] = "spot"
    target_wallet: Word = Field("", description="where it lands in a wallet of the account")
    target_account: Word = Field("", description="where it lands in a subaccount")
    reason: Text = Field("", description="the reviewers read it")

    def wish(self) -> WithdrawalWish:
        return WithdrawalWish(
            source=self.source,
            currency=self.currency.upper(),
            amount=decimal(self.amount),
            landing=self.landing,
            target_wallet=self.target_wallet,
            target_account=self.target_account,
            reason=self.reason,
        )


def decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
