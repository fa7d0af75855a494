"""An account with everything in it, for the pages to show: written straight into the tables and the store."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

import redis
from django.conf import settings

from accounts.models import Account, ApiKey, Balances, Desk, User
from krakenfutures.parse.instruments import parse_instrument
from krakenfutures.parse.tickers import parse_ticker
from krakenfutures.values import Instrument, Ticker
from tests.krakenfutures.test_parse_live_markets import INSTRUMENTS, TICKERS
from trading.instruments import forget
from trading.live.streams import key
from trading.models import Fill, Listing, Order, OrderStatus, Position, Sync
from trading.plain import to_json, to_plain


@cache
def recorded_instruments() -> list[Instrument]:
    return [parse_instrument(row) for row in INSTRUMENTS]


@cache
def recorded_tickers() -> list[Ticker]:
    return [parse_ticker(row) for row in TICKERS]


def list_instruments(environment: str = "demo", count: int | None = None) -> None:
    """The recorded instruments, as the last refresh would have stored them, and their tickers, as the relay would."""
    now = datetime.now(UTC)
    chosen = [one for one in recorded_instruments() if not one.expired][:count]
    Listing.objects.bulk_create(
        Listing(environment=environment, symbol=one.symbol, instrument=to_plain(one), seen_at=now) for one in chosen
    )
    store = redis.Redis.from_url(settings.REDIS_URL)
    store.hset(key(environment, "tickers"), mapping={one.symbol: to_json(one) for one in recorded_tickers()})
    store.close()
    forget()


def demo_account(desk: Desk, owner: User, label: str = "Demo one") -> Account:
    """With a key of full rights, whose secret nobody needs here."""
    account = Account.objects.create(desk=desk, label=label, environment="demo", venue_uid=uuid.uuid4().hex)
    ApiKey.objects.create(
        account=account, label=label, hint="AbC=", fingerprint=uuid.uuid4().hex, general="full", added_by=owner
    )
    return account


def furnish(account: Account, by: User | None = None, *, positions: int = 3, fills: int = 12) -> None:
    now = datetime.now(UTC)
    wallets = json.loads(WALLETS)
    Balances.objects.create(account=account, wallets=wallets, at=now, source="rest")
    for stream in ("wallets", "positions", "orders", "fills"):
        Sync.objects.create(account=account, stream=stream, ok_at=now, tried_at=now, complete_to=now)
    Position.objects.bulk_create(_positions(account, now, positions))
    Order.objects.bulk_create(_orders(account, by, now))
    Fill.objects.bulk_create(_fills(account, now, fills))


def _positions(account: Account, now: datetime, count: int) -> Iterator[Position]:
    rows = [
        ("PF_XBTUSD", "0.25", "64100", "31250.5"),
        ("PI_XBTUSD", "-12000", "65810.5", "78120"),
        ("PF_ETHUSD", "-4.5", "1890.1", "2410.3"),
    ]
    known = {row[0] for row in rows}
    others = (one.symbol for one in recorded_instruments() if one.symbol.startswith("PF_"))
    rows += [(symbol, "10", "1.5", "0.9") for symbol in others if symbol not in known]
    for symbol, size, entry, liquidation in rows[:count]:
        inverse = symbol.startswith("PI_")
        yield Position(
            account=account,
            symbol=symbol,
            size=Decimal(size),
            entry=Decimal(entry),
            liquidation_price=Decimal(liquidation),
            unrealised_pnl=Decimal("12.5"),
            unrealised_funding=Decimal("-0.00001204") if inverse else Decimal("-0.52"),
            pnl_currency="BTC" if inverse else "USD",
            initial_margin=Decimal("0.00361") if inverse else Decimal("321.4"),
            at=now,
            source="rest",
        )


def _orders(account: Account, by: User | None, now: datetime) -> Iterator[Order]:
    rows: list[tuple[str, str, str, str, str, OrderStatus]] = [
        ("PF_XBTUSD", "buy", "limit", "0.1", "63850", OrderStatus.OPEN),
        ("PF_XBTUSD", "sell", "post", "0.25", "66400", OrderStatus.PARTLY_FILLED),
        ("PI_XBTUSD", "buy", "limit", "2000", "62000.5", OrderStatus.UNCERTAIN),
    ]
    for number, (symbol, side, kind, size, price, status) in enumerate(rows):
        yield Order(
            account=account,
            by=by,
            symbol=symbol,
            side=side,
            type=kind,
            size=Decimal(size),
            filled=Decimal(size) / 2 if status == OrderStatus.PARTLY_FILLED else Decimal(0),
            limit_price=Decimal(price),
            status=status,
            client_order_id=uuid.uuid4().hex,
            venue_order_id=None if status == OrderStatus.UNCERTAIN else uuid.uuid4().hex,
            sent_at=now - timedelta(minutes=number),
        )


def _fills(account: Account, now: datetime, count: int) -> Iterator[Fill]:
    for number in range(count):
        yield Fill(
            account=account,
            venue_fill_id=uuid.uuid4().hex,
            venue_order_id=uuid.uuid4().hex,
            symbol="PF_XBTUSD" if number % 3 else "PI_XBTUSD",
            side="buy" if number % 2 else "sell",
            size=Decimal("0.05") if number % 3 else Decimal(1000),
            price=Decimal("64100") + number,
            at=now - timedelta(minutes=7 * number),
            kind="maker" if number % 2 else "taker",
            fee=Decimal("0.641"),
            fee_currency="USD",
        )


def order(account: Account, by: User, **changes: Any) -> Order:
    given: dict[str, Any] = {
        "symbol": "PF_XBTUSD",
        "side": "buy",
        "type": "limit",
        "size": Decimal("0.1"),
        "limit_price": Decimal(60000),
        "status": OrderStatus.OPEN,
        "client_order_id": uuid.uuid4().hex,
        **changes,
    }
    return Order.objects.create(account=account, by=by, **given)


WALLETS = """{
  "cash": {"USD": "12500.25", "BTC": "0.05", "ETH": "0"},
  "margin_accounts": [
    {"name": "fi_xbtusd", "currency": "BTC", "balance": "0.4", "portfolio_value": "0.40059700937360515",
     "available": "0.40035894956107726", "pnl": "0.0005970093736051191", "unrealised_funding": "-0.000000031",
     "requirements": {"initial": "0.00023805981252789763", "maintenance": "0.00011902990626394882",
                      "liquidation": "0.00008927242969796162", "termination": "0.00005951495313197441"}},
    {"name": "fi_ethusd", "currency": "ETH", "balance": "3", "portfolio_value": "3", "available": "3", "pnl": "0",
     "unrealised_funding": "0", "requirements": {"initial": "0", "maintenance": "0"}}
  ],
  "flex": {
    "holdings": [
      {"currency": "USD", "quantity": "20000", "value": "20000", "collateral": "20000", "available": "20000"},
      {"currency": "BTC", "quantity": "0.1", "value": "8400", "collateral": "8148", "available": "0.1",
       "haircut": "0.03"},
      {"currency": "EUR", "quantity": "5000", "value": "5402.5", "collateral": "5240.43", "available": "5000",
       "haircut": "0.03"}
    ],
    "balance_value": "33802.5", "portfolio_value": "33852.89", "collateral_value": "33388.43",
    "initial_margin": "9641.5", "initial_margin_with_orders": "10949.7", "maintenance_margin": "4820.75",
    "pnl": "50.51", "unrealised_funding": "-0.12", "total_unrealised": "50.39", "total_unrealised_as_margin": "50.39",
    "margin_equity": "33438.82", "available_margin": "22489.12"
  }
}"""
