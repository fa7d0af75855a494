"""Making what the tests of trading need: an account with a sealed key, and the instruments it trades."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
from django.utils import timezone

from accounts import vault
from accounts.models import Account, ApiKey, Desk, User
from krakenfutures.values import ContractKind, Instrument, MarginLevel, NewOrder, OrderType, Permission, Side
from krakenfutures.venue import Credentials
from tests.krakenfutures.wire import SECRET
from trading.actions.placing import open_ticket, place_order
from trading.models import Listing, Order

LADDER = (MarginLevel(start=Decimal(0), initial=Decimal("0.02"), maintenance=Decimal("0.01")),)
PF_XBTUSD = Instrument(
    symbol="PF_XBTUSD", kind=ContractKind.LINEAR, base="BTC", quote="USD", tick=Decimal(1), lot=Decimal("0.0001"),
    size_decimals=4, max_position=Decimal(1200), margin_levels=LADDER, wallet="flex", perpetual=True,
)  # fmt: skip
PI_XBTUSD = Instrument(
    symbol="PI_XBTUSD", kind=ContractKind.INVERSE, base="BTC", quote="USD", tick=Decimal("0.5"), lot=Decimal(1),
    size_decimals=0, max_position=Decimal(75_000_000), margin_levels=LADDER, wallet="fi_xbtusd", perpetual=True,
)  # fmt: skip


def list_instruments(*listed: Instrument, environment: str = "demo") -> None:
    for one in listed:
        Listing.objects.create(
            environment=environment, symbol=one.symbol, instrument=json.loads(msgspec.json.encode(one)),
            seen_at=timezone.now(),
        )  # fmt: skip


def stored_key(
    desk: Desk, by: User, *, public: str = "public-half", secret: str = SECRET, general: Permission = Permission.FULL
) -> ApiKey:
    account = Account.objects.create(desk=desk, label="Demo", environment="demo", venue_uid=public)
    key = ApiKey.objects.create(
        account=account, label="Demo", hint=public[-4:], fingerprint=vault.fingerprint(public), general=general,
        added_by=by,
    )  # fmt: skip
    vault.seal(key, Credentials(public, secret))
    key.save()
    return key


def buy(account: Account, by: User, *, intent: UUID | None = None, **changes: Any) -> Order:
    """A limit order that suits PF_XBTUSD, unless told otherwise."""
    attached = {name: changes.pop(name) for name in ("stop_loss", "take_profit") if name in changes}
    wish: dict[str, Any] = {
        "symbol": "PF_XBTUSD", "side": Side.BUY, "type": OrderType.LIMIT, "size": Decimal("0.01"),
        "limit_price": Decimal(59000),
    }  # fmt: skip
    order = NewOrder(client_id=str(intent or open_ticket()), **{**wish, **changes})
    return place_order(order, account=account, by=by, **attached)


def long_ago(order: Order, seconds: int = 60) -> None:
    """As if it had been sent `seconds` earlier, with everything that was timed by then."""
    shift = timedelta(seconds=seconds)
    Order.objects.filter(pk=order.pk).update(
        sent_at=order.sent_at - shift if order.sent_at else None,
        deadline=order.deadline - shift if order.deadline else None,
        answered_at=order.answered_at - shift if order.answered_at else None,
        resolve_after=timezone.now(),
    )
