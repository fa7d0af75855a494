"""The pages of withdrawals: what each person sees there, and that a page does no more than the action behind it."""

from __future__ import annotations

import csv
from decimal import Decimal as D
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from accounts.actions.policy import policy_in_force
from accounts.models import AuditRow, Desk, Notice, PolicyVersion, User, Withdrawal
from accounts.policy_rules import Policy, Tier
from accounts.templatetags.money import plainly
from accounts.withdrawal_forms import initial_of
from krakenfutures.numbers import plain
from tests.accounts.signing_in import sign_in
from tests.accounts.withdrawing import Team, make_team, reread, set_policy
from tests.venue_process import DemoVenue

pytestmark = pytest.mark.venue
WISH = {"source": "flex|USD", "amount": "100", "destination": "spot||", "reason": "rent"}


@pytest.fixture
def team(desk: Desk, venue: DemoVenue) -> Team:
    return make_team(desk, venue)


def browser_of(user: User, *, age: float = 0) -> Client:
    client = Client()
    sign_in(client, user, age=age)
    return client


def test_a_trader_looks_first_and_then_asks(team):
    browser, url = browser_of(team.trader), reverse("request_withdrawal")
    page = browser.get(url).content.decode()
    assert "spot wallet" in page and "no address here" in page
    looked = browser.post(url, {**WISH, "do": "look", "intent": uuid4()}).content.decode()
    assert "1 approval by others" in looked
    assert "Nothing was sent there before" in looked
    assert Withdrawal.objects.count() == 0
    intent = uuid4()
    answer = browser.post(url, {**WISH, "do": "ask", "intent": intent})
    assert (answer.status_code, answer.url) == (302, reverse("withdrawal", args=[intent]))
    again = browser.post(url, {**WISH, "do": "ask", "intent": intent})
    assert again.status_code == 302
    assert Withdrawal.objects.count() == 1


def test_a_refused_wish_says_why_beside_its_input(team):
    answer = browser_of(team.trader).post(
        reverse("request_withdrawal"), {**WISH, "amount": "1000000000", "do": "ask", "intent": uuid4()}
    )
    assert answer.status_code == 422
    assert "is free there" in answer.content.decode()


def test_a_draft_is_kept_for_its_author_alone(team):
    browser, intent = browser_of(team.trader), uuid4()
    browser.post(reverse("request_withdrawal"), {**WISH, "amount": "10.25", "do": "keep", "intent": intent})
    assert Withdrawal.objects.get().status == "draft"
    assert "Your drafts" in browser.get(reverse("withdrawals")).content.decode()
    assert browser_of(team.alice).get(reverse("withdrawal", args=[intent])).status_code == 404
    page = browser.get(reverse("withdrawal", args=[intent])).content.decode()
    assert f"{reverse('request_withdrawal')}?draft={intent}" in page and "The code is the same" not in page
    browser.post(reverse("cancel_withdrawal", args=[intent]))
    assert Withdrawal.objects.get().status == "cancelled"
    assert browser_of(team.alice).get(reverse("withdrawal", args=[intent])).status_code == 404
    assert "10.25" not in browser_of(team.alice).get(reverse("withdrawals")).content.decode()


def test_the_queue_says_who_is_needed(team):
    asked = team.ask("100")

    def groups(user):
        return {
            group.title: [line.w.pk for line in group.lines]
            for group in browser_of(user).get(reverse("withdrawals")).context["groups"]
        }

    assert groups(team.alice)["Needs you"] == [asked.pk]
    assert groups(team.trader)["Waiting for others"] == [asked.pk]
    assert groups(team.trader)["Needs you"] == []
    page = browser_of(team.alice).get(reverse("withdrawals")).content.decode()
    assert asked.code in page
    assert "approve all" not in page.lower()


def test_a_reviewer_approves_what_the_page_showed(team):
    asked = team.ask("100")
    browser, url = browser_of(team.alice), reverse("approve_withdrawal", args=[asked.pk])
    page = browser.get(url).content.decode()
    assert asked.code in page and asked.digest in page
    refused = browser.post(url, {"digest": "0" * 64, "note": ""})
    assert refused.status_code == 422
    assert reread(asked).status == "pending"
    assert browser.post(url, {"digest": asked.digest, "note": "seen"}).status_code == 302
    assert reread(asked).status == "ready"


@pytest.mark.parametrize("name", ["approve_withdrawal", "reject_withdrawal", "settle_withdrawal"])
def test_a_vote_asks_for_a_fresh_factor_first(team, name):
    asked = team.ask("100")
    answer = browser_of(team.alice, age=400).post(
        reverse(name, args=[asked.pk]), {"digest": asked.digest, "reason": "no", "outcome": "sent", "note": "x"}
    )
    assert answer.status_code == 302
    assert "reauthenticate" in answer.url
    assert reread(asked).status == "pending"


