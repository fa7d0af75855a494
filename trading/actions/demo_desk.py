"""A desk to look at: people in every role and two accounts on the demo exchange that have really traded.

Everything is asked for as people would ask for it: sign-up, key, orders. Running it again adds only what is missing.
"""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TypeVar

from django.conf import settings
from django.db import transaction

from accounts import vault
from accounts.actions.audit import record
from accounts.actions.keys import add_key
from accounts.actions.people import create_person
from accounts.models import Account, Desk, Environment, Membership, Role, User
from accounts.rules import NotAllowed
from accounts.venues import base_url, venue_for
from krakenfutures.contracts import round_price
from krakenfutures.errors import Throttled
from krakenfutures.io import demo
from krakenfutures.values import NewOrder, OrderType, Permission, Side, Ticker
from trading.actions.histories import sync_history
from trading.actions.placing import open_ticket, place_order
from trading.actions.syncing import sync_account, sync_positions
from trading.instruments import instrument_for
from trading.models import Order, OrderStatus, Position

DESK = "Demo desk"
PEOPLE = {
    "owner@demo-desk.example": Role.OWNER,
    "trader@demo-desk.example": Role.TRADER,
    "reviewer@demo-desk.example": Role.REVIEWER,
    "viewer@demo-desk.example": Role.VIEWER,
}
TRADES = 3  # rounds of buying and selling in each market
T = TypeVar("T")
PATIENCE = 600.0  # seconds, for a spent rate budget: the pool of the history needs ten minutes to fill


@dataclass(frozen=True, slots=True)
class Plan:
    """An account: what it holds in the end (signed, in the contract's own unit), market by market."""

    label: str
    positions: dict[str, Decimal]


PLANS = (
    Plan("Main", {"PF_XBTUSD": Decimal("0.05"), "PF_ETHUSD": Decimal("-0.8"), "PI_XBTUSD": Decimal(2000)}),
    Plan("Hedge", {"PF_SOLUSD": Decimal(-20), "PF_XBTUSD": Decimal("-0.02")}),
)


@dataclass(frozen=True, slots=True)
class Made:
    """`private_key` only on the run that made it: the desk seals it and tells nobody."""

    account: Account
    password: str
    public_key: str
    private_key: str | None


def people_of(desk: Desk, password: str) -> list[User]:
    """Who is missing gets the password; who is there keeps theirs. Raises `NotAllowed` for a weak one."""
    found = []
    with transaction.atomic():
        for email, role in PEOPLE.items():
            user = User.objects.filter(email=email).first() or create_person(email, password)
            Membership.objects.get_or_create(desk=desk, user=user, defaults={"role": role})
            found.append(user)
    return found


def demo_desk() -> Desk:
    with transaction.atomic():
        desk, made = Desk.objects.get_or_create(name=DESK)
        if made:
            record(None, "desk.created", desk, desk=desk)
    return desk


def is_complete(desk: Desk) -> bool:
    """Whether everybody is there already, so that no password is needed."""
    return desk.memberships.filter(user__email__in=PEOPLE).count() == len(PEOPLE)


def account_of(desk: Desk, plan: Plan, *, owner: User) -> Made:
    """The account of that name, signed up and given a key if it is new. Raises `NotAllowed` and `KrakenError`."""
    account = Account.objects.filter(desk=desk, label=plan.label).first()
    if account is not None:
        key = account.keys.usable().first()
        public = vault.unseal(key).key if key else ""
        return Made(account, _kept().get(account.demo_email, ""), public, None)
    signed_up = demo.sign_up(base_url(Environment.DEMO))
    pair = demo.create_key(base_url(Environment.DEMO), signed_up, withdrawal=Permission.FULL)
    _keep(signed_up.email, signed_up.password)
    key = add_key(
        desk, by=owner, label=plan.label, environment=Environment.DEMO, public_key=pair.key, secret=pair.secret,
        demo_email=signed_up.email,
    )  # fmt: skip
    return Made(key.account, signed_up.password, pair.key, pair.secret)


def has_traded(account: Account, *, by: User) -> bool:
    return Order.objects.filter(account=account, by=by).exists()


