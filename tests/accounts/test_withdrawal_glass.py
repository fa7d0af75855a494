"""Break-glass: off by default; two admins, a reason, everybody told, judged afterwards. The refusals beside it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal as D

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from accounts import hooks
from accounts.actions.policy import approve_policy, propose_policy
from accounts.actions.withdrawal_execution import execute
from accounts.actions.withdrawal_glass import break_glass, review_glass
from accounts.actions.withdrawal_looks import needs_count
from accounts.actions.withdrawals import Wish, change_request
from accounts.models import AuditRow, Desk, GlassReview, GlassVote, Membership, Notice, Role, User
from accounts.policy_rules import DEFAULT, Policy, Tier
from accounts.rights import NoRight
from accounts.rules import NotAllowed
from tests.accounts.test_withdrawal_pages import browser_of
from tests.accounts.withdrawing import Team, fresh, make_team, person, reread, set_policy, sweep
from tests.venue_process import DemoVenue

pytestmark = pytest.mark.venue
SLOW = Policy(tiers=(Tier(D(0), 2, timedelta(hours=24)),), desk_day=D(500), break_glass=True)


@pytest.fixture
def team(desk: Desk, venue: DemoVenue) -> Team:
    return make_team(desk, venue, SLOW)


@pytest.fixture
def admin(team: Team) -> User:
    return person("ada@example.test", team.desk, Role.ADMIN)


def breaks(asked, by, note="The exchange is failing", factor=None):
    return break_glass(asked.pk, by=by, digest=asked.digest, note=note, factor=factor or fresh())


def refusal_of(action) -> str:
    with pytest.raises(NotAllowed) as refused:
        action()
    return refused.value.code


def test_two_admins_send_at_once_what_would_wait_and_everybody_hears_of_it(team, admin, viewer):
    asked = team.ask("100")
    first = breaks(asked, admin)
    assert (first.status, execute(asked.pk).status, team.sent()) == ("pending", "pending", [])
    broken = breaks(asked, team.owner, note="Yes, now")
    assert (broken.status, broken.glass_at is not None) == ("ready", True)
    assert execute(asked.pk).status == "confirmed"
    assert [D(one["amount"]) for one in team.sent()] == [D(100)]
    told = Notice.objects.filter(kind="glass_broken")
    everybody = {team.owner, team.trader, team.alice, team.bob, admin, viewer}
    assert {one.user for one in told} == everybody
    assert "GLASS BROKEN" in told[0].text and asked.code in told[0].text
    book = AuditRow.objects.filter(about=f"withdrawal:{asked.pk}", action__contains="glass").order_by("pk")
    assert [(one.action, str(one.actor), one.details["note"]) for one in book] == [
        ("withdrawal.glass_asked", str(admin), "The exchange is failing"),
        ("withdrawal.glass_broken", str(team.owner), "Yes, now"),
    ]


def test_it_is_off_unless_a_policy_says_so(team, admin):
    assert DEFAULT.break_glass is False
    set_policy(team.desk, replace(SLOW, break_glass=False))
    asked = team.ask("100")
    assert refusal_of(lambda: breaks(asked, admin)) == "policy"
    page = browser_of(admin).get(reverse("withdrawal", args=[asked.pk])).content.decode()
    assert "Break the glass" not in page


def test_one_admin_twice_is_one_admin(team, admin):
    asked = team.ask("100")
    breaks(asked, admin)
    assert refusal_of(lambda: breaks(asked, admin)) == "voted"
    assert refusal_of(lambda: breaks(asked, person("ada+2@example.test", team.desk, Role.ADMIN))) == "voted"
    assert reread(asked).status == "pending"


def test_the_requester_reviewers_and_strangers_do_not_break_it(team, admin, stranger):
    own = team.ask("100", by=team.owner)
    assert refusal_of(lambda: breaks(own, team.owner)) == "own"
    assert refusal_of(lambda: breaks(own, person("owner+x@example.test", team.desk, Role.ADMIN))) == "own"
    for one in (team.alice, team.trader, stranger):
        with pytest.raises(NoRight):
            breaks(own, one)
    assert GlassVote.objects.count() == 0


def test_it_wants_a_reason_a_fresh_factor_and_what_was_seen(team, admin):
    asked = team.ask("100")
    assert refusal_of(lambda: breaks(asked, admin, note="  ")) == "note"
    assert refusal_of(lambda: breaks(asked, admin, factor=fresh(age=301))) == "factor"
    changed = change_request(asked.pk, by=team.trader, wish=Wish("flex", "USD", D(90)), factor=fresh())
    assert refusal_of(lambda: breaks(asked, admin)) == "changed"
    breaks(changed, admin)
    again = change_request(asked.pk, by=team.trader, wish=Wish("flex", "USD", D(80)), factor=fresh())
    assert breaks(again, team.owner).status == "pending"  # the first admin's word was for another payload


def test_the_database_itself_refuses_the_requesters_word_and_one_without_a_reason(team):
    asked = team.ask("100")
    row = {"withdrawal": asked, "round": 1, "digest": asked.digest, "requester": team.trader, "factor": "totp",
           "requester_person": asked.requester_person, "factor_at": timezone.now(), "at": timezone.now()}  # fmt: skip
    for change in (
        {"reviewer": team.trader, "reviewer_person": "x@y", "note": "n"},
        {"reviewer": team.alice, "reviewer_person": asked.requester_person, "note": "n"},
        {"reviewer": team.alice, "reviewer_person": "x@y", "note": ""},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            GlassVote.objects.create(**row, **change)


@pytest.mark.parametrize("what", ["pause", "halt", "velocity"])
def test_what_holds_money_back_holds_it_still(team, admin, what, monkeypatch):
    asked = team.ask("100")
    if what == "velocity":
        other = team.ask("400")
        breaks(other, admin)
        breaks(other, team.owner)
        assert execute(other.pk).status == "confirmed"
        change_policy(team, replace(SLOW, desk_day=D(450)))
    breaks(asked, admin)
    breaks(asked, team.owner)
    if what == "pause":
        change_policy(team, replace(SLOW, paused=True))
    if what == "halt":
        monkeypatch.setattr(hooks, "money_halts", [lambda _account: "Everything is halted."])
    before = len(team.sent())
    held = execute(asked.pk)
    assert (held.status, len(team.sent())) == ("ready", before)
    assert {"pause": "paused", "halt": "halted", "velocity": "exceed"}[what] in held.remark


def test_hours_of_the_day_do_not_hold_it(team, admin):
    hour = timezone.now().hour
    set_policy(team.desk, replace(SLOW, hours=((hour + 2) % 24, (hour + 3) % 24)))
    asked = team.ask("100")
    breaks(asked, admin)
    breaks(asked, team.owner)
    assert execute(asked.pk).status == "confirmed"


def test_a_forged_word_and_an_admin_no_more_do_not_count(team, admin):
    asked = team.ask("100")
    breaks(asked, admin)
    breaks(asked, team.owner)
    GlassVote.objects.filter(reviewer=admin).update(note="another reason")
    assert (execute(asked.pk).status, team.sent()) == ("pending", [])

    other = team.ask("100")
    breaks(other, admin)
    breaks(other, team.owner)
    Membership.objects.filter(user=admin).update(role=Role.REVIEWER)
    back = execute(other.pk)
    assert (back.status, back.glass_at, team.sent()) == ("pending", None, [])


def test_a_policy_without_it_that_comes_later_takes_it_away(team, admin):
    asked = team.ask("100")
    breaks(asked, admin)
    breaks(asked, team.owner)
    change_policy(team, replace(SLOW, break_glass=False))
    assert (execute(asked.pk).status, team.sent()) == ("pending", [])
    set_back = replace(SLOW, desk_day=D(499))
    change_policy(team, set_back)
    assert refusal_of(lambda: breaks(asked, admin)) == "policy"  # tightened once, it stays so for this request


def change_policy(team, policy):
    proposed = propose_policy(team.desk, policy, by=team.owner, reason="because", factor=fresh())
    return approve_policy(proposed.pk, by=team.bob, digest=proposed.digest, factor=fresh())


# --- afterwards -------------------------------------------------------------------------------------


def test_somebody_else_judges_it_afterwards_once(team, admin):
    asked = team.ask("100")
    breaks(asked, admin)
    breaks(asked, team.owner)
    execute(asked.pk)

    def judges(by, **changes):
        word = {"verdict": "justified", "note": "The outage was real", "factor": fresh(), **changes}
        return review_glass(asked.pk, by=by, **word)

    for one in (admin, team.owner, person("ada+3@example.test", team.desk, Role.REVIEWER)):
        assert refusal_of(lambda by=one: judges(by)) == "own"
    with pytest.raises(NoRight):
        judges(team.trader)
    assert refusal_of(lambda: judges(team.alice, note="")) == "note"
    assert refusal_of(lambda: judges(team.alice, verdict="maybe")) == "verdict"
    assert refusal_of(lambda: judges(team.alice, factor=None)) == "factor"
    assert [needs_count(team.desk, one) for one in (team.alice, team.owner)] == [1, 0]
    judges(team.alice, verdict="not_justified")
    assert GlassReview.objects.get().verdict == "not_justified"
    assert refusal_of(lambda: judges(team.bob)) == "voted"
    assert needs_count(team.desk, team.bob) == 0
    assert Notice.objects.filter(kind="glass_reviewed", user=team.owner).exists()


def test_nothing_is_judged_that_nobody_broke(team):
    asked = team.ask("100")
    word = {"verdict": "justified", "note": "x", "factor": fresh()}
    assert refusal_of(lambda: review_glass(asked.pk, by=team.alice, **word)) == "moved"


# --- the policy and the pages -----------------------------------------------------------------------


def test_a_desk_without_two_admins_and_a_third_person_cannot_have_it(team):
    set_policy(team.desk, replace(SLOW, break_glass=False))

    def propose():
        return propose_policy(team.desk, SLOW, by=team.owner, reason="x", factor=fresh())

    assert refusal_of(propose) == "unsatisfiable"  # the owner is the only admin
    person("ada@example.test", team.desk, Role.ADMIN)
    assert propose().state == "proposed"


def test_the_pages_lead_through_it(team, admin):
    asked = team.ask("100")
    url, first, second = reverse("break_glass", args=[asked.pk]), browser_of(admin), browser_of(team.owner)
    assert "Break the glass" in first.get(reverse("withdrawal", args=[asked.pk])).content.decode()
    assert first.post(url, {"digest": asked.digest, "note": ""}).status_code == 422
    assert first.post(url, {"digest": asked.digest, "note": "It cannot wait"}).status_code == 302
    assert "It cannot wait" in second.get(url).content.decode()
    assert second.post(url, {"digest": asked.digest, "note": "Agreed"}).status_code == 302
    sweep()
    assert reread(asked).status == "confirmed"
    page = browser_of(team.trader).get(reverse("withdrawal", args=[asked.pk])).content.decode()
    assert "Glass broken: sent without its review" in page and "Nobody judged it yet" in page
    queue = browser_of(team.alice).get(reverse("withdrawals"))
    needed = next(group for group in queue.context["groups"] if group.title == "Needs you")
    assert [line.w.pk for line in needed.lines] == [asked.pk]
    judged = browser_of(team.alice).post(
        reverse("review_glass", args=[asked.pk]), {"verdict": "justified", "note": "Seen the outage"}
    )
    assert judged.status_code == 302
    register = browser_of(team.alice).get(reverse("withdrawals_csv")).content.decode()
    assert "ada@example.test; owner@example.test,justified" in register


@pytest.mark.parametrize("name", ["break_glass", "review_glass"])
def test_an_old_proof_is_asked_for_again(team, admin, name):
    asked = team.ask("100")
    answer = browser_of(admin, age=400).post(reverse(name, args=[asked.pk]), {"digest": asked.digest, "note": "x"})
    assert "reauthenticate" in answer.url
    assert GlassVote.objects.count() == 0


def test_an_expired_request_is_not_broken_out(team, admin):
    asked = team.ask("100")
    with time_machine.travel(timezone.now() + timedelta(days=3, seconds=1), tick=True):
        assert refusal_of(lambda: breaks(asked, admin)) == "expired"