@pytest.mark.parametrize("name", ["approve_withdrawal", "reject_withdrawal", "settle_withdrawal"])
def test_who_may_not_review_gets_403_and_a_stranger_nothing(team, viewer, stranger, name):
    asked = team.ask("100")
    for one in (team.trader, viewer):
        assert browser_of(one).post(reverse(name, args=[asked.pk]), {}).status_code == 403
    assert browser_of(stranger).post(reverse(name, args=[asked.pk]), {}).status_code == 404
    assert browser_of(stranger).get(reverse("withdrawal", args=[asked.pk])).status_code == 404
    assert reread(asked).status == "pending"


def test_a_viewer_sees_and_cannot_ask_or_cancel(team, viewer):
    asked, browser = team.ask("100"), browser_of(viewer)
    assert browser.get(reverse("withdrawal", args=[asked.pk])).status_code == 200
    assert browser.post(reverse("request_withdrawal"), WISH).status_code == 403
    assert browser.post(reverse("cancel_withdrawal", args=[asked.pk])).status_code == 403


def test_the_page_says_what_changed_since_the_last_look(team):
    asked = team.ask("100")
    browser, url = browser_of(team.alice), reverse("withdrawal", args=[asked.pk])
    assert "Changed since you last looked" not in browser.get(url).content.decode()
    browser_of(team.trader).post(
        reverse("request_withdrawal") + f"?change={asked.pk}", {**WISH, "amount": "250", "do": "ask"}
    )
    assert reread(asked).round == 2
    page = browser.get(url).content.decode()
    assert "Changed since you last looked" in page
    assert "<del>100</del>" in page
    assert "Changed since you last looked" not in browser.get(url).content.decode()


def test_a_rejection_and_a_cancel_end_it(team):
    one, other = team.ask("1"), team.ask("2")
    browser_of(team.alice).post(reverse("reject_withdrawal", args=[one.pk]), {"reason": "not now"})
    browser_of(team.trader).post(reverse("cancel_withdrawal", args=[other.pk]))
    assert (reread(one).status, reread(other).status) == ("rejected", "cancelled")
    assert "not now" in browser_of(team.trader).get(reverse("withdrawal", args=[one.pk])).content.decode()


def test_the_register_has_digests_and_no_formula(team, viewer):
    asked = team.done("100")
    Withdrawal.objects.filter(pk=asked.pk).update(reason="=HYPERLINK(1)")
    answer = browser_of(team.alice).get(reverse("withdrawals_csv"))
    (row,) = list(csv.DictReader(answer.content.decode().splitlines()))
    assert (row["digest"], row["code"], row["amount"]) == (asked.digest, asked.code, "100")
    assert row["reason"].startswith("'=")
    assert row["approved_by"] == "alice@example.test"
    assert AuditRow.objects.get(action="withdrawal.exported").actor == team.alice
    assert browser_of(viewer).get(reverse("withdrawals_csv")).status_code == 403
    assert reverse("withdrawals_csv") not in browser_of(viewer).get(reverse("withdrawals")).content.decode()


def test_the_command_and_the_notice_tell_the_same_code(team, capsys):
    asked = team.ask("100")
    call_command("withdrawal", "show", str(asked.pk)[:8])
    assert asked.code in capsys.readouterr().out
    assert asked.code in Notice.objects.first().text


def test_a_tampered_request_says_so_on_its_page(team):
    asked = team.ask("100")
    Withdrawal.objects.filter(pk=asked.pk).update(amount=999)
    page = browser_of(team.alice).get(reverse("withdrawal", args=[asked.pk])).content.decode()
    assert "another hand" in page
    assert "amount" in page


# --- the policy -----------------------------------------------------------------------------------


def changed(team, **changes):
    return {k: v for k, v in {**initial_of(policy_in_force(team.desk).policy), "reason": "because", **changes}.items()
            if v is not None}  # fmt: skip


def test_a_policy_is_simulated_before_it_is_needed(team):
    page = browser_of(team.trader).get(reverse("withdrawal_policy"), {"amount": "1000.01"}).content.decode()
    assert "2 approvals by others" in page
    page = browser_of(team.trader).get(reverse("withdrawal_policy"), {"amount": "1000"}).content.decode()
    assert "1 approval by others" in page


def test_a_simulation_tells_limits_a_pause_and_missing_reviewers(team):
    set_policy(team.desk, Policy(tiers=(Tier(D(0), 4),), desk_day=D(500), paused=True))
    page = browser_of(team.trader).get(reverse("withdrawal_policy"), {"amount": "501"}).content.decode()
    for words in ("4 approvals by others", "only 3 other people may review", "more would exceed it", "are paused"):
        assert words in page
    page = browser_of(team.trader).get(reverse("withdrawal_policy"), {"amount": "500"}).content.decode()
    assert "more would exceed it" not in page


def test_a_policy_change_needs_somebody_else(team):
    browser = browser_of(team.owner)
    compared = browser.post(reverse("propose_policy"), {**changed(team, approvals_0="2"), "do": "look"})
    assert "2 instead of 1 approvals" in compared.content.decode()
    assert browser.post(reverse("propose_policy"), {**changed(team, approvals_0="2"), "do": "ask"}).status_code == 302
    proposed = PolicyVersion.objects.get(state="proposed")
    url, yes = reverse("vote_policy", args=[proposed.pk]), {"do": "approve", "digest": proposed.digest}
    browser.post(url, yes)
    assert policy_in_force(team.desk).number == 1
    browser_of(team.alice).post(url, yes)
    assert policy_in_force(team.desk).number == 2
    assert policy_in_force(team.desk).policy.tiers[0].approvals == 2


