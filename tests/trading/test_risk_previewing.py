"""The preview as the ticket asks for it: from stored rows and the relay's last prices, quickly, and for traders."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal as D
from typing import Any

import pytest
import redis
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import Account, User
from accounts.rules import NotAllowed
from krakenfutures.parse.wallets import parse_wallets
from krakenfutures.values import BookSnapshot, Level, NewOrder, OrderType, Side, Ticker
from tests.trading.desk import buy
from tests.trading.paper import PaperWire
from trading.actions.balances import store_wallets
from trading.actions.previewing import preview_order
from trading.live.latest import latest_book
from trading.live.streams import key
from trading.live.wire import book_json
from trading.models import Position
from trading.preview import Preview
from trading.rules import OffStep

TICKER = Ticker(symbol="PF_XBTUSD", at=datetime.now(UTC), bid=D(59999), ask=D(60001), mark=D(60000))


def level(price: int, size: str) -> Level:
    return Level(price=D(price), size=D(size))


BOOK = BookSnapshot(symbol="PF_XBTUSD", bids=(level(59999, "1"),), asks=(level(60001, "0.1"), level(60011, "1")))


@pytest.fixture
def told(account: Account, wire: PaperWire) -> Account:
    store_wallets(account.pk, parse_wallets(wire.accounts), at=timezone.now(), source="rest")
    Position.objects.create(
        account=account, symbol="PF_XBTUSD", size=D("0.5"), entry=D(50000), at=timezone.now(), source="rest"
    )
    return account


def shown(account: Account, by: User, **changes: Any) -> Preview:
    around = {"tickers": {"PF_XBTUSD": TICKER}, "book": BOOK}
    around |= {name: changes.pop(name) for name in ("tickers", "book", "stop_loss") if name in changes}
    wish: dict[str, Any] = {"symbol": "PF_XBTUSD", "side": Side.BUY, "type": OrderType.MARKET, "size": D("0.2")}
    return preview_order(NewOrder(client_id="preview", **{**wish, **changes}), account=account, by=by, **around)


def test_a_trader_sees_what_the_order_would_do(told: Account, trader: User) -> None:
    seen = shown(told, trader)
    assert (seen.position_before, seen.position, seen.price) == (D("0.5"), D("0.7"), D(60006))
    assert seen.fee == D("12001.2") * D("0.0005")
    assert seen.margin_needed == D("12001.2") * D("0.02")
    assert seen.margin_available is not None and seen.margin_after is not None
    assert seen.cost == 10


def test_open_orders_of_the_account_are_in_the_margin(told: Account, owner: User) -> None:
    resting = {"type": OrderType.LIMIT, "limit_price": D(65000), "size": D("0.6"), "side": Side.SELL}
    before = shown(told, owner, **resting)
    assert before.margin_needed == 0  # a tenth of it opens a short, far less than the long it nets with
    buy(told, owner, side=Side.SELL, size=D("0.6"), limit_price=D(64000))
    assert shown(told, owner, **resting).margin_needed == 128 + 780 - 500


def test_nobody_else_gets_a_preview(told: Account, viewer: User, stranger: User) -> None:
    for person in (viewer, stranger):
        with pytest.raises((NotAllowed, PermissionDenied)) as refusal:
            shown(told, person)
        assert getattr(refusal.value, "code", "") == "role"


def test_a_number_off_its_step_is_refused_with_its_neighbours(told: Account, owner: User) -> None:
    with pytest.raises(OffStep) as refusal:
        shown(told, owner, size=D("0.00015"))
    assert refusal.value.neighbours == (D("0.0001"), D("0.0002"))


def test_without_wallets_and_prices_it_says_what_it_does_not_know(account: Account, owner: User) -> None:
    seen = shown(account, owner, tickers={}, book=None)
    assert (seen.margin_available, seen.margin_after, seen.liquidation_price) == (None, None, None)
    assert "no_mark" in {one.code for one in seen.warnings}


def test_it_takes_few_queries_however_many_orders_are_open(
    told: Account, owner: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(5):
        buy(told, owner)
    with django_assert_max_num_queries(6):
        shown(told, owner)


def test_the_relays_book_is_read_back_and_one_with_a_gap_is_none() -> None:
    store = redis.Redis.from_url(settings.REDIS_URL)
    assert latest_book("demo", "PF_XBTUSD") is None
    store.hset(key("demo", "books"), "PF_XBTUSD", book_json(BOOK, gap=False))
    assert latest_book("demo", "PF_XBTUSD") == BOOK
    store.hset(key("demo", "books"), "PF_XBTUSD", book_json(BOOK, gap=True))
    assert latest_book("demo", "PF_XBTUSD") is None
    store.close()
