"""Orders through the API: the pages' own actions, said in JSON."""

from __future__ import annotations

import json
import threading
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection

from accounts.models import Account, AuditRow, Desk, LimitUse, Membership, User
from tests.api.calling import ORDER, Caller, assert_problem
from tests.trading.desk import buy, stored_key
from tests.trading.paper import PaperWire
from trading.actions.halting import halt
from trading.models import Batch, Order

CONTRACT = {"id", "state", "client_order_id", "venue_order_id", "symbol", "side", "type", "size", "filled"}


@pytest.fixture
def bot(account: Account, trader: User) -> Caller:
    return Caller(trader, account.desk)


def test_a_proven_order_answers_201_in_the_words_of_the_contract(
    bot: Caller, account: Account, wire: PaperWire
) -> None:
    key = str(uuid4())
    answer = bot.place(account.pk, key)
    assert answer.status_code == 201, answer.content
    told = answer.json()
    assert told.keys() >= CONTRACT
    assert (told["id"], told["client_order_id"], told["state"]) == (key, key, "open")
    assert (told["size"], told["filled"], told["limit_price"]) == ("0.01", "0", "59000")
    assert told["venue_order_id"] == wire.orders[key]["id"]
    assert bot.get(f"orders/{key}").json() == told


def test_an_unanswered_order_answers_202_and_is_sent_once(bot: Caller, account: Account, wire: PaperWire) -> None:
    wire.lose.add("sendorder")
    key = str(uuid4())
    answers = [bot.place(account.pk, key) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [202] * 3
    assert {answer.json()["state"] for answer in answers} == {"uncertain"}
    assert wire.count("sendorder") == 1


def test_what_the_exchange_refuses_is_a_proven_order_with_its_reason(
    bot: Caller, account: Account, wire: PaperWire
) -> None:
    wire.refuse["sendorder"] = "insufficientAvailableFunds"
    answer = bot.place(account.pk)
    assert (answer.status_code, answer.json()["state"]) == (201, "rejected")
    assert answer.json()["reason_code"] == "insufficientAvailableFunds"
    assert answer.json()["reason"]


def test_a_key_again_returns_the_first_order_also_after_an_edit(
    bot: Caller, account: Account, wire: PaperWire
) -> None:
    key = str(uuid4())
    first = bot.place(account.pk, key).json()
    Order.objects.filter(pk=key).update(size=Decimal("0.02"), limit_price=Decimal(58000))
    again = bot.place(account.pk, key)
    assert again.status_code == 201
    assert again.json()["id"] == first["id"]
    assert wire.count("sendorder") == 1


@pytest.mark.parametrize(
    "change",
    [{"size": "0.02"}, {"side": "sell"}, {"limit_price": "58000"}, {"type": "post"},
     {"symbol": "PI_XBTUSD", "size": "1"}, {"reduce_only": True}, {"stop_loss": "50000"}],
)  # fmt: skip
def test_a_key_again_with_another_wish_is_refused_and_sends_nothing(
    bot: Caller, account: Account, wire: PaperWire, change: dict[str, Any]
) -> None:
    key = str(uuid4())
    bot.place(account.pk, key)
    assert_problem(bot.place(account.pk, key, **change), 409, "key_reused", "Idempotency-Key")
    assert wire.count("sendorder") == Order.objects.count() == 1


def test_a_key_of_another_account_is_refused(bot: Caller, account: Account, owner: User, wire: PaperWire) -> None:
    other = stored_key(account.desk, owner, public="another-key").account
    key = str(uuid4())
    bot.place(account.pk, key)
    assert_problem(bot.place(other.pk, key), 409, "ticket_taken")
    assert wire.count("sendorder") == 1


def test_a_key_that_is_no_uuid_stands_for_one(bot: Caller, account: Account, wire: PaperWire) -> None:
    ids = {bot.place(account.pk, "my-order-17").json()["id"] for _ in range(2)}
    assert len(ids) == 1
    assert UUID(ids.pop())
    assert wire.count("sendorder") == 1


@pytest.mark.django_db(transaction=True)
def test_one_key_from_eight_sides_at_once_is_one_order(bot: Caller, account: Account, wire: PaperWire) -> None:
    bot.place(account.pk)
    wire.slow = 0.2
    key = str(uuid4())
    answers = at_once(8, lambda _: bot.place(account.pk, key))
    assert {answer.status_code for answer in answers} <= {201, 202}
    assert {answer.json()["id"] for answer in answers} == {key}
    assert wire.count("sendorder") == Order.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_one_key_with_two_wishes_at_once_is_one_order_and_one_conflict(
    bot: Caller, account: Account, wire: PaperWire
) -> None:
    bot.place(account.pk)
    wire.slow = 0.2
    key = str(uuid4())
    answers = at_once(2, lambda turn: bot.place(account.pk, key, size=("0.01", "0.02")[turn]))
    assert sorted(answer.status_code for answer in answers) in ([201, 409], [202, 409])
    assert wire.count("sendorder") == 2


def at_once(times: int, call: Any) -> list[Any]:
    gate, answers = threading.Barrier(times), []

    def run(turn: int) -> None:
        gate.wait()
        try:
            answers.append(call(turn))
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(turn,)) for turn in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == times
    return answers


def test_the_book_names_the_person_and_the_token(bot: Caller, account: Account, trader: User) -> None:
    key = bot.place(account.pk).json()["id"]
    rows = AuditRow.objects.filter(about=f"order:{key}")
    assert {row.actor for row in rows} == {trader}
    assert {row.details["via"] for row in rows} == {f"token:{bot.token.pk}"}


