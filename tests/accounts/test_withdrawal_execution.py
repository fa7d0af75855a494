"""The one attempt, over a real connection to an exchange that misbehaves: its ledger is the truth."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal as D

import pytest
import time_machine
from django.db import transaction
from django.utils import timezone

from accounts import hooks
from accounts.actions import withdrawal_execution
from accounts.actions.policy import approve_policy, propose_policy
from accounts.actions.withdrawal_evidence import look, settle
from accounts.actions.withdrawal_execution import execute
from accounts.actions.withdrawal_moves import move, take
from accounts.models import Desk, Membership, Notice, Role, Settlement, Withdrawal
from accounts.policy_rules import Policy, Tier
from accounts.rules import NotAllowed
from accounts.withdrawal_rules import digest_of
from tests.accounts.withdrawing import LIGHT, Team, forked, fresh, make_team, person, reread, set_policy, sweep
from tests.venue_process import DemoVenue

pytestmark = pytest.mark.venue


@pytest.fixture
def team(desk: Desk, venue: DemoVenue) -> Team:
    return make_team(desk, venue)


def refusal_of(action) -> str:
    with pytest.raises(NotAllowed) as refused:
        action()
    return refused.value.code


def test_an_approved_withdrawal_is_sent_once_and_found_again_in_the_book(team):
    asked = team.done("100.25")

    (paid,) = team.sent()
    assert (asked.status, asked.reference) == ("confirmed", paid["uid"])
    assert (D(paid["amount"]), paid["currency"], paid["source_wallet"]) == (D("100.25"), "usd", "flex")
    sweep()
    found = reread(asked)
    assert found.ledger_row is not None
    assert found.evidence["finding"] == "sent"
    execute(asked.pk)
    sweep()
    assert len(team.sent()) == 1


def test_money_moves_to_another_wallet_and_to_a_subaccount(team):
    team.venue.control("POST", "/demo/subaccounts", {}, team.demo)
    inside = team.done("20", landing="wallet", target_wallet="cash")
    (sub,) = team.venue.v3(team.demo.key, "GET", "subaccounts")["subaccounts"]
    out = team.done("5", source="cash", landing="subaccount", target_wallet="cash", target_account=sub["accountUid"])

    assert (inside.status, out.status, team.sent()) == ("confirmed", "confirmed", [])
    moved = team.venue.ledger(team.demo)["transfers"]
    assert [(D(one["amount"]), one["from"], one["to"]) for one in moved] == [
        (D(20), "flex", "cash"),
        (D(5), "cash", "cash"),
    ]
    sweep()
    assert all(reread(one).ledger_row for one in (inside, out))


def test_a_dropped_answer_is_uncertain_and_two_others_settle_it_by_the_evidence(team):
    asked = team.ready("7")
    team.venue.fault("drop_response", count=1, key=team.demo.key.public)
    assert execute(asked.pk).status == "uncertain"
    sweep()
    sweep()
    found = reread(asked)
    assert (found.status, found.evidence["finding"]) == ("uncertain", "sent")
    assert len(team.sent()) == 1

    def word(by, outcome="sent", note="row seen"):
        return settle(asked.pk, by=by, outcome=outcome, note=note, factor=fresh())

    assert refusal_of(lambda: word(team.alice, outcome="not_sent")) == "evidence"
    assert refusal_of(lambda: word(team.alice, note="")) == "note"
    assert refusal_of(lambda: settle(asked.pk, by=team.alice, outcome="sent", note="x", factor=None)) == "factor"
    assert word(team.alice).status == "uncertain"
    assert word(team.alice).status == "uncertain"  # the same person again is one person
    again = person("alice+two@example.test", team.desk, Role.REVIEWER)
    assert refusal_of(lambda: word(again)) == "voted"
    settled = word(team.bob)
    assert (settled.status, settled.resolution) == ("resolved", "sent")
    assert settled.ledger_row is not None
    assert len(team.sent()) == 1


def test_the_requester_of_an_uncertain_one_does_not_settle_it_even_as_reviewer(team):
    asked = team.approve(team.ask("7", by=team.owner), team.alice)
    team.venue.fault("drop_response", count=1, key=team.demo.key.public)
    execute(asked.pk)
    assert refusal_of(lambda: settle(asked.pk, by=team.owner, outcome="sent", note="x", factor=fresh())) == "own"
    assert Settlement.objects.count() == 0


def test_absence_proves_nothing_until_its_time_has_come(team):
    asked = team.ready("7")
    team.venue.fault("http_500", count=1, key=team.demo.key.public)
    assert execute(asked.pk).status == "uncertain"
    early = look(asked.pk)
    assert early.evidence["finding"] == "too_early"
    word = {"outcome": "not_sent", "note": "nothing there"}
    assert refusal_of(lambda: settle(asked.pk, by=team.alice, factor=fresh(), **word)) == "early"
    with time_machine.travel(timezone.now() + timedelta(minutes=11), tick=True):
        assert look(asked.pk).evidence["finding"] == "not_sent"
        settle(asked.pk, by=team.alice, factor=fresh(), **word)
        settled = settle(asked.pk, by=team.bob, factor=fresh(), **word)
        sweep()
    assert (settled.status, settled.resolution, team.sent()) == ("resolved", "not_sent", [])
    assert reread(asked).status == "resolved"  # and nothing was sent again by itself


def test_two_equal_payments_do_not_prove_each_other(team):
    one = team.done("7")
    other = team.ready("7")
    team.venue.fault("http_500", count=1, key=team.demo.key.public)
    execute(other.pk)
    sweep()
    assert reread(one).ledger_row is not None
    assert look(other.pk).evidence["finding"] == "too_early"


def test_a_plain_no_of_the_venue_fails_in_words(team):
    asked = team.ready("7")
    team.venue.fault("nonce", count=1, key=team.demo.key.public)
    failed = execute(asked.pk)
    assert (failed.status, team.sent()) == ("failed", [])
    assert "Nothing was done" in failed.remark
    assert Notice.objects.filter(kind="failed", user=team.trader).exists()


def test_an_amount_that_became_finer_than_the_venue_takes_is_not_even_sent(team):
    """Asked for and agreed to under rules that allowed it: the limits of the venue are asked again at the end."""
    asked = team.ask("10")
    with transaction.atomic():
        row = take(asked.pk)
        row.amount = D("10.00001")
        move(row, None, by=team.trader, action="changed", amount=row.amount, digest=digest_of(row.payload))
    failed = execute(team.approve(reread(asked), team.alice).pk)
    assert (failed.status, team.sent()) == ("failed", [])
    assert "USD moves in steps of 0.0001" in failed.remark


def test_what_certainly_did_not_leave_is_ready_again_and_later_sent_once(team):
    asked = team.ready("7")
    team.venue.fault("rate_limit", count=1, key=team.demo.key.public)
    again = execute(asked.pk)
    assert (again.status, again.claims, team.sent()) == ("ready", 1, [])
    with time_machine.travel(timezone.now() + timedelta(minutes=5), tick=True):
        time.sleep(11)  # the broker takes the venue at its word and lets the budget fill
        sweep()
    assert reread(asked).status == "confirmed"
    assert len(team.sent()) == 1


def test_nothing_is_tried_while_the_venue_is_away(team, settings):
    asked = team.ready("7")
    settings.DEMO_URL = "http://127.0.0.1:9"
    held = execute(asked.pk)
    assert (held.status, held.claims) == ("ready", 0)
    assert "could not be asked" in held.remark


def test_a_halt_holds_everything_and_one_that_cannot_be_read_too(team, monkeypatch):
    asked = team.ready("7")
    halted = ["Everything is halted."]
    monkeypatch.setattr(hooks, "money_halts", [lambda _account: halted[0]])
    assert execute(asked.pk).remark == "Everything is halted."
    monkeypatch.setattr(hooks, "money_halts", [lambda _account: 1 / 0])
    assert "cannot be told" in execute(asked.pk).remark
    assert team.sent() == []
    monkeypatch.setattr(hooks, "money_halts", [lambda _account: ""])
    assert execute(asked.pk).status == "confirmed"


def test_hours_and_velocity_are_kept_at_the_moment_of_sending(team):
    hour = timezone.now().hour
    set_policy(team.desk, replace(LIGHT, hours=((hour + 2) % 24, (hour + 3) % 24)))
    asked = team.ready("7")
    assert "UTC" in execute(asked.pk).remark
    with time_machine.travel(timezone.now() + timedelta(hours=2), tick=True):
        assert execute(asked.pk).status == "confirmed"
    assert len(team.sent()) == 1


def test_velocity_is_counted_again_at_the_moment_of_sending(team):
    one, other = team.ready("100"), team.ready("100")
    change_policy(team, replace(LIGHT, desk_day=D(150)))
    assert execute(one.pk).status == "confirmed"
    held = execute(other.pk)
    assert (held.status, len(team.sent())) == ("ready", 1)
    assert "more would exceed it" in held.remark
    with time_machine.travel(timezone.now() + timedelta(hours=25), tick=True):
        assert execute(other.pk).status == "confirmed"


def test_money_that_is_gone_by_then_is_not_sent(team):
    asked = team.ready("100")
    held = team.venue.v3(team.demo.key, "GET", "accounts")["accounts"]["flex"]["currencies"]["USD"]["available"]
    team.venue.v3(
        team.demo.key, "POST", "transfer", fromAccount="flex", toAccount="cash", unit="usd", amount=f"{held - 50:.2f}"
    )
    held_back = execute(asked.pk)
    assert (held_back.status, team.sent()) == ("ready", [])
    assert "not enough" in held_back.remark


# --- people and policies that change on the way -----------------------------------------------------


def change_policy(team, policy):
    proposed = propose_policy(team.desk, policy, by=team.owner, reason="because", factor=fresh())
    return approve_policy(proposed.pk, by=team.bob, digest=proposed.digest, factor=fresh())


def test_a_reviewer_removed_after_voting_does_not_count_any_more(team):
    asked = team.ready("7")
    Membership.objects.filter(user=team.alice).delete()
    back = execute(asked.pk)
    assert (back.status, team.sent()) == ("pending", [])
    assert "0 of 1 approvals count" in back.remark
    assert execute(team.approve(back, team.bob).pk).status == "confirmed"


def test_a_reviewer_who_lost_the_role_does_not_count_any_more(team):
    asked = team.ready("7")
    Membership.objects.filter(user=team.alice).update(role=Role.VIEWER)
    assert execute(asked.pk).status == "pending"
    assert team.sent() == []


def test_a_requester_who_may_not_ask_any_more_gets_nothing(team):
    asked = team.ready("7")
    Membership.objects.filter(user=team.trader).update(suspended_at=timezone.now())
    assert execute(asked.pk).status == "failed"
    assert team.sent() == []


def test_a_policy_loosened_midway_changes_nothing_for_what_was_asked_before(team):
    asked = team.approve(team.ask("5000"), team.alice)
    assert asked.status == "pending"
    change_policy(team, Policy(tiers=(Tier(D(0), 1),)))
    sweep()
    assert reread(asked).status == "pending"
    assert execute(asked.pk).status == "pending"
    assert team.sent() == []
    assert execute(team.approve(asked, team.bob).pk).status == "confirmed"


def test_a_policy_tightened_midway_asks_for_more(team):
    asked = team.ready("7")
    change_policy(team, Policy(tiers=(Tier(D(0), 2),)))
    back = execute(asked.pk)
    assert (back.status, back.approvals_needed, team.sent()) == ("pending", 2, [])
    change_policy(team, Policy(tiers=(Tier(D(0), 1), Tier(D(9), 1))))
    assert execute(asked.pk).status == "pending"  # tightened once, it stays so for this request
    assert execute(team.approve(back, team.bob).pk).status == "confirmed"


def test_a_cool_off_added_midway_is_waited_for(team):
    asked = team.ready("7")
    change_policy(team, Policy(tiers=(Tier(D(0), 1, timedelta(hours=1)),)))
    assert execute(asked.pk).status == "cooling"
    with time_machine.travel(timezone.now() + timedelta(minutes=61), tick=True):
        sweep()
    assert reread(asked).status == "confirmed"


def test_a_reviewer_who_becomes_requester_keeps_their_votes_apart(team):
    first = team.approve(team.ask("5000"), team.alice)
    Membership.objects.filter(user=team.alice).update(role=Role.ADMIN)
    own = team.ask("10", by=team.alice)
    assert refusal_of(lambda: team.approve(own, team.alice)) == "own"
    assert team.approve(first, team.bob).status == "ready"


# --- dying in the middle ----------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_while_it_sends_leaves_an_uncertain_row_and_at_most_one_payment(team):
    asked = team.ready("7")
    team.venue.fault("delay", seconds=2, path="withdrawal", count=1)
    child = forked(lambda: execute(asked.pk))
    end = time.monotonic() + 20
    while reread(asked).status != "executing":
        assert time.monotonic() < end
        time.sleep(0.02)
    time.sleep(0.5)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    sweep()
    assert execute(asked.pk).status == "executing"  # its lease still runs: nobody else tries
    time.sleep(2.5)
    paid = team.sent()
    assert len(paid) <= 1
    with time_machine.travel(timezone.now() + timedelta(minutes=12), tick=True):
        sweep()
        sweep()
        found = reread(asked)
    assert found.status == "uncertain"
    assert found.evidence["finding"] == ("sent" if paid else "not_sent")
    assert len(team.sent()) == len(paid)


def test_a_worker_that_was_held_up_past_its_lease_sends_nothing(team, monkeypatch):
    asked = team.ready("7")
    monkeypatch.setattr(withdrawal_execution, "CALL_TAKES", withdrawal_execution.LEASE + timedelta(seconds=1))
    late = execute(asked.pk)
    assert (late.status, team.sent()) == ("ready", [])


def test_an_answer_after_the_lease_was_taken_away_is_evidence_and_no_decision(team):
    asked = team.ready("7")
    call = withdrawal_execution._call_once

    def slow(claim):
        outcome = call(claim)
        with time_machine.travel(timezone.now() + timedelta(seconds=61), tick=True):
            sweep()
        return outcome

    withdrawal_execution._call_once = slow
    try:
        late = execute(asked.pk)
    finally:
        withdrawal_execution._call_once = call
    (paid,) = team.sent()
    assert late.status == "uncertain"
    assert paid["uid"] in late.evidence["late_answer"]
    assert look(asked.pk).evidence["finding"] == "sent"
    assert Withdrawal.objects.get().reference == paid["uid"]
