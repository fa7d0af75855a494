"""A halt stops everything that adds risk, in every process and after a restart, and nothing that takes risk away."""

from __future__ import annotations

import subprocess
import sys
import threading
from decimal import Decimal as D

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection

from accounts.hooks import money_halts
from accounts.models import Account, AuditRow, Desk, Membership, Role, User
from accounts.rules import NotAllowed
from krakenfutures.values import OrderType, Side
from tests.trading.desk import buy
from tests.trading.paper import PaperWire
from trading.actions.cancelling import cancel_all, cancel_order
from trading.actions.editing import edit_order
from trading.actions.halting import current_halt, halt, lift
from trading.actions.placing import open_ticket
from trading.models import Halt, Order, OrderStatus

S = OrderStatus
REFUSED = (NotAllowed, PermissionDenied)


def test_a_halt_refuses_a_new_order_and_says_who_halted(
    account: Account, desk: Desk, owner: User, trader: User, wire: PaperWire
) -> None:
    halt(desk, by=owner, reason="news")
    with pytest.raises(NotAllowed, match=r"halted by owner@example.test \(news\)") as refusal:
        buy(account, trader)
    assert refusal.value.code == "halted"
    assert not Order.objects.exists() and wire.count("sendorder") == 0


def test_reducing_and_cancelling_go_on(account: Account, desk: Desk, owner: User, wire: PaperWire) -> None:
    first, second = buy(account, owner), buy(account, owner)
    halt(desk, by=owner)
    wish = {"type": OrderType.MARKET, "limit_price": None, "side": Side.SELL}
    assert buy(account, owner, reduce_only=True, **wish).status == S.OPEN
    assert cancel_order(first, by=owner).status == S.CANCELLED
    assert {one.status for one in cancel_all(account, by=owner)} == {S.CANCELLED}
    second.refresh_from_db()
    assert second.status == S.CANCELLED


def test_an_edit_may_only_shrink_what_is_not_reduce_only(account: Account, desk: Desk, owner: User) -> None:
    order = buy(account, owner, size=D("0.02"))
    halt(desk, by=owner)
    for more in ({"size": D("0.03")}, {"limit_price": D(59500)}, {"size": D("0.01"), "limit_price": D(59500)}):
        with pytest.raises(NotAllowed) as refusal:
            edit_order(order, by=owner, **more)
        assert refusal.value.code == "halted"
    assert edit_order(order, by=owner, size=D("0.01")).size == D("0.01")


def test_what_was_sent_before_is_still_found_by_its_intent(account: Account, desk: Desk, owner: User) -> None:
    intent = open_ticket()
    order = buy(account, owner, intent=intent)
    halt(desk, by=owner)
    assert buy(account, owner, intent=intent) == order


def test_an_unanswered_order_is_still_settled(account: Account, desk: Desk, owner: User, wire: PaperWire) -> None:
    from trading.actions.resolving import resolve_order

    wire.lose.add("sendorder")
    order = buy(account, owner)
    halt(desk, by=owner)
    assert resolve_order(order.pk).status == S.OPEN


def test_only_admins_and_owners_lift_and_only_traders_halt(
    account: Account, desk: Desk, owner: User, trader: User, viewer: User, stranger: User
) -> None:
    for person in (viewer, stranger):
        with pytest.raises(REFUSED):
            halt(desk, by=person)
    halt(desk, by=trader)
    for person in (trader, viewer, stranger):
        with pytest.raises(REFUSED):
            lift(desk, by=person)
    lift(desk, by=owner)
    assert buy(account, trader).status == S.OPEN
    with pytest.raises(NotAllowed) as refusal:
        lift(desk, by=owner)
    assert refusal.value.code == "not_halted"


def test_a_second_halt_finds_the_first_and_each_is_in_the_book(desk: Desk, owner: User, trader: User) -> None:
    first = halt(desk, by=trader, reason="mine")
    assert halt(desk, by=owner, reason="too").pk == first.pk
    lift(desk, by=owner)
    again = halt(desk, by=owner)
    assert again.pk != first.pk and current_halt(desk) == again
    book = list(AuditRow.objects.filter(desk=desk).order_by("pk").values_list("action", "actor__email"))
    assert book == [
        ("desk.halted", trader.email), ("desk.halt_lifted", owner.email), ("desk.halted", owner.email),
    ]  # fmt: skip


def test_a_halt_is_of_its_desk_alone(account: Account, stranger: User, owner: User) -> None:
    other = Membership.objects.get(user=stranger, role=Role.OWNER).desk
    halt(other, by=stranger)
    assert buy(account, owner).status == S.OPEN


def test_the_database_keeps_two_halts_of_a_desk_apart(desk: Desk, owner: User) -> None:
    halt(desk, by=owner)
    with pytest.raises(IntegrityError):
        Halt.objects.create(desk=desk, by=owner)


def test_money_is_held_back_too(account: Account, desk: Desk, owner: User) -> None:
    assert [word for ask in money_halts if (word := ask(account.pk))] == []
    halt(desk, by=owner)
    assert any("halted" in ask(account.pk) for ask in money_halts)


@pytest.mark.django_db(transaction=True)
def test_orders_sent_while_somebody_halts_are_before_or_refused(
    account: Account, desk: Desk, owner: User, wire: PaperWire
) -> None:
    """Eight threads send without pause; what came after the commit of the halt was refused."""
    refused: list[str] = []
    go_on = threading.Event()
    go_on.set()

    def send() -> None:
        while go_on.is_set():
            try:
                buy(account, owner)
            except NotAllowed as refusal:
                refused.append(refusal.code)
                break
        connection.close()

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    halt(desk, by=owner)
    sent = wire.count("sendorder")
    for thread in threads:
        thread.join(20)
    go_on.clear()
    assert set(refused) <= {"halted", "throttled"}
    assert wire.count("sendorder") - sent <= 8  # those on their way when the halt was committed


@pytest.mark.django_db(transaction=True)
def test_another_process_knows_at_once(account: Account, desk: Desk, owner: User) -> None:
    halt(desk, by=owner)
    code = f"""
import django
from django.conf import settings
settings.DATABASES["default"]["NAME"] = {str(connection.settings_dict["NAME"])!r}  # the tests' own
django.setup()
from accounts.models import Account, User
from accounts.rules import NotAllowed
from krakenfutures.values import NewOrder, OrderType, Side
from decimal import Decimal
from trading.actions.admitting import admit
account, owner = Account.objects.get(pk={account.pk}), User.objects.get(pk={owner.pk})
wish = NewOrder(client_id="1", symbol="PF_XBTUSD", side=Side.BUY, type=OrderType.MARKET, size=Decimal(1))
try:
    admit(account, owner, [wish])
except NotAllowed as refusal:
    print(refusal.code)
"""
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert said.stdout.strip() == "halted"
