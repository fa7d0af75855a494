"""For each fault that touches orders: a run of intents, whose final states must equal the exchange's own ledger.

None lost, none doubled, none wrongly called failed. Shortened, unless it is told how many (the whole run takes 200):

    KFWEB_TEST_INTENTS=200 python -m pytest tests/faults
"""

from __future__ import annotations

import asyncio
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.utils import timezone
from pytest_django import Settings

from accounts import vault
from accounts.models import Account, Desk, User
from accounts.venues import venue_for
from krakenfutures.errors import Throttled
from krakenfutures.events import Connected
from krakenfutures.values import NewOrder, OrderType, Side
from krakenfutures.venue import Credentials
from tests.trading.desk import stored_key
from tests.trading.risk_venue import settle
from tests.venue_process import DemoAccount, DemoVenue, start_demovenue
from trading import clock, instruments
from trading.actions.hearing import hear
from trading.actions.placing import open_ticket, place_order
from trading.actions.syncing import refresh_listings, sync_account
from trading.models import Order, OrderStatus

pytestmark = [pytest.mark.venue, pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]
INTENTS = int(os.environ.get("KFWEB_TEST_INTENTS", "24"))
PEOPLE = max(2, INTENTS // 35)  # so that no budget is the bottleneck
S = OrderStatus
FATES = {"open": {S.OPEN, S.PARTLY_FILLED}, "filled": {S.FILLED}, "cancelled": {S.CANCELLED}, "rejected": {S.REJECTED}}


@dataclass(frozen=True)
class Party:
    """Somebody's account at the exchange, and ours of it."""

    person: DemoAccount
    account: Account


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoVenue]:
    venue = start_demovenue(tmp_path_factory.mktemp("faults"), seed=13)
    yield venue
    venue.stop()


@pytest.fixture
def parties(exchange: DemoVenue, settings: Settings, desk: Desk, owner: User) -> Iterator[list[Party]]:
    settings.DEMO_URL = exchange.url
    vault.prepare()
    refresh_listings("demo")
    people = [exchange.signup() for _ in range(PEOPLE)]
    keys = [stored_key(desk, owner, public=one.key.public, secret=one.key.private) for one in people]
    yield [Party(person, key.account) for person, key in zip(people, keys, strict=True)]
    exchange.clear_faults()
    instruments.forget()
    clock.forget("demo")


@contextmanager
def listening(parties: list[Party], wanted: bool) -> Iterator[None]:
    """The private feeds of everybody, heard as the relay hears them: the state first, then what changes."""
    stop, failed = threading.Event(), []

    async def follow(party: Party) -> None:
        feed = venue_for("demo").watch_account(Credentials(party.person.key.public, party.person.key.private))
        async for event in feed:
            if stop.is_set():
                return
            if isinstance(event, Connected):
                await asyncio.to_thread(closing, read_all, party)
            await asyncio.to_thread(closing, hear, party.account.pk, event)

    async def all_of_them() -> None:
        tasks = [asyncio.create_task(follow(party)) for party in parties]
        await asyncio.to_thread(stop.wait)
        failed.extend(task.exception() for task in tasks if task.done() and task.exception())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    thread = threading.Thread(target=lambda: asyncio.run(all_of_them()))
    if wanted:
        thread.start()
        time.sleep(1)
    yield
    stop.set()
    if wanted:
        thread.join(20)
    assert not failed, failed


def read_all(party: Party) -> None:
    """As often as the rate budget asks for patience."""
    key = party.account.keys.get()
    while True:
        try:
            sync_account(key.pk)
            return
        except Throttled as problem:
            time.sleep(problem.retry_after)


def closing(call: Any, *args: Any) -> None:
    try:
        call(*args)
    finally:
        connection.close()


def send(parties: list[Party], owner: User, mark: D) -> list[Order]:
    """Resting, taking and hopeless orders by turns; every third intent is submitted twice."""
    dice = random.Random(1)
    sent = []
    for number in range(INTENTS):
        resting, ceiling = (mark * D("0.9")).quantize(D(1)), (mark * D("1.005")).quantize(D(1))
        wish: dict[str, Any] = dice.choice(
            [
                {"type": OrderType.LIMIT, "limit_price": resting},
                {"type": OrderType.LIMIT, "limit_price": resting},
                {"type": OrderType.MARKET},
                {"type": OrderType.LIMIT, "limit_price": ceiling},
                {"type": OrderType.IOC, "limit_price": resting},
                {"type": OrderType.STOP, "stop_price": (mark * D("1.1")).quantize(D(1))},
            ]
        )
        account, intent = parties[number % len(parties)].account, open_ticket()
        for _ in range(2 if number % 3 == 0 else 1):
            one = NewOrder(client_id=str(intent), symbol="PF_XBTUSD", side=Side.BUY, size=D("0.01"), **wish)
            order = place_order(one, account=account, by=owner)
        sent.append(order)
    return sent


