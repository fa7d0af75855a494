"""An order is sent at most once for an intent, and its row says no more than is proven."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from django.db import connection

from accounts.broker import Broker
from accounts.models import Account, ApiKey, AuditRow, User
from accounts.rights import NoRight
from accounts.rules import NotAllowed
from krakenfutures.values import OrderType, Permission
from tests.trading.desk import buy, stored_key
from tests.trading.paper import PaperWire
from trading.actions.placing import open_ticket
from trading.models import Order, OrderStatus
from trading.rules import OffStep

S = OrderStatus


def test_a_placed_order_is_open_with_the_venues_id(account: Account, trader: User, wire: PaperWire) -> None:
    order = buy(account, trader)
    truth = wire.orders[str(order.pk)]
    assert (order.status, order.venue_order_id, order.filled) == (S.OPEN, truth["id"], 0)
    assert order.by == trader
    assert order.answered_at is not None


def test_an_order_that_fills_at_once_is_filled_at_its_price(account: Account, trader: User, wire: PaperWire) -> None:
    wire.fill_at_once = wire.hidden = True
    order = buy(account, trader, type=OrderType.MARKET, limit_price=None)
    assert (order.status, order.filled, order.average_price) == (S.FILLED, D("0.01"), D(60000))


def test_the_intent_and_its_audit_row_are_stored_before_anything_is_sent(
    account: Account, trader: User, wire: PaperWire, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, int, bool]] = []
    place = wire._sendorder

    def looking(words: dict[str, str]) -> dict[str, Any]:
        order = Order.objects.get(client_order_id=words["cliOrdId"])
        seen.append((order.status, AuditRow.objects.filter(action="order.sent").count(), bool(order.deadline)))
        return place(words)

    monkeypatch.setattr(wire, "_sendorder", looking)
    buy(account, trader)
    assert seen == [(S.SENDING, 1, True)]


def test_the_same_intent_again_returns_the_first_order(account: Account, trader: User, wire: PaperWire) -> None:
    intent = open_ticket()
    first = buy(account, trader, intent=intent)
    again = buy(account, trader, intent=intent, size=D("0.5"))
    assert (again.pk, again.size) == (first.pk, D("0.01"))
    assert wire.count("sendorder") == Order.objects.count() == 1


def test_an_intent_used_for_one_account_is_refused_for_another(account: Account, owner: User, wire: PaperWire) -> None:
    other = stored_key(account.desk, owner, public="another-key").account
    intent = open_ticket()
    buy(account, owner, intent=intent)
    with pytest.raises(NotAllowed, match="another account"):
        buy(other, owner, intent=intent)
    assert wire.count("sendorder") == 1


@pytest.mark.django_db(transaction=True)
def test_one_intent_submitted_from_eight_sides_at_once_is_sent_once(
    account: Account, trader: User, wire: PaperWire
) -> None:
    buy(account, trader)  # from here on the broker knows that the key was at rest
    wire.slow = 0.2
    intent = open_ticket()
    orders = at_once(8, lambda: buy(account, trader, intent=intent))
    assert {order.pk for order in orders} == {intent}
    assert wire.count("sendorder") == Order.objects.count() == 2
    assert Order.objects.get(pk=intent).status == S.OPEN
    assert AuditRow.objects.filter(action="order.sent", about=f"order:{intent}").count() == 1


@pytest.mark.django_db(transaction=True)
def test_eight_different_orders_at_once_are_eight_orders(account: Account, trader: User, wire: PaperWire) -> None:
    buy(account, trader)
    orders = at_once(8, lambda: buy(account, trader))
    assert {order.status for order in orders} == {S.OPEN}
    assert len(wire.orders) == Order.objects.filter(status=S.OPEN).count() == 9


def at_once(times: int, action: Callable[[], Order]) -> list[Order]:
    results: list[Order] = []
    gate = threading.Barrier(times)

    def run() -> None:
        gate.wait()
        try:
            results.append(action())
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == times
    return results


def test_a_venues_refusal_is_a_rejected_order_with_a_sentence(account: Account, trader: User, wire: PaperWire) -> None:
    wire.refuse["sendorder"] = "insufficientAvailableFunds"
    order = buy(account, trader)
    assert (order.status, order.reason_code) == (S.REJECTED, "insufficientAvailableFunds")
    assert order.reason


def test_a_lost_answer_leaves_the_order_uncertain_and_due_to_be_looked_up(
    account: Account, trader: User, wire: PaperWire
) -> None:
    wire.lose.add("sendorder")
    order = buy(account, trader)
    assert order.status == S.UNCERTAIN
    assert order.resolve_after is not None
    assert "No answer" in order.reason
    assert len(wire.orders) == 1


def test_a_second_submit_of_an_uncertain_order_sends_nothing(account: Account, trader: User, wire: PaperWire) -> None:
    wire.lose.add("sendorder")
    intent = open_ticket()
    assert [buy(account, trader, intent=intent).status for _ in range(3)] == [S.UNCERTAIN] * 3
    assert wire.count("sendorder") == 1


def test_without_a_connection_nothing_was_sent_and_the_order_says_so(
    account: Account, trader: User, wire: PaperWire, monkeypatch: pytest.MonkeyPatch
) -> None:
    import urllib3

    buy(account, trader)
    refused = urllib3.exceptions.NewConnectionError(None, "refused")  # type: ignore[arg-type]
    problem = __import__("requests").exceptions.ConnectionError(refused)
    monkeypatch.setattr(wire, "send", lambda *a, **k: (_ for _ in ()).throw(problem))
    order = buy(account, trader)
    assert (order.status, order.reason_code) == (S.REJECTED, "notSent")


def test_a_spent_budget_sends_nothing_and_says_so(
    account: Account, api_key: ApiKey, trader: User, wire: PaperWire
) -> None:
    buy(account, trader)
    Broker(api_key.pk).penalise()
    order = buy(account, trader)
    assert (order.status, order.reason_code) == (S.REJECTED, "throttled")
    assert len(wire.orders) == 1


def test_the_venues_clock_counts_for_the_deadline(account: Account, trader: User, wire: PaperWire) -> None:
    wire.skew = timedelta(hours=3)
    order = buy(account, trader)
    assert order.status == S.OPEN
    assert order.deadline is not None
    assert order.sent_at is not None
    assert order.deadline - order.sent_at > timedelta(hours=2)


def test_an_order_found_too_late_has_the_clock_measured_again(account: Account, trader: User, wire: PaperWire) -> None:
    buy(account, trader)
    wire.skew = timedelta(hours=3)  # somebody moved the demo's clock
    late = buy(account, trader)
    assert (late.status, late.reason_code) == (S.REJECTED, "wouldProcessAfterSpecifiedTime")
    assert buy(account, trader).status == S.OPEN


@pytest.mark.parametrize(
    ("changes", "field", "neighbours"),
    [
        ({"limit_price": D("59000.4")}, "limit_price", (D(59000), D(59001))),
        ({"size": D("0.00015")}, "size", (D("0.0001"), D("0.0002"))),
        ({"type": OrderType.STOP, "stop_price": D("1.5")}, "stop_price", (D(1), D(2))),
    ],
)
def test_a_number_off_its_step_is_refused_with_its_legal_neighbours(
    account: Account, trader: User, wire: PaperWire, changes: dict[str, Any], field: str, neighbours: tuple[D, ...]
) -> None:
    with pytest.raises(OffStep) as refusal:
        buy(account, trader, **changes)
    assert (refusal.value.field, refusal.value.neighbours) == (field, neighbours)
    assert not Order.objects.exists()
    assert wire.count("sendorder") == 0


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"size": D(0)}, "size"),
        ({"size": D(-1)}, "size"),
        ({"size": D(5000)}, "size"),
        ({"limit_price": None}, "limit_price"),
        ({"limit_price": D(0)}, "limit_price"),
        ({"type": OrderType.MARKET}, "limit_price"),
        ({"type": OrderType.STOP}, "stop_price"),
        ({"symbol": "PF_NOTHING"}, "symbol"),
        ({"symbol": "pf_xbtusd"}, "symbol"),
        ({"type": OrderType.TRAILING_STOP, "limit_price": None}, "trailing_deviation"),
    ],
)
def test_what_the_contract_does_not_allow_is_refused_and_nothing_is_stored(
    account: Account, trader: User, wire: PaperWire, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(NotAllowed) as refusal:
        buy(account, trader, **changes)
    assert refusal.value.field == field
    assert not Order.objects.exists()


def test_a_viewer_and_a_stranger_may_not_place(
    account: Account, viewer: User, stranger: User, wire: PaperWire
) -> None:
    for person in (viewer, stranger):
        with pytest.raises(NoRight):
            buy(account, person)
    assert wire.count("sendorder") == 0


def test_a_key_that_may_only_read_does_not_trade(account: Account, api_key: ApiKey, trader: User) -> None:
    ApiKey.objects.filter(pk=api_key.pk).update(general=Permission.READ)
    with pytest.raises(NotAllowed) as refusal:
        buy(account, trader)
    assert refusal.value.code == "read_only_key"


def test_a_key_that_cannot_be_opened_is_told_and_stores_nothing(
    account: Account, api_key: ApiKey, trader: User
) -> None:
    ApiKey.objects.filter(pk=api_key.pk).update(sealed=b"moved from another row")
    with pytest.raises(NotAllowed) as refusal:
        buy(account, trader)
    assert refusal.value.code == "vault"
    assert not Order.objects.exists()