def test_a_policy_nobody_can_satisfy_is_not_even_proposed(team):
    answer = browser_of(team.owner).post(reverse("propose_policy"), {**changed(team, approvals_1="7"), "do": "ask"})
    assert answer.status_code == 422
    assert "could never get 7 approvals" in answer.content.decode()
    assert not PolicyVersion.objects.filter(state="proposed").exists()


def test_a_trader_does_not_propose_and_a_stranger_sees_nothing(team, stranger):
    assert browser_of(team.trader).post(reverse("propose_policy"), {}).status_code == 403
    browser_of(team.owner).post(reverse("propose_policy"), {**changed(team, approvals_0="2"), "do": "ask"})
    proposed = PolicyVersion.objects.get(state="proposed")
    assert browser_of(stranger).get(reverse("vote_policy", args=[proposed.pk])).status_code == 404


def test_whoever_removes_a_reviewer_is_told_what_can_then_not_be_approved(team):
    def page():
        return browser_of(team.owner).get(reverse("member", args=[team.bob.memberships.get().pk])).content.decode()

    lost = "Without bob@example.test, trader@example.test could never get 2 approvals"
    assert lost not in page()  # the owner and alice are left for the trader
    answer = browser_of(team.owner).post(
        reverse("member", args=[team.alice.memberships.get().pk]), {"role": "viewer", "instruments": ""}, follow=True
    )
    assert "From now on owner@example.test could never get 2 approvals" in answer.content.decode()
    assert lost in page()


def test_all_that_is_free_is_shown_as_a_number_before_it_is_asked_for(team):
    browser, url = browser_of(team.trader), reverse("request_withdrawal")
    set_policy(team.desk, Policy(tiers=(Tier(D(0), 1),)))
    page = browser.get(url).content.decode()
    assert " free · multi-collateral wallet</option>" in page
    shown = browser.post(url, {**WISH, "amount": "5", "do": "all", "intent": uuid4()})
    amount = shown.context["preview"].amount
    assert amount > 100 and amount == shown.context["preview"].free
    assert f'value="{plain(amount)}"' in shown.content.decode()
    assert f"Ask to move {plainly(amount)} USD" in shown.content.decode()


def test_what_was_changed_after_it_was_shown_is_not_asked_for(team):
    browser, url, intent = browser_of(team.trader), reverse("request_withdrawal"), uuid4()
    shown = browser.post(url, {**WISH, "do": "look", "intent": intent}).context["money"]
    answer = browser.post(url, {**WISH, "amount": "900", "do": "ask", "intent": intent, "shown": shown})
    assert answer.status_code == 422
    assert "changed it after it was shown" in answer.content.decode()
    assert Withdrawal.objects.count() == 0
    assert browser.post(url, {**WISH, "do": "ask", "intent": intent, "shown": shown}).status_code == 302


def test_an_amount_that_is_not_there_promises_nothing_about_what_is_left(team):
    answer = browser_of(team.trader).post(
        reverse("request_withdrawal"), {**WISH, "amount": "99999999", "do": "look", "intent": uuid4()}
    )
    page = answer.content.decode()
    assert "is free there" in page and "<dt>Left</dt>" not in page and "could not be read" not in page


def test_the_queue_and_the_page_are_drawn_in_part_for_who_looks_at_them_already(team):
    asked = team.ask("100")
    browser = browser_of(team.alice)
    browser.get(reverse("withdrawal", args=[asked.pk]))
    for url in (reverse("withdrawals"), reverse("withdrawal", args=[asked.pk])):
        part = browser.get(url, headers={"X-Part": "live"}).content.decode()
        assert asked.code in part
        assert "<html" not in part and "<script" not in part
    browser_of(team.trader).post(
        reverse("request_withdrawal") + f"?change={asked.pk}", {**WISH, "amount": "250", "do": "ask"}
    )
    browser.get(reverse("withdrawal", args=[asked.pk]), headers={"X-Part": "live"})  # a part is no new look
    page = browser.get(reverse("withdrawal", args=[asked.pk])).content.decode()
    assert "Changed since you last looked" in page


def test_an_exchange_that_is_away_costs_nothing_that_was_typed(team, settings):
    browser, url = browser_of(team.trader), reverse("request_withdrawal")
    settings.DEMO_URL = "http://127.0.0.1:9"
    answer = browser.post(
        url, {**WISH, "amount": "123.25", "reason": "Two months of rent", "do": "ask", "intent": uuid4()}
    )
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "could not be asked" in page
    for typed in ("123.25", "Two months of rent", "USD · multi-collateral wallet"):
        assert typed in page
    assert Withdrawal.objects.count() == 0
