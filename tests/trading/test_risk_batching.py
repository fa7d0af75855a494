"""Batches at a real exchange: once, line by line, and again only what is proven not to be there."""

from __future__ import annotations

import threading
from decimal import Decimal as D
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection

from accounts.broker import Broker
from accounts.models import Account, AuditRow, Desk, User
from accounts.rules import NotAllowed
from krakenfutures.values import OrderType, Side
from tests.trading.paper import PaperWire
from tests.trading.risk_venue import Meanwhile, There, settle
from trading.actions import together
from trading.actions.batching import check_batch, retry_batch, send_batch
from trading.actions.cancelling import cancel_all
from trading.actions.halting import halt, lift
from trading.actions.placing import open_ticket
from trading.batch_lines import Line
from trading.models import Batch, Order, OrderStatus

S = OrderStatus


def line(number: int, price: D | None, **more: Any) -> Line:
    wish: dict[str, Any] = {
        "symbol": "PF_XBTUSD", "side": Side.BUY, "type": OrderType.LIMIT, "size": D("0.001"), "limit_price": price,
    }  # fmt: skip
    return Line(number=number, **{**wish, **more})


def lines(there: There, count: int) -> list[Line]:
    return [line(number, there.price("0.9") - number) for number in range(1, count + 1)]


def states(batch: Batch) -> list[str]:
    return [one.order.status for one in batch.lines()]


@pytest.mark.venue
def test_a_hundred_lines_are_two_calls_and_each_has_its_result(there: There, owner: User) -> None:
    taking, crossing = line(99, None, type=OrderType.MARKET), line(100, there.price("1.1"), type=OrderType.POST)
    asked = [*lines(there, 98), taking, crossing]
    intent = open_ticket()
    batch = send_batch(intent, account=there.account, by=owner, lines=asked)
    assert states(batch) == [S.OPEN] * 98 + [S.FILLED, S.REJECTED]
    assert batch.lines()[99].order.reason_code == "postWouldExecute"
    assert send_batch(intent, account=there.account, by=owner, lines=asked) == batch
    ledger = there.ledger()
    assert len(ledger) == 99
    for one in batch.lines()[:99]:
        assert ledger[str(one.order.pk)]["order_id"] == one.order.venue_order_id
    sent = AuditRow.objects.filter(action="orders.sent_together", actor=owner)
    assert [len(row.details["orders"]) for row in sent.order_by("pk")] == [50, 50]


@pytest.mark.venue
def test_a_wrong_line_is_named_and_nothing_of_the_batch_is_stored(there: There, owner: User) -> None:
    wrong = [
        line(4, D("50000.5")),
        line(5, None),
        line(6, D(50000), symbol="PF_NOTHING"),
        line(7, D(50000), size=D(9000)),
    ]
    asked = [*lines(there, 3), *wrong]
    found = check_batch(there.account, by=owner, lines=asked)
    assert [(one.line, one.field) for one in found] == [
        (4, "limit_price"), (5, "limit_price"), (6, "symbol"), (7, "size"),
    ]  # fmt: skip
    with pytest.raises(NotAllowed, match="Line 4") as refusal:
        send_batch(open_ticket(), account=there.account, by=owner, lines=asked)
    assert refusal.value.code == "lines"
    assert not Order.objects.exists() and not Batch.objects.exists() and not there.ledger()


@pytest.mark.venue
def test_a_lost_answer_leaves_every_line_uncertain_until_each_is_proven(there: There, owner: User) -> None:
    there.venue.fault("drop_response", path="batchorder", count=1)
    batch = send_batch(open_ticket(), account=there.account, by=owner, lines=lines(there, 20))
    assert states(batch) == [S.UNCERTAIN] * 20
    with pytest.raises(NotAllowed) as refusal:
        retry_batch(open_ticket(), batch=batch, by=owner)
    assert refusal.value.code == "nothing_to_retry"
    settle()
    assert states(batch) == [S.OPEN] * 20
    assert len(there.ledger()) == 20


