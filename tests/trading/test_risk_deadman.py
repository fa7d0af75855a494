"""The dead man's switch: armed at the venue, renewed while somebody is there, and never called off without proof."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
import redis
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts.models import Account, AuditRow, User
from accounts.rules import NotAllowed
from tests.trading.desk import buy
from tests.trading.paper import PaperWire
from tests.trading.risk_venue import Meanwhile, There
from trading.actions.closing import orders_hit
from trading.actions.deadman import arm, be_present, deadman_of, disarm, renew, sweep_dead_men
from trading.actions.resolving import resolve_order
from trading.models import DeadMan, OrderStatus

S = OrderStatus
REFUSED = (NotAllowed, PermissionDenied)


def earlier(there: There, **seconds: float) -> None:
    """As if these moments of the row had been so many seconds earlier."""
    row = DeadMan.objects.get(account=there.account)
    changes: dict[str, Any] = {name: getattr(row, name) - timedelta(seconds=by) for name, by in seconds.items()}
    DeadMan.objects.filter(pk=row.pk).update(**changes)


def left(there: There) -> float:
    row = deadman_of(there.account)
    assert row is not None and row.fires_at is not None
    return (row.fires_at - timezone.now()).total_seconds()


@pytest.mark.venue
def test_nobody_there_means_the_venue_cancels_everything_also_what_others_placed(there: There, owner: User) -> None:
    order = buy(there.account, owner, limit_price=there.price("0.9"))
    wish = {"orderType": "lmt", "symbol": "PF_XBTUSD", "side": "buy", "size": "0.01"}
    other = there.venue.order(there.person.key, **wish, limitPrice=str(there.price("0.9")))
    there.sync()
    row = arm(there.account, by=owner, seconds=60)
    assert row.is_armed and 55 < left(there) <= 60
    assert orders_hit(there.account).count == 2
    earlier(there, seen_at=40, tried_at=30)
    sweep_dead_men()
    assert left(there) <= 60  # nobody there: not renewed
    there.venue.control("POST", "/demo/clock", {"advance": 61})
    earlier(there, tried_at=40, fires_at=62)
    sweep_dead_men()
    row = deadman_of(there.account)
    assert row is not None and not row.is_armed and row.fired_at is not None
    assert resolve_order(order.pk).status == S.CANCELLED
    gone = {str(one["order_id"]): one["status"] for one in there.venue.ledger(there.person)["orders"]}
    assert gone[other["order_id"]] == gone[str(order.venue_order_id)] == "cancelled"
    assert AuditRow.objects.filter(action="deadman.fired").count() == 1
    sweep_dead_men()
    assert AuditRow.objects.filter(action="deadman.fired").count() == 1


@pytest.mark.venue
def test_it_is_renewed_while_somebody_is_there_and_not_more_often_than_needed(there: There, owner: User) -> None:
    arm(there.account, by=owner, seconds=60)
    for _ in range(3):
        sweep_dead_men()
    before = DeadMan.objects.get().tried_at
    earlier(there, tried_at=21, seen_at=25, fires_at=21)
    be_present(there.account, by=owner)
    sweep_dead_men()
    assert DeadMan.objects.get().tried_at > before
    assert 55 < left(there) <= 60


@pytest.mark.venue
def test_disarming_lets_the_orders_stand(there: There, owner: User) -> None:
    order = buy(there.account, owner, limit_price=there.price("0.9"))
    arm(there.account, by=owner, seconds=30)
    assert not disarm(there.account, by=owner).is_armed
    there.venue.control("POST", "/demo/clock", {"advance": 40})
    there.sync()
    order.refresh_from_db()
    assert order.status == S.OPEN
    with pytest.raises(NotAllowed) as refusal:
        disarm(there.account, by=owner)
    assert refusal.value.code == "not_armed"
    said = list(AuditRow.objects.filter(action__startswith="deadman").order_by("pk").values_list("action", flat=True))
    assert said == ["deadman.armed", "deadman.disarmed"]


@pytest.mark.venue
def test_an_arming_without_an_answer_counts_as_armed_and_is_renewed_to_know(there: There, owner: User) -> None:
    there.venue.fault("drop_response", path="cancelallordersafter", count=1)
    row = arm(there.account, by=owner, seconds=60)
    assert row.is_armed and row.fires_at is None and row.trouble
    sweep_dead_men()
    assert not DeadMan.objects.get().trouble
    assert 55 < left(there) <= 60


@pytest.mark.venue
def test_a_disarming_without_an_answer_is_not_called_off(there: There, owner: User) -> None:
    arm(there.account, by=owner, seconds=60)
    there.venue.fault("drop_response", path="cancelallordersafter", count=1)
    with pytest.raises(NotAllowed, match="not proven to be off"):
        disarm(there.account, by=owner)
    row = DeadMan.objects.get()
    assert row.is_armed and row.trouble
    assert not disarm(there.account, by=owner).is_armed


@pytest.mark.venue
def test_a_renewal_that_fails_is_told_once_and_tried_again(
    there: There, owner: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    arm(there.account, by=owner, seconds=60)
    there.venue.fault("rate_limit", path="cancelallordersafter", count=2)
    earlier(there, tried_at=25)
    with told_to_browsers() as heard:
        for _ in range(2):
            with django_capture_on_commit_callbacks(execute=True):
                sweep_dead_men()
        told = heard(2, b'"kind":"deadman"')
    assert sum(b"may fire" in one for one in told) == 1
    assert DeadMan.objects.get().trouble


@contextmanager
def told_to_browsers() -> Iterator[Callable[[int, bytes], list[bytes]]]:
    """Listens where every hub listens. `heard(n, words)` is all that was told until these words came n times."""
    with redis.Redis.from_url(settings.REDIS_URL).pubsub(ignore_subscribe_messages=True) as ear:
        ear.psubscribe("*")
        ear.get_message(timeout=5)  # subscribed

        def heard(count: int, words: bytes) -> list[bytes]:
            found: list[bytes] = []
            end = time.monotonic() + 20
            while sum(words in one for one in found) < count and time.monotonic() < end:
                message = ear.get_message(timeout=1)
                found += [message["data"]] if message else []
            return found

        yield heard


@pytest.mark.venue
def test_a_refused_arming_leaves_what_stood_before(there: There, owner: User) -> None:
    there.venue.fault("rate_limit", path="cancelallordersafter", count=1)
    with pytest.raises(NotAllowed) as refusal:
        arm(there.account, by=owner, seconds=60)
    assert refusal.value.code == "not_armed"
    assert not DeadMan.objects.get().is_armed


@pytest.mark.venue
def test_a_renewal_that_crosses_a_disarming_is_taken_back(there: There, owner: User, meanwhile: Meanwhile) -> None:
    order = buy(there.account, owner, limit_price=there.price("0.9"))
    arm(there.account, by=owner, seconds=60)
    row = DeadMan.objects.select_related("account__desk").get()
    meanwhile.before["cancelallordersafter"] = lambda: disarm(there.account, by=owner)
    renew(row)
    assert not meanwhile.before
    there.venue.control("POST", "/demo/clock", {"advance": 70})
    there.sync()
    order.refresh_from_db()
    assert (order.status, DeadMan.objects.get().is_armed) == (S.OPEN, False)


def test_only_traders_touch_it_and_a_viewers_presence_is_none(
    account: Account, owner: User, viewer: User, stranger: User, wire: PaperWire
) -> None:
    for person in (viewer, stranger):
        for call in (arm, disarm, be_present):
            with pytest.raises(REFUSED):
                call(account, by=person)
    assert not wire.asked and deadman_of(account) is None


@pytest.mark.parametrize("seconds", [0, 29, 3601])
def test_a_time_that_makes_no_sense_is_refused(account: Account, owner: User, wire: PaperWire, seconds: int) -> None:
    with pytest.raises(NotAllowed) as refusal:
        arm(account, by=owner, seconds=seconds)
    assert refusal.value.field == "seconds"
    assert not wire.asked


def test_the_database_keeps_the_time_sensible(account: Account, owner: User) -> None:
    with pytest.raises(IntegrityError):
        DeadMan.objects.create(account=account, by=owner, seconds=5, armed_at=timezone.now(), tried_at=timezone.now())
