"""One person in several shapes: sessions, roles, accounts, invitations. They never count twice, nor for themselves."""

from __future__ import annotations

from decimal import Decimal as D

import pytest
from django.urls import reverse

from accounts.actions import desks
from accounts.actions.withdrawal_execution import execute
from accounts.models import Approval, Desk, Membership, Role, User
from accounts.policy_rules import Policy, Tier
from accounts.rules import NotAllowed
from tests.accounts.test_withdrawal_pages import browser_of
from tests.accounts.withdrawing import Team, make_team, reread
from tests.venue_process import DemoVenue

pytestmark = pytest.mark.venue


@pytest.fixture
def team(desk: Desk, venue: DemoVenue) -> Team:
    return make_team(desk, venue, Policy(tiers=(Tier(D(0), 2),)))


def back_again(team: Team, who: User, email: str, role: Role) -> User:
    """Removed, and invited anew, as the pages do it."""
    desks.remove_member(Membership.objects.get(user=who, desk=team.desk), by=team.owner)
    _, token = desks.invite(team.desk, by=team.owner, email=email, role=role)
    known = User.objects.filter(email=email).first()
    password = "" if known else "quite a long password"
    return desks.accept_invitation(token, user=known, password=password).user


def refusal_of(action) -> str:
    with pytest.raises(NotAllowed) as refused:
        action()
    return refused.value.code


@pytest.mark.parametrize("email", ["trader@example.test", "Trader+back@example.test"])
def test_a_requester_invited_again_does_not_review_their_own(team, email):
    asked = team.ask("10")
    again = back_again(team, team.trader, email, Role.REVIEWER)
    assert refusal_of(lambda: team.approve(asked, again)) == "own"
    assert browser_of(again).post(reverse("approve_withdrawal", args=[asked.pk]), {"digest": asked.digest, "note": ""})
    assert Approval.objects.count() == 0


def test_a_reviewer_invited_again_under_another_address_has_no_second_vote(team):
    asked = team.approve(team.ask("10"), team.alice)
    again = back_again(team, team.alice, "alice+home@example.test", Role.REVIEWER)
    assert refusal_of(lambda: team.approve(asked, again)) == "voted"
    waiting = team.approve(reread(asked), team.bob)
    assert waiting.status == "pending"  # the vote of the account that is gone counts no more
    assert team.approve(waiting, team.owner).status == "ready"


def test_a_reviewer_removed_between_the_votes_is_not_counted(team):
    asked = team.approve(team.ask("10"), team.alice)
    desks.remove_member(Membership.objects.get(user=team.alice), by=team.owner)
    assert team.approve(asked, team.bob).status == "pending"
    assert (execute(asked.pk).status, team.sent()) == ("pending", [])


def test_a_second_session_is_the_same_person(team):
    asked = team.ask("10")
    url = reverse("approve_withdrawal", args=[asked.pk])
    answers = [
        browser_of(team.alice).post(url, {"digest": asked.digest, "note": ""}).status_code for _ in range(2)
    ]  # fmt: skip
    assert answers == [302, 422]
    assert (Approval.objects.count(), reread(asked).status) == (1, "pending")

    own = team.ask("10", by=team.owner)
    browser_of(team.owner).get(reverse("withdrawal", args=[own.pk]))
    answer = browser_of(team.owner).post(
        reverse("approve_withdrawal", args=[own.pk]), {"digest": own.digest, "note": ""}
    )
    assert answer.status_code == 422
    assert "somebody else has to decide" in answer.content.decode()


def test_a_vote_given_as_reviewer_stays_one_vote_after_a_change_of_role(team):
    asked = team.approve(team.ask("10"), team.alice)
    Membership.objects.filter(user=team.alice).update(role=Role.ADMIN)
    assert refusal_of(lambda: team.approve(asked, team.alice)) == "voted"
    assert team.approve(asked, team.bob).status == "ready"
