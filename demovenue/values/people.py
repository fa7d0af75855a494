"""Accounts, keys, and what an account volunteered for."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from demovenue.values.base import Record


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
