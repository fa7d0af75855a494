"""What became of an order that nobody answered for: looked for in three places, and never claimed without proof."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D

import pytest
from django.utils import timezone

from accounts.models import Account, ApiKey, AuditRow, User
from tests.trading.desk import buy, long_ago
from tests.trading.paper import PaperWire
from trading.actions.resolving import resolve_order, sweep_uncertain
from trading.actions.syncing import sync_fills, sync_orders
from trading.models import Fill, Order, OrderStatus

S = OrderStatus


def found_in(order: Order) -> list[tuple[str, str]]:
    return [(line["looked_in"], line["found"]) for line in order.evidence]


def lost(account: Account, trader: User, wire: PaperWire) -> Order:
    wire.lose.add("sendorder")
    order = buy(account, trader)
    wire.lose.clear()
    assert order.status == S.UNCERTAIN
    return order


def swallowed(account: Account, trader: User, wire: PaperWire) -> Order:
    wire.swallow.add("sendorder")
    order = buy(account, trader)
    wire.swallow.clear()
    return order


def test_an_open_order_is_proven_by_its_status(account: Account, trader: User, wire: PaperWire) -> None:
    order = resolve_order(lost(account, trader, wire).pk)
    assert order.status == S.OPEN
    assert order.venue_order_id == wire.orders[str(order.pk)]["id"]
    assert found_in(order) == [("order status", "open")]
    assert order.resolve_after is None
    assert AuditRow.objects.filter(action="order.resolved").count() == 1


def test_an_order_whose_status_is_forgotten_is_proven_by_the_open_orders(
    account: Account, trader: User, wire: PaperWire
) -> None:
    wire.forgetful = True
    order = resolve_order(lost(account, trader, wire).pk)
    assert order.status == S.OPEN
    assert found_in(order) == [("order status", "nothing"), ("open orders", "open")]


def test_a_fill_nobody_lists_is_no_failure(account: Account, trader: User, wire: PaperWire) -> None:
    wire.fill_at_once = wire.hidden = wire.forgetful = True
    order = resolve_order(lost(account, trader, wire).pk)
    assert (order.status, order.filled, order.average_price) == (S.FILLED, D("0.01"), D(60000))
    assert found_in(order)[-1] == ("fills", "0.01 of 0.01 filled")
    assert Fill.objects.count() == 1


def test_a_filled_order_found_by_its_status_gets_its_price_from_the_fills(
    account: Account, trader: User, wire: PaperWire
) -> None:
    wire.fill_at_once = wire.hidden = True
    order = resolve_order(lost(account, trader, wire).pk)
    assert (order.status, order.average_price) == (S.FILLED, D(60000))


def test_absence_before_the_deadline_proves_nothing(account: Account, trader: User, wire: PaperWire) -> None:
    order = resolve_order(swallowed(account, trader, wire).pk)
    assert order.status == S.UNCERTAIN
    assert [place for place, _ in found_in(order)] == ["order status", "open orders", "fills"]
    assert order.resolve_after is not None
    assert order.resolve_after > timezone.now()


def test_absence_after_the_deadline_proves_that_it_never_arrived(
    account: Account, trader: User, wire: PaperWire
) -> None:
    order = swallowed(account, trader, wire)
    long_ago(order)
    order = resolve_order(order.pk)
    assert (order.status, order.reason_code) == (S.NEVER_ARRIVED, "no_effect")
    assert "refused at once" in order.reason  # nobody looked all the while, so this much is open


def test_an_order_looked_for_all_the_while_is_known_never_to_have_arrived(
    account: Account, trader: User, wire: PaperWire
) -> None:
    order = swallowed(account, trader, wire)
    for _ in range(5):  # two seconds pass between one look and the next
        order = resolve_order(order.pk)
        shift_back(order, 2)
    order = resolve_order(order.pk)
    assert (order.status, order.reason_code) == (S.NEVER_ARRIVED, "never_arrived")
    assert order.evidence[0]["times"] >= 5


def shift_back(order: Order, seconds: int) -> None:
    from datetime import datetime

    order.refresh_from_db()
    for line in order.evidence:
        for name in ("at", "until"):
            if name in line:
                line[name] = (datetime.fromisoformat(line[name]) - timedelta(seconds=seconds)).isoformat()
    order.save(update_fields=["evidence"])
    long_ago(order, seconds)


def test_the_venues_clock_decides_whether_the_deadline_has_passed(
    account: Account, trader: User, wire: PaperWire
) -> None:
    order = swallowed(account, trader, wire)
    long_ago(order)
    wire.skew = timedelta(minutes=-5)
    assert resolve_order(order.pk).status == S.UNCERTAIN


def test_silence_of_the_venue_proves_nothing(account: Account, trader: User, wire: PaperWire) -> None:
    order = lost(account, trader, wire)
    long_ago(order)
    wire.away = True
    order = resolve_order(order.pk)
    assert order.status == S.UNCERTAIN
    assert order.resolve_after is not None
    wire.away = False
    assert resolve_order(order.pk).status == S.OPEN


def test_without_a_key_the_order_stays_uncertain(
    account: Account, api_key: ApiKey, trader: User, wire: PaperWire
) -> None:
    order = lost(account, trader, wire)
    ApiKey.objects.filter(pk=api_key.pk).update(state="retired")
    assert resolve_order(order.pk).status == S.UNCERTAIN


def test_a_part_filled_order_that_is_gone_after_its_deadline_is_cancelled(
    account: Account, trader: User, wire: PaperWire
) -> None:
    order = lost(account, trader, wire)
    wire.fill(str(order.pk), "0.004")
    wire.orders[str(order.pk)]["status"] = "cancelled"
    wire.forgetful = True
    long_ago(order)
    order = resolve_order(order.pk)
    assert (order.status, order.filled) == (S.CANCELLED, D("0.004"))


def test_the_sweep_settles_every_order_that_is_due_with_one_look(
    account: Account, trader: User, wire: PaperWire
) -> None:
    lost(account, trader, wire)
    Order.objects.update(resolve_after=timezone.now())
    assert sweep_uncertain() == 1
    assert sweep_uncertain() == 0
    assert Order.objects.get().status == S.OPEN


def test_an_order_whose_sender_died_becomes_uncertain_and_is_found(
    account: Account, trader: User, wire: PaperWire
) -> None:
    order = lost(account, trader, wire)
    Order.objects.update(status=S.SENDING, resolve_after=None)  # as the killed process left it
    assert sweep_uncertain() == 0  # somebody may still be waiting for the answer
    order.refresh_from_db()
    long_ago(order)
    Order.objects.update(resolve_after=None)
    sweep_uncertain()
    order.refresh_from_db()
    assert order.status == S.OPEN


def test_an_order_filled_while_nobody_listened_is_found_filled(
    account: Account, api_key: ApiKey, trader: User, wire: PaperWire
) -> None:
    order = buy(account, trader)
    long_ago(order)
    wire.fill(str(order.pk), "0.01")
    wire.forgetful = True
    sync_fills(api_key.pk)
    sync_orders(api_key.pk)
    order.refresh_from_db()
    assert (order.status, order.average_price) == (S.FILLED, D(60000))


def test_an_order_cancelled_elsewhere_is_found_cancelled(
    account: Account, api_key: ApiKey, trader: User, wire: PaperWire
) -> None:
    order = buy(account, trader)
    long_ago(order)
    wire.orders[str(order.pk)]["status"] = "cancelled"
    wire.forgetful = True
    sync_orders(api_key.pk)
    order.refresh_from_db()
    assert (order.status, order.reason_code) == (S.CANCELLED, "gone")


def test_an_order_missing_from_a_list_alone_stays_open(
    account: Account, api_key: ApiKey, trader: User, wire: PaperWire
) -> None:
    order = buy(account, trader)
    long_ago(order)
    wire.hidden = True
    sync_orders(api_key.pk)
    order.refresh_from_db()
    assert order.status == S.OPEN


@pytest.mark.parametrize("count", [3])
def test_a_resolved_order_is_never_sent_again(account: Account, trader: User, wire: PaperWire, count: int) -> None:
    order = swallowed(account, trader, wire)
    for _ in range(count):
        long_ago(order)
        order = resolve_order(order.pk)
    assert wire.count("sendorder") == 1
