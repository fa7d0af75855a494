"""A real exchange that misbehaves on purpose: every intent becomes one order there, and our rows tell its truth."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal as D

import pytest
from django.db import connections
from django.utils import timezone
from pytest_django import Settings

from accounts import vault, venues
from accounts.models import Account, Desk, User
from krakenfutures.values import OrderType, Side
from tests.trading.desk import buy, long_ago, stored_key
from tests.venue_process import DemoAccount, DemoVenue, start_demovenue
from trading.actions.cancelling import cancel_all, cancel_order
from trading.actions.editing import edit_order
from trading.actions.placing import open_ticket
from trading.actions.resolving import resolve_order, sweep_uncertain
from trading.actions.syncing import refresh_listings, sync_account, sync_fills, sync_orders
from trading.models import Fill, Order, OrderStatus

S = OrderStatus
pytestmark = pytest.mark.venue


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoVenue]:
    venue = start_demovenue(tmp_path_factory.mktemp("exchange"), seed=5)
    yield venue
    venue.stop()


@pytest.fixture
def venue(exchange: DemoVenue, settings: Settings) -> Iterator[DemoVenue]:
    settings.DEMO_URL = exchange.url
    yield exchange
    exchange.clear_faults()


@pytest.fixture
def signed_up(venue: DemoVenue) -> DemoAccount:
    return venue.signup()


@pytest.fixture
def account(signed_up: DemoAccount, desk: Desk, owner: User) -> Account:
    vault.prepare()
    refresh_listings("demo")
    return stored_key(desk, owner, public=signed_up.key.public, secret=signed_up.key.private).account


def far_below(venue: DemoVenue) -> D:
    return (D(str(venue.ticker("PF_XBTUSD")["markPrice"])) * D("0.9")).quantize(D(1))


def settle(seconds: float = 20) -> None:
    """Sweep as beat does, until nothing is unsettled."""
    end = time.monotonic() + seconds
    while Order.objects.unsettled().exists():
        assert time.monotonic() < end, list(Order.objects.unsettled().values("status", "evidence"))
        Order.objects.unsettled().update(resolve_after=timezone.now())
        sweep_uncertain()
        time.sleep(0.3)


def truth(venue: DemoVenue, signed_up: DemoAccount) -> dict[str, dict[str, object]]:
    return {row["cli_ord_id"]: row for row in venue.ledger(signed_up)["orders"]}


def test_forty_intents_sent_twice_while_answers_are_dropped_are_forty_orders(
    venue: DemoVenue, desk: Desk, owner: User
) -> None:
    vault.prepare()
    refresh_listings("demo")
    people = [venue.signup(), venue.signup()]
    accounts = [stored_key(desk, owner, public=one.key.public, secret=one.key.private).account for one in people]
    price = far_below(venue)
    venue.fault("drop_response", probability=0.6, seconds=120, path="sendorder")
    for account in accounts:
        for _ in range(20):
            intent = open_ticket()
            for _click in range(2):
                buy(account, owner, intent=intent, limit_price=price)
    lost = Order.objects.filter(status=S.UNCERTAIN).count()
    assert lost > 10
    venue.clear_faults()
    settle()
    for account, one in zip(accounts, people, strict=True):
        there, here = truth(venue, one), Order.objects.filter(account=account)
        assert len(there) == here.count() == 20
        assert {order.client_order_id: order.venue_order_id for order in here} == {
            name: row["order_id"] for name, row in there.items()
        }
        assert {order.status for order in here} == {S.OPEN}
    proven = [order for order in Order.objects.all() if order.evidence]
    assert len(proven) == lost
    assert all(order.evidence[-1]["found"] == "open" for order in proven)


def test_a_fill_that_is_hidden_and_never_answered_ends_filled_with_its_price(
    venue: DemoVenue, account: Account, signed_up: DemoAccount, owner: User
) -> None:
    venue.fault("fill_at_once")
    venue.fault("hide_from_open_orders")
    venue.fault("drop_response", path="sendorder")
    order = buy(account, owner, type=OrderType.MARKET, limit_price=None)
    assert order.status == S.UNCERTAIN
    settle()
    order.refresh_from_db()
    fills = venue.ledger(signed_up)["fills"]
    assert order.status == S.FILLED
    assert order.filled == sum(D(str(fill["size"])) for fill in fills) == D("0.01")
    assert order.average_price is not None


@pytest.mark.parametrize("fault", ["http_500", "http_503"])
def test_a_server_error_is_no_proof_and_the_look_up_decides(
    venue: DemoVenue, account: Account, signed_up: DemoAccount, owner: User, fault: str
) -> None:
    venue.fault(fault, path="sendorder", count=1)
    order = buy(account, owner, limit_price=far_below(venue))
    assert order.status == S.UNCERTAIN
    there = truth(venue, signed_up)
    if not there:
        long_ago(order)
    settle()
    order.refresh_from_db()
    assert order.status == (S.OPEN if there else S.NEVER_ARRIVED)


def test_the_venues_own_limit_is_a_refusal_and_nothing_happened(
    venue: DemoVenue, account: Account, signed_up: DemoAccount, owner: User
) -> None:
    venue.fault("rate_limit", path="sendorder", count=1)
    order = buy(account, owner, limit_price=far_below(venue))
    assert (order.status, order.reason_code) == (S.REJECTED, "throttled")
    assert not truth(venue, signed_up)


def test_an_order_that_arrives_after_its_deadline_is_refused_by_the_venue(
    venue: DemoVenue, account: Account, signed_up: DemoAccount, owner: User
) -> None:
    venue.fault("delay", seconds=6, path="sendorder", count=1)
    order = buy(account, owner, limit_price=far_below(venue))
    settle(30)
    order.refresh_from_db()
    there = truth(venue, signed_up)
    if there and there[str(order.pk)]["status"] not in {"rejected", "refused"}:
        assert order.status == S.OPEN
    else:
        assert order.status in {S.REJECTED, S.NEVER_ARRIVED}


def test_a_margin_shortage_is_the_venues_answer(venue: DemoVenue, account: Account, owner: User) -> None:
    order = buy(account, owner, size=D(900), limit_price=far_below(venue))
    assert order.status == S.REJECTED
    assert order.reason
    assert order.reason_code in {"insufficientAvailableFunds", "maxPositionViolation", "wouldCauseLiquidation"}


def test_a_cancel_whose_answer_is_dropped_is_looked_up(
    venue: DemoVenue, account: Account, signed_up: DemoAccount, owner: User
) -> None:
    order = buy(account, owner, limit_price=far_below(venue))
    venue.fault("drop_response", path="cancelorder", count=1)
    order = cancel_order(order, by=owner)
    assert order.status == S.CANCELLED
    assert truth(venue, signed_up)[str(order.pk)]["status"] != "open"


def test_a_cancel_that_never_arrives_leaves_the_order_open_and_says_so(
    venue: DemoVenue, account: Account, owner: User
) -> None:
    order = buy(account, owner, limit_price=far_below(venue))
    venue.fault("http_503", path="cancelorder", count=1)
    order = cancel_order(order, by=owner)
    assert (order.status, order.reason_code) in {(S.OPEN, "cancel_unanswered"), (S.CANCELLED, "")}


def test_a_cancel_that_comes_after_the_fill_ends_filled(venue: DemoVenue, account: Account, owner: User) -> None:
    order = buy(account, owner, type=OrderType.MARKET, limit_price=None)
    assert order.status == S.FILLED
    assert cancel_order(order, by=owner).status == S.FILLED


def test_a_stale_row_is_put_right_by_the_refusal_of_its_cancel(
    venue: DemoVenue, account: Account, owner: User
) -> None:
    order = buy(account, owner, type=OrderType.MARKET, limit_price=None)
    Order.objects.filter(pk=order.pk).update(status=S.OPEN, filled=D(0), average_price=None)
    order.refresh_from_db()
    order = cancel_order(order, by=owner)
    assert (order.status, order.filled) == (S.FILLED, D("0.01"))


def test_an_edit_changes_price_and_size_and_a_lost_one_is_looked_up(
    venue: DemoVenue, account: Account, owner: User
) -> None:
    price = far_below(venue)
    order = buy(account, owner, limit_price=price)
    order = edit_order(order, by=owner, limit_price=price - 10, size=D("0.02"))
    assert (order.status, order.limit_price, order.size) == (S.OPEN, price - 10, D("0.02"))
    venue.fault("drop_response", path="editorder", count=1)
    order = edit_order(order, by=owner, limit_price=price - 20)
    assert (order.status, order.limit_price) == (S.OPEN, price - 20)


def test_cancel_all_leaves_nothing_open_also_when_its_answer_is_lost(
    venue: DemoVenue, account: Account, signed_up: DemoAccount, owner: User
) -> None:
    for lost in (False, True):
        for _ in range(3):
            buy(account, owner, limit_price=far_below(venue))
        if lost:
            venue.fault("drop_response", path="cancelallorders", count=1)
        orders = cancel_all(account, by=owner)
        assert [order.status for order in orders] == [S.CANCELLED] * 3


def test_orders_of_somebody_else_are_found_and_what_vanished_is_settled(
    venue: DemoVenue, account: Account, signed_up: DemoAccount, owner: User
) -> None:
    api_key = account.keys.get()
    price = far_below(venue)
    other = venue.order(
        signed_up.key, orderType="lmt", symbol="PF_XBTUSD", side="buy", size="0.01", limitPrice=str(price)
    )
    sync_account(api_key.pk)
    order = Order.objects.get(venue_order_id=other["order_id"])
    assert (order.by, order.status, order.limit_price) == (None, S.OPEN, price)
    venue.v3(signed_up.key, "POST", "cancelorder", order_id=other["order_id"])
    long_ago(order)
    Order.objects.update(created_at=timezone.now() - timedelta(minutes=1))
    sync_orders(api_key.pk)
    order.refresh_from_db()
    assert order.status == S.CANCELLED


def test_a_fill_of_an_unknown_kind_is_stored_and_flagged(
    venue: DemoVenue, account: Account, signed_up: DemoAccount, owner: User
) -> None:
    venue.fault("unknown_fill_type")
    buy(account, owner, type=OrderType.MARKET, limit_price=None, side=Side.SELL)
    for _ in range(2):
        sync_fills(account.keys.get().pk)
    there = venue.ledger(signed_up)["fills"]
    assert Fill.objects.filter(account=account).count() == len(there)
    odd = Fill.objects.filter(flagged=True)
    assert odd.exists()
    assert all(fill.unknown for fill in odd)


@pytest.mark.django_db(transaction=True)
def test_a_process_killed_between_its_commit_and_the_answer_loses_nothing(
    venue: DemoVenue, account: Account, signed_up: DemoAccount, owner: User
) -> None:
    price, intent = far_below(venue), open_ticket()
    venue.fault("delay", seconds=3, path="sendorder", count=1)
    child = forked(lambda: buy(account, owner, intent=intent, limit_price=price))
    end = time.monotonic() + 10
    while not Order.objects.filter(pk=intent, status=S.SENDING).exists():
        assert time.monotonic() < end
        time.sleep(0.02)
    time.sleep(0.3)  # the request is on its way
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert buy(account, owner, intent=intent, limit_price=price).status == S.SENDING  # and nothing is sent again
    time.sleep(3.5)
    order = Order.objects.get(pk=intent)
    there = truth(venue, signed_up)
    long_ago(order)
    sweep_uncertain()
    order = resolve_order(intent)
    assert len(there) <= 1
    assert order.status == (S.OPEN if there else S.NEVER_ARRIVED)


def forked(action: Callable[[], object]) -> int:
    """Run it in a child of its own, with its own connections; returns the child's id."""
    child = os.fork()
    if child:
        return child
    for each in connections.all():
        each.connection = None  # the parent's: neither used nor closed here
    venues._venue.cache_clear()
    action()
    os._exit(0)