def trade(account: Account, plan: Plan, *, by: User) -> int:
    """Trade until the account holds what is planned, then leave orders open. Returns how many orders were placed."""
    tickers = {ticker.symbol: ticker for ticker in venue_for(account.environment).market.tickers()}
    before = Order.objects.filter(account=account).count()
    for symbol, wanted in plan.positions.items():
        _close(account, by, symbol)
        _round_trips(account, by, symbol, abs(wanted))
        side = Side.BUY if wanted > 0 else Side.SELL
        place(account, by, symbol, side, OrderType.MARKET, abs(wanted))
        _leave_open(account, by, tickers[symbol], side, abs(wanted))
    key = account.keys.usable().get()
    patiently(partial(sync_account, key.pk))
    sync_history(key.pk)
    return Order.objects.filter(account=account).count() - before


def _close(account: Account, by: User, symbol: str) -> None:
    """What the past left open."""
    sync_positions(account.keys.usable().get().pk)
    held = Position.objects.filter(account=account, symbol=symbol).first()
    if held is not None and held.size:
        side = Side.SELL if held.size > 0 else Side.BUY
        place(account, by, symbol, side, OrderType.MARKET, abs(held.size), reduce_only=True)


def _round_trips(account: Account, by: User, symbol: str, size: Decimal) -> None:
    for _ in range(TRADES):
        for side in (Side.BUY, Side.SELL):
            place(account, by, symbol, side, OrderType.MARKET, size)


def _leave_open(account: Account, by: User, ticker: Ticker, side: Side, size: Decimal) -> None:
    """One order that adds far away, one that takes profit, one that stops the loss."""
    mark = ticker.mark or ticker.last
    if mark is None:
        return
    away = [mark * (1 + side.sign * share) for share in (Decimal("-0.03"), Decimal("0.04"), Decimal("-0.06"))]
    instrument = instrument_for(account.environment, ticker.symbol)
    add, profit, loss = (round_price(instrument, price) for price in away)
    out = side.opposite
    place(account, by, ticker.symbol, side, OrderType.LIMIT, size, limit_price=add)
    place(account, by, ticker.symbol, out, OrderType.LIMIT, size, limit_price=profit, reduce_only=True)
    place(account, by, ticker.symbol, out, OrderType.STOP, size, stop_price=loss, reduce_only=True)


def place(
    account: Account,
    by: User,
    symbol: str,
    side: Side,
    type: OrderType,
    size: Decimal,
    *,
    limit_price: Decimal | None = None,
    stop_price: Decimal | None = None,
    reduce_only: bool = False,
) -> Order:
    """A new intent for every attempt: an order that was throttled is proven not to have been sent."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        wish = NewOrder(
            client_id=str(open_ticket()), symbol=symbol, side=side, type=type, size=size,
            limit_price=limit_price, stop_price=stop_price, reduce_only=reduce_only,
        )  # fmt: skip
        order = place_order(wish, account=account, by=by)
        if order.status != OrderStatus.REJECTED:
            return order
        if order.reason_code != "throttled":
            raise NotAllowed(f"The demo exchange refused {order}: {order.reason}", code=order.reason_code)
        time.sleep(1)
    raise NotAllowed(f"The rate budget stayed spent: no {type} of {size} {symbol} was sent.", code="throttled")


def patiently(work: Callable[[], T]) -> T:
    """Again while the rate budget is spent; for work that reads, or adds only what is missing."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return work()
        except Throttled as problem:
            if time.monotonic() > end:
                raise NotAllowed(f"The rate budget stayed spent: {problem}", code="throttled") from problem
            time.sleep(min(problem.retry_after or 1, 5))


def given_password() -> str:
    return os.environ.get("KFWEB_DEMO_PASSWORD", "").strip()


def new_password() -> str:
    return given_password() or secrets.token_urlsafe(12)


def _file() -> Path:
    """Passwords of accounts that hold play money, for scripts that ask the demo exchange for the truth."""
    return Path(settings.DATA_DIR) / "demo_desk.json"


def _kept() -> dict[str, str]:
    found: dict[str, str] = json.loads(_file().read_text()) if _file().exists() else {}
    return found


def _keep(email: str, password: str) -> None:
    text = json.dumps(_kept() | {email: password})
    _file().touch(mode=0o600)
    _file().write_text(text)
