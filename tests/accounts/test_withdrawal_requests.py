"""Asking for money, and who may say yes: the refusals beside the successes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal as D
from uuid import uuid4

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.actions.withdrawal_execution import execute
from accounts.actions.withdrawal_reviews import approve_withdrawal, reject_withdrawal
from accounts.actions.withdrawals import Wish, cancel_withdrawal, change_request, request_withdrawal, save_draft
from accounts.models import Approval, AuditRow, Desk, Membership, Notice, Role, Withdrawal
from accounts.policy_rules import Policy, Tier
from accounts.rights import NoRight
from accounts.rules import NotAllowed
from krakenfutures.values import Permission
from tests.accounts.withdrawing import LIGHT, Team, fresh, make_team, person, reread, set_policy, sweep
from tests.venue_process import DemoVenue

pytestmark = pytest.mark.venue


@pytest.fixture
def team(desk: Desk, venue: DemoVenue) -> Team:
    return make_team(desk, venue)


def refused(code: str):
    class Code:
        def __enter__(self):
            self.raised = pytest.raises(NotAllowed)
            self.info = self.raised.__enter__()
            return self.info

        def __exit__(self, *error):
            swallowed = self.raised.__exit__(*error)
            assert self.info.value.code == code, self.info.value.reason
            return swallowed

    return Code()


# --- asking ---------------------------------------------------------------------------------------


def test_a_request_waits_for_others_and_moves_nothing(team):
    asked = team.ask("100")

    assert (asked.status, asked.approvals_needed, asked.is_first_time) == ("pending", 1, True)
    assert asked.usd == D(100)
    assert team.sent() == []
    told = set(Notice.objects.values_list("user__email", flat=True))
    assert told == {"alice@example.test", "bob@example.test", "owner@example.test"}
    assert all(asked.code in notice.text for notice in Notice.objects.all())


def test_the_same_intent_twice_is_one_request(team):
    intent = uuid4()
    assert team.ask("100", intent=intent).pk == team.ask("100", intent=intent).pk
    assert Withdrawal.objects.count() == 1


def test_everything_that_is_free_is_asked_for_without_a_number(team):
    set_policy(team.desk, Policy(tiers=(Tier(D(0), 1),)))
    asked = team.ask(None)
    assert asked.amount > 0
    with refused("amount"):
        team.ask(None)  # all of it is held back for the first one


def test_a_viewer_a_reviewer_and_a_stranger_may_not_ask(team, viewer, stranger):
    for one in (viewer, team.alice, stranger):
        with pytest.raises(NoRight):
            team.ask("1", by=one)


@pytest.mark.parametrize(
    ("amount", "code"),
    [("0", "amount"), ("-5", "amount"), ("0.00001", "amount"), ("1E+9", "funds"), ("NaN", "amount")],
)
def test_an_amount_the_venue_would_refuse_is_refused_here(team, amount, code):
    with refused(code):
        team.ask(amount)


def test_money_held_back_for_one_request_is_not_promised_to_another(team):
    set_policy(team.desk, Policy(tiers=(Tier(D(0), 1),)))
    held = team.ask(None).amount
    with refused("funds"):
        team.ask(held)


def test_a_destination_the_account_has_not_is_refused(team):
    with refused("destination"):
        team.ask("10", landing="wallet", target_wallet="fi_dogeusd")
    with refused("same"):
        team.ask("10", landing="wallet", target_wallet="flex")
    with refused("currency"):
        team.ask("10", landing="wallet", target_wallet="fi_xbtusd")


def test_a_key_that_may_not_withdraw_stops_the_request(team):
    type(team.key).objects.filter(pk=team.key.pk).update(withdrawal=Permission.NONE)
    with refused("permission"):
        team.ask("10")
    assert team.ask("10", landing="wallet", target_wallet="cash").status == "pending"


def test_a_request_nobody_could_approve_is_refused_at_once(team):
    set_policy(team.desk, Policy(tiers=(Tier(D(0), 4),)))
    with refused("quorum"):
        team.ask("10")


def test_velocity_counts_what_is_under_way(team):
    set_policy(team.desk, replace(LIGHT, desk_day=D(250)))
    team.ask("100")
    team.ask("150")
    with refused("velocity"):
        team.ask("0.01")


def test_velocity_counts_per_member_and_per_currency(team):
    set_policy(team.desk, replace(LIGHT, member_day=D(120)))
    team.ask("100")
    with refused("velocity"):
        team.ask("21")
    assert team.ask("100", by=team.owner).status == "pending"
    set_policy(team.desk, replace(LIGHT, currency_week={"USD": D(205)}))
    with refused("velocity"):
        team.ask("6", by=team.owner)


def test_a_paused_desk_takes_no_requests(team):
    set_policy(team.desk, replace(LIGHT, paused=True))
    with refused("paused"):
        team.ask("1")


def test_a_request_wants_a_fresh_factor(team):
    wish = Wish("flex", "USD", D(1))
    for factor in (None, fresh(age=400), fresh(age=-60)):
        with refused("factor"):
            request_withdrawal(uuid4(), account=team.account, by=team.trader, wish=wish, factor=factor)


def test_a_draft_asks_nobody_and_becomes_a_request(team):
    intent = uuid4()
    draft = save_draft(intent, account=team.account, by=team.trader, wish=Wish("flex", "USD", D(5)))
    assert (draft.status, Notice.objects.count()) == ("draft", 0)
    save_draft(intent, account=team.account, by=team.trader, wish=Wish("flex", "USD", D(6)))
    asked = team.ask("7", intent=intent)
    assert (asked.status, asked.amount, Withdrawal.objects.count()) == ("pending", D(7), 1)
    with refused("moved"):
        save_draft(intent, account=team.account, by=team.trader, wish=Wish("flex", "USD", D(8)))


# --- voting ---------------------------------------------------------------------------------------


def test_one_yes_is_enough_up_to_a_thousand_and_two_above(team):
    assert team.approve(team.ask("1000"), team.alice).status == "ready"
    above = team.approve(team.ask("1000.01"), team.alice)
    assert above.status == "pending"
    assert team.approve(above, team.bob).status == "ready"


def test_the_requester_never_counts(team):
    own = team.ask("10", by=team.owner)
    with refused("own"):
        team.approve(own, team.owner)
    assert Approval.objects.count() == 0


def test_a_second_role_does_not_help_the_requester(team):
    asked = team.ask("10")
    Membership.objects.filter(user=team.trader).update(role=Role.ADMIN)
    with refused("own"):
        team.approve(asked, team.trader)


def test_a_second_sign_in_of_the_same_person_does_not_help(team):
    asked = team.ask("10")
    again = person("Trader+second@example.test", team.desk, Role.REVIEWER)
    with refused("own"):
        team.approve(asked, again)


def test_one_person_has_one_vote_through_whatever_account(team):
    asked = team.approve(team.ask("5000"), team.alice)
    with refused("voted"):
        team.approve(asked, team.alice)
    with refused("voted"):
        team.approve(asked, person("alice+phone@example.test", team.desk, Role.ADMIN))
    assert reread(asked).status == "pending"


def test_a_removed_and_re_invited_requester_is_still_the_requester(team):
    asked = team.ask("10")
    Membership.objects.filter(user=team.trader).delete()
    Membership.objects.create(desk=team.desk, user=team.trader, role=Role.REVIEWER)
    with refused("own"):
        team.approve(asked, team.trader)


def test_the_database_itself_refuses_the_requesters_vote(team):
    asked = team.ask("10")
    with pytest.raises(IntegrityError), transaction.atomic():
        Approval.objects.create(
            withdrawal=asked, round=1, digest=asked.digest, reviewer=team.trader, reviewer_person="x@y",
            requester=team.trader, requester_person=asked.requester_person, factor="totp",
            factor_at=timezone.now(), at=timezone.now(),
        )  # fmt: skip


def test_a_vote_wants_a_fresh_factor(team):
    asked = team.ask("10")
    for factor in (None, fresh(age=301)):
        with refused("factor"):
            approve_withdrawal(asked.pk, by=team.alice, digest=asked.digest, factor=factor)


def test_traders_viewers_and_strangers_do_not_review(team, viewer, stranger):
    asked = team.ask("10", by=team.owner)
    for one in (team.trader, viewer, stranger):
        with pytest.raises(NoRight):
            team.approve(asked, one)


def test_a_vote_is_for_what_was_seen(team):
    asked = team.ask("10")
    changed = change_request(asked.pk, by=team.trader, wish=Wish("flex", "USD", D(11)), factor=fresh())
    with refused("changed"):
        approve_withdrawal(asked.pk, by=team.alice, digest=asked.digest, factor=fresh())
    assert changed.code != asked.code
    assert team.approve(changed, team.alice).status == "ready"


def test_a_change_voids_every_vote_given(team):
    asked = team.approve(team.ask("5000"), team.alice)
    changed = change_request(asked.pk, by=team.trader, wish=Wish("flex", "USD", D(5001)), factor=fresh())
    assert (changed.round, changed.status) == (2, "pending")
    after = team.approve(changed, team.bob)
    assert after.status == "pending"
    assert team.approve(after, team.alice).status == "ready"


def test_a_change_back_does_not_revive_old_votes(team):
    asked = team.approve(team.ask("5000"), team.alice)
    change_request(asked.pk, by=team.trader, wish=Wish("flex", "USD", D(1)), factor=fresh())
    back = change_request(asked.pk, by=team.trader, wish=Wish("flex", "USD", D(5000), reason="rent"), factor=fresh())
    assert team.approve(back, team.bob).status == "pending"


def test_only_the_requester_changes_and_takes_back(team):
    asked = team.ask("10")
    with refused("role"):
        change_request(asked.pk, by=team.owner, wish=Wish("flex", "USD", D(11)), factor=fresh())
    with refused("role"):
        cancel_withdrawal(asked.pk, by=team.owner)
    assert cancel_withdrawal(asked.pk, by=team.trader).status == "cancelled"
    with refused("moved"):
        team.approve(asked, team.alice)


def test_any_reviewer_rejects_with_a_reason(team):
    asked = team.ready("10")
    with refused("reason"):
        reject_withdrawal(asked.pk, by=team.bob, reason=" ", factor=fresh())
    gone = reject_withdrawal(asked.pk, by=team.bob, reason="Not this month", factor=fresh())
    assert (gone.status, gone.remark) == ("rejected", "Not this month")
    assert execute(asked.pk).status == "rejected"
    assert team.sent() == []


def test_every_step_is_in_the_book(team):
    asked = team.done("10")
    actions = list(
        AuditRow.objects.filter(about=f"withdrawal:{asked.pk}").order_by("pk").values_list("action", "actor__email")
    )
    assert actions == [
        ("withdrawal.requested", "trader@example.test"),
        ("withdrawal.approved", "alice@example.test"),
        ("withdrawal.ready", None),
        ("withdrawal.executing", None),
        ("withdrawal.confirmed", None),
    ]


# --- time -----------------------------------------------------------------------------------------


def test_the_cool_off_is_waited_for(team):
    set_policy(team.desk, Policy(tiers=(Tier(D(0), 1, timedelta(hours=1)),)))
    start = timezone.now()
    asked = team.ready("10")
    assert asked.status == "cooling"
    with time_machine.travel(start + timedelta(minutes=59), tick=True):
        sweep()
        assert reread(asked).status == "cooling"
    with time_machine.travel(start + timedelta(minutes=61), tick=True):
        sweep()
    assert reread(asked).status == "confirmed"
    assert len(team.sent()) == 1


def test_a_first_time_destination_cools_off_once(team):
    set_policy(team.desk, replace(LIGHT, first_time_cool_off=timedelta(hours=2)))
    start = timezone.now()
    first = team.ready("10")
    assert first.status == "cooling"
    with time_machine.travel(start + timedelta(hours=3), tick=True):
        sweep()
        assert reread(first).status == "confirmed"
        assert team.ready("10").status == "ready"


def test_a_request_nobody_decides_expires_with_a_warning_before(team):
    start = timezone.now()
    asked = team.ask("10")
    with time_machine.travel(start + timedelta(days=3, hours=-5), tick=True):
        sweep()
        assert Notice.objects.filter(kind="escalated").count() == 3
    with time_machine.travel(start + timedelta(days=3, seconds=1), tick=True):
        with refused("expired"):
            approve_withdrawal(asked.pk, by=team.alice, digest=asked.digest, factor=fresh())
        sweep()
    assert reread(asked).status == "expired"
    assert team.sent() == []


def test_a_request_with_little_time_is_warned_of_halfway(team):
    set_policy(team.desk, replace(LIGHT, expires_after=timedelta(hours=2)))
    start = timezone.now()
    team.ask("10")
    for minutes, told in ((59, 0), (61, 3), (90, 3)):
        with time_machine.travel(start + timedelta(minutes=minutes), tick=True):
            sweep()
        assert Notice.objects.filter(kind="escalated").count() == told