def wait_until_settled(parties: list[Party]) -> None:
    """What beat does, until nothing is open to doubt."""
    settle(60)
    long_ago = timedelta(seconds=30)
    Order.objects.filter(answered_at__isnull=False).update(answered_at=F("answered_at") - long_ago)
    Order.objects.update(created_at=timezone.now() - long_ago)
    for party in parties:
        read_all(party)
    settle(60)


def differences(exchange: DemoVenue, parties: list[Party], sent: list[Order]) -> Iterator[str]:
    there: dict[str, dict[str, Any]] = {}
    for party in parties:
        for row in exchange.ledger(party.person)["orders"]:
            if row["cli_ord_id"] in there:
                yield f"{row['cli_ord_id']} is there twice"
            there[row["cli_ord_id"]] = row
    ours = {str(order.pk): order for order in Order.objects.filter(pk__in=[one.pk for one in sent])}
    if strangers := set(there) - set(ours):
        yield f"at the exchange and not with us: {strangers}"
    for name, order in ours.items():
        row = there.get(name)
        if row is None:
            if order.status not in {S.REJECTED, S.NEVER_ARRIVED}:
                yield f"{order} ({order.type}, {order.reason_code}) is not at the exchange"
        elif order.status not in FATES[row["status"]] or order.filled != D(row["filled"]):
            yield f"{order} ({order.type}) filled {order.filled}, there {row['status']} filled {row['filled']}"
        elif order.venue_order_id != row["order_id"]:
            yield f"{order} is called {order.venue_order_id}, there {row['order_id']}"


FAULTS: dict[str, list[dict[str, Any]]] = {
    "nothing at all": [],
    "drop_response": [{"fault": "drop_response", "path": "sendorder", "probability": 0.6}],
    "delay": [{"fault": "delay", "path": "sendorder", "seconds": 0.3, "probability": 0.3}],
    "delay past the deadline": [{"fault": "delay", "path": "sendorder", "seconds": 6, "count": 3}],
    "http_500": [{"fault": "http_500", "path": "sendorder", "probability": 0.5}],
    "http_503": [{"fault": "http_503", "path": "sendorder", "probability": 0.5}],
    "rate_limit": [{"fault": "rate_limit", "path": "sendorder", "probability": 0.1}],
    "nonce": [{"fault": "nonce", "path": "sendorder", "probability": 0.5}],
    "hidden": [
        {"fault": "hide_from_open_orders", "probability": 0.5},
        {"fault": "drop_response", "path": "sendorder", "probability": 0.5},
    ],
    "fills at once": [
        {"fault": "fill_at_once", "probability": 0.5},
        {"fault": "drop_response", "path": "sendorder", "probability": 0.5},
    ],
    "fills at once, hidden and lost": [
        {"fault": "fill_at_once", "probability": 0.6},
        {"fault": "hide_from_open_orders", "probability": 0.6},
        {"fault": "drop_response", "path": "sendorder", "probability": 0.6},
    ],
    "partial_fill": [
        {"fault": "partial_fill", "probability": 0.6},
        {"fault": "drop_response", "path": "sendorder", "probability": 0.4},
    ],
    "unknown_fill_type": [{"fault": "unknown_fill_type", "probability": 0.5}],
    "ws_drop": [{"fault": "ws_drop", "probability": 0.1}, {"fault": "partial_fill", "probability": 0.5}],
    "ws_gap": [{"fault": "ws_gap", "probability": 0.3}, {"fault": "fill_at_once", "probability": 0.5}],
    "ws_freeze": [{"fault": "ws_freeze", "seconds": 5, "count": 2}, {"fault": "fill_at_once", "probability": 0.5}],
    "ws_duplicate": [{"fault": "ws_duplicate", "probability": 0.5}, {"fault": "partial_fill", "probability": 0.5}],
}


TURNED_AWAY = {"http_500", "http_503", "rate_limit", "nonce"}  # most orders come to nothing there


@pytest.mark.parametrize("name", FAULTS)
def test_what_became_of_every_intent_is_what_the_exchange_says(
    exchange: DemoVenue, parties: list[Party], owner: User, name: str
) -> None:
    mark = D(str(exchange.ticker("PF_XBTUSD")["markPrice"]))
    with listening(parties, wanted=name.startswith("ws_")):
        for fault in FAULTS[name]:
            exchange.control("POST", "/demo/faults", {"count": 100_000, **fault})
        sent = send(parties, owner, mark)
        exchange.clear_faults()
        wait_until_settled(parties)
    wrong = list(differences(exchange, parties, sent))
    print(f"{name}: {dict(Counter(Order.objects.values_list('status', flat=True)))}")
    assert not wrong, "\n".join(wrong)
    assert len(sent) == INTENTS
    arrived = sum(len(exchange.ledger(party.person)["orders"]) for party in parties)
    assert arrived >= (1 if name in TURNED_AWAY else INTENTS * 0.7)  # else nothing was shown