def test_a_page_after_a_call_in_the_same_thread_is_not_told_to_be_the_tokens(
    bot: Caller, account: Account, trader: User
) -> None:
    bot.place(account.pk)
    bot.client.get("/healthz")  # the next request of this thread
    order = buy(account, trader)
    assert "via" not in AuditRow.objects.filter(about=f"order:{order.pk}")[0].details


def test_limits_hold_for_tokens_too(bot: Caller, account: Account, trader: User, wire: PaperWire) -> None:
    Membership.objects.filter(user=trader).update(largest_order=Decimal(100))
    assert_problem(bot.place(account.pk), 422, "limit_largest_order", "size")
    assert wire.count("sendorder") == LimitUse.objects.count() == 0


def test_a_halted_desk_takes_what_reduces_and_nothing_else(
    bot: Caller, account: Account, owner: User, wire: PaperWire
) -> None:
    halt(account.desk, by=owner, reason="enough")
    assert_problem(bot.place(account.pk), 409, "halted")
    assert bot.place(account.pk, reduce_only=True).status_code == 201


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"size": None}, "size"), ({"size": 0.01}, "size"), ({"size": "1e-2"}, "size"), ({"size": "-1"}, "size"),
        ({"side": "long"}, "side"), ({"type": "iceberg"}, "type"), ({"limit_price": "NaN"}, "limit_price"),
        ({"price": "1"}, "price"), ({"account": "1"}, "account"), ({"reduce_only": "yes"}, "reduce_only"),
        ({"limit_price": "59000.5"}, "limit_price"), ({"size": "0.00005"}, "size"), ({"symbol": "PF_NOPE"}, "symbol"),
        ({"limit_price": None}, "limit_price"),
    ],
)  # fmt: skip
def test_bad_input_names_its_field_and_sends_nothing(
    bot: Caller, account: Account, wire: PaperWire, change: dict[str, Any], field: str
) -> None:
    answer = bot.place(**{"account": account.pk, **change})
    assert answer.status_code == 422, answer.content
    assert answer.json()["field"] == field, answer.json()
    assert Order.objects.count() == wire.count("sendorder") == 0


def test_without_a_key_nothing_is_placed(bot: Caller, account: Account) -> None:
    answer = bot.ask("POST", "orders", {"account": account.pk, **ORDER})
    assert_problem(answer, 422, "invalid", "Idempotency-Key")


def test_an_order_is_changed_and_cancelled(bot: Caller, account: Account, wire: PaperWire) -> None:
    key = bot.place(account.pk).json()["id"]
    changed = bot.ask("PATCH", f"orders/{key}", {"limit_price": "58000"})
    assert (changed.status_code, changed.json()["limit_price"]) == (200, "58000")
    assert_problem(bot.ask("PATCH", f"orders/{key}", {"limit_price": "58000.7"}), 422, "off_step", "limit_price")
    assert_problem(bot.ask("PATCH", f"orders/{key}", {}), 422, "no_change")
    gone = bot.ask("DELETE", f"orders/{key}")
    assert (gone.status_code, gone.json()["state"]) == (200, "cancelled")
    assert bot.ask("DELETE", f"orders/{key}").status_code == 200  # again changes nothing


def test_a_cancel_nobody_answered_is_202(bot: Caller, account: Account, wire: PaperWire) -> None:
    key = bot.place(account.pk).json()["id"]
    wire.lose_before = True
    wire.lose.add("cancelorder")
    answer = bot.ask("DELETE", f"orders/{key}")
    assert answer.json()["state"] in {"open", "cancelled"}
    assert answer.status_code == (202 if answer.json()["state"] == "open" else 200)


def test_a_batch_with_one_wrong_line_sends_nothing(bot: Caller, account: Account, wire: PaperWire) -> None:
    lines = [ORDER, {**ORDER, "limit_price": "1.5"}]
    answer = bot.ask("POST", "orders/batch", {"account": account.pk, "orders": lines}, **{"Idempotency-Key": "b-1"})
    assert_problem(answer, 422, "lines", "limit_price")
    assert "Line 2" in answer.json()["message"]
    assert Order.objects.count() == Batch.objects.count() == wire.count("batchorder") == 0


def test_another_desks_account_and_order_are_not_there(
    bot: Caller, account: Account, stranger: User, wire: PaperWire
) -> None:
    mine = bot.place(account.pk).json()["id"]
    theirs = Caller(stranger, Desk.objects.get(name="Another desk"))
    assert_problem(theirs.place(account.pk), 404, "not_found")
    for method, body in (("GET", None), ("DELETE", None), ("PATCH", {"size": "0.02"})):
        assert_problem(theirs.ask(method, f"orders/{mine}", body), 404, "not_found")
    assert_problem(theirs.ask("POST", "orders/cancel-all", {"account": account.pk}), 404, "not_found")
    assert Order.objects.get().status == "open"


def test_a_token_of_one_desk_does_not_reach_another_of_the_same_person(
    account: Account, trader: User, wire: PaperWire
) -> None:
    second = Desk.objects.create(name="Second")
    Membership.objects.create(desk=second, user=trader, role="owner")
    mine = buy(account, trader)
    elsewhere = Caller(trader, second)
    assert elsewhere.items("accounts") == elsewhere.items("orders") == []
    assert_problem(elsewhere.get(f"orders/{mine.pk}"), 404, "not_found")
    assert json.loads(elsewhere.place(account.pk).content)["error"] == "not_found"