@pytest.mark.venue
def test_a_retry_sends_only_what_is_proven_not_to_have_arrived(there: There, owner: User) -> None:
    batch = send_batch(open_ticket(), account=there.account, by=owner, lines=lines(there, 6))
    first = [one.order.pk for one in batch.lines()]
    Order.objects.filter(pk=first[0]).update(status=S.NEVER_ARRIVED, reason_code="never_arrived")
    Order.objects.filter(pk=first[1]).update(status=S.REJECTED, reason_code="throttled")
    Order.objects.filter(pk=first[2]).update(status=S.REJECTED, reason_code="insufficientAvailableFunds")
    Order.objects.filter(pk=first[3]).update(status=S.UNCERTAIN)
    intent = open_ticket()
    for _ in range(3):
        assert retry_batch(intent, batch=batch, by=owner) == batch
    assert [len(one.attempts) for one in batch.lines()] == [2, 2, 1, 1, 1, 1]
    again = {str(one.order.pk) for one in batch.lines()[:2]}
    assert set(there.ledger()) == {str(pk) for pk in first} | again
    with pytest.raises(NotAllowed):
        retry_batch(open_ticket(), batch=batch, by=owner)


@pytest.mark.venue
def test_a_spent_budget_is_waited_for_and_then_told(
    there: There, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Broker(there.account.keys.get().pk)
    gate.penalise()
    batch = send_batch(open_ticket(), account=there.account, by=owner, lines=lines(there, 10))
    assert states(batch) == [S.OPEN] * 10  # it waited: for certain, nothing had been sent
    monkeypatch.setattr(together, "PATIENCE", 0.0)
    gate.penalise()
    late = send_batch(open_ticket(), account=there.account, by=owner, lines=lines(there, 10))
    assert {(one.order.status, one.order.reason_code) for one in late.lines()} == {(S.REJECTED, "throttled")}
    assert len(there.ledger()) == 10


@pytest.mark.venue
def test_a_halt_in_between_leaves_drafts_that_a_retry_sends_after_it(
    there: There, desk: Desk, owner: User, meanwhile: Meanwhile
) -> None:
    meanwhile.before["batchorder"] = lambda: halt(desk, by=owner)
    intent = open_ticket()
    with pytest.raises(NotAllowed) as refusal:
        send_batch(intent, account=there.account, by=owner, lines=lines(there, 60))
    assert refusal.value.code == "halted"
    batch = Batch.objects.get(pk=intent)
    assert states(batch) == [S.OPEN] * 50 + [S.DRAFT] * 10
    with pytest.raises(NotAllowed):
        retry_batch(open_ticket(), batch=batch, by=owner)
    lift(desk, by=owner)
    retry_batch(open_ticket(), batch=batch, by=owner)
    assert states(batch) == [S.OPEN] * 60
    assert len(there.ledger()) == 60
    cancel_all(there.account, by=owner)


def test_a_halted_desk_stores_nothing_of_a_batch(account: Account, desk: Desk, owner: User, wire: PaperWire) -> None:
    halt(desk, by=owner)
    with pytest.raises(NotAllowed) as refusal:
        send_batch(open_ticket(), account=account, by=owner, lines=[line(1, D(50000))])
    assert refusal.value.code == "halted"
    assert not Batch.objects.exists() and not Order.objects.exists() and wire.count("batchorder") == 0


def test_only_traders_send_batches_and_an_intent_is_of_one_account(
    account: Account, owner: User, viewer: User, stranger: User
) -> None:
    for person in (viewer, stranger):
        with pytest.raises((NotAllowed, PermissionDenied)):
            send_batch(open_ticket(), account=account, by=person, lines=[line(1, D(50000))])
    other = Account.objects.create(desk=account.desk, label="Other", environment="demo")
    batch = Batch.objects.create(account=other, by=owner, size=1)
    with pytest.raises(NotAllowed) as refusal:
        send_batch(batch.pk, account=account, by=owner, lines=[line(1, D(50000))])
    assert refusal.value.code == "ticket_taken"


@pytest.mark.venue
@pytest.mark.django_db(transaction=True)
def test_the_same_batch_from_eight_tabs_is_sent_once(there: There, owner: User) -> None:
    intent, asked, done = open_ticket(), lines(there, 12), []

    def send() -> None:
        try:
            done.append(send_batch(intent, account=there.account, by=owner, lines=asked))
        finally:
            connection.close()

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(done) == 8
    assert len(there.ledger()) == Order.objects.count() == 12
