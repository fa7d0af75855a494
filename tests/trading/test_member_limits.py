"""A member's limits at the one gate of orders: refused before anything is stored, and never both of two at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
import redis
from django.conf import settings
from django.db import connection
from django.utils import timezone

from accounts.actions.limits import used_by
from accounts.models import Account, LimitUse, Membership, User
from accounts.rules import NotAllowed
from krakenfutures.values import NewOrder, OrderType, Side, Ticker
from tests.trading.desk import buy
from tests.trading.paper import PaperWire
from trading.actions.editing import edit_order
from trading.live.streams import key
from trading.models import Order
from trading.plain import to_json
from trading.worth import TICKERS, worth_usd


def limit(person: User, **limits: Any) -> None:
    Membership.objects.filter(user=person).update(**limits)


def refused(code: str, attempt: Callable[[], object]) -> None:
    with pytest.raises(NotAllowed) as refusal:
        attempt()
    assert refusal.value.code == code


def tell_mark(symbol: str, mark: str) -> None:
    client = redis.Redis.from_url(settings.REDIS_URL)
    client.hset(key("demo", "tickers"), symbol, to_json(Ticker(symbol=symbol, mark=Decimal(mark))))
    client.close()


def test_an_order_beyond_the_largest_is_refused_and_nothing_is_stored_or_sent(
    account: Account, trader: User, wire: PaperWire
) -> None:
    limit(trader, largest_order=Decimal("589.99"))
    refused("limit_largest_order", lambda: buy(account, trader))
    assert not Order.objects.exists()
    assert wire.count("sendorder") == 0
    limit(trader, largest_order=Decimal(590))
    buy(account, trader)
    assert wire.count("sendorder") == 1


def test_the_days_limit_counts_what_was_sent_and_forgets_after_a_day(account: Account, trader: User) -> None:
    limit(trader, daily_notional=Decimal(1200))
    buy(account, trader)
    buy(account, trader)
    refused("limit_daily_notional", lambda: buy(account, trader))
    assert used_by(trader, account.desk) == Decimal(1180)
    LimitUse.objects.update(at=timezone.now() - timedelta(hours=25))
    buy(account, trader)


def test_the_same_intent_again_counts_once(account: Account, trader: User) -> None:
    limit(trader, daily_notional=Decimal(1000))
    intent = uuid4()
    assert buy(account, trader, intent=intent) == buy(account, trader, intent=intent)
    assert used_by(trader, account.desk) == Decimal(590)


def test_only_the_listed_instruments_and_only_reducing(account: Account, trader: User) -> None:
    limit(trader, instruments=["PI_XBTUSD"])
    refused("limit_instrument", lambda: buy(account, trader))
    limit(trader, instruments=[], reduce_only=True)
    refused("limit_reduce_only", lambda: buy(account, trader))
    buy(account, trader, reduce_only=True)


def test_a_market_order_is_worth_its_mark_and_without_one_cannot_be_judged(account: Account, trader: User) -> None:
    limit(trader, largest_order=Decimal(1000))
    market = {"type": OrderType.MARKET, "limit_price": None}
    refused("limit_no_price", lambda: buy(account, trader, **market))
    tell_mark("PF_XBTUSD", "100000.5")
    refused("limit_largest_order", lambda: buy(account, trader, **market))
    tell_mark("PF_XBTUSD", "60000")
    buy(account, trader, **market)


def test_an_edit_passes_the_same_gate(account: Account, trader: User) -> None:
    order = buy(account, trader)
    limit(trader, largest_order=Decimal(600))
    refused("limit_largest_order", lambda: edit_order(order, by=trader, size=Decimal("0.02")))
    assert LimitUse.objects.count() == 1


def test_a_limit_of_one_member_is_not_anothers(account: Account, trader: User, owner: User) -> None:
    limit(trader, largest_order=Decimal(1))
    buy(account, owner)


@pytest.mark.django_db(transaction=True)
def test_two_at_the_same_moment_do_not_both_take_the_last_of_a_limit(
    account: Account, trader: User, wire: PaperWire
) -> None:
    limit(trader, daily_notional=Decimal(1000))
    begin, outcomes = threading.Barrier(6), []

    def click() -> None:
        begin.wait()
        try:
            buy(account, trader)
            outcomes.append("sent")
        except NotAllowed as refusal:
            outcomes.append(refusal.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=click) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["limit_daily_notional"] * 5 + ["sent"]
    assert wire.count("sendorder") == 1


@pytest.mark.parametrize(
    ("symbol", "side", "limit_price", "mark", "worth"),
    [
        ("PF_XBTUSD", "sell", "59000", None, "590"),
        ("PF_XBTUSD", "sell", "59000", "61000", "610"),  # a limit to sell may execute at the mark
        ("PF_XBTUSD", "buy", "59000", "61000", "590"),  # a limit to buy may not
        ("PF_XBTUSD", "buy", None, "61000", "610"),
        ("PF_XBTUSD", "sell", None, "61000", "610"),
        ("PF_XBTUSD", "sell", None, None, None),
        ("PI_XBTUSD", "sell", "59000", None, "0.01"),  # a contract is a dollar
    ],
)
def test_what_an_order_is_worth(
    symbol: str, side: str, limit_price: str | None, mark: str | None, worth: str | None
) -> None:
    if mark:
        tell_mark(symbol, mark)
    price = Decimal(limit_price) if limit_price else None
    order = NewOrder(
        client_id="x", symbol=symbol, side=Side(side), type=OrderType.LIMIT, size=Decimal("0.01"), limit_price=price
    )
    assert worth_usd("demo", order) == (Decimal(worth) if worth else None)


def test_the_marks_lie_where_the_relay_puts_them() -> None:
    assert TICKERS.format(environment="demo") == key("demo", "tickers")
