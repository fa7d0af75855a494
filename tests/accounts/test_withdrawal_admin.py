"""Withdrawals in Django's admin: the same facts, read-only, and the same actions with the same proof behind them."""

from __future__ import annotations

import time
from decimal import Decimal as D
from io import StringIO

import pytest
from allauth.mfa.models import Authenticator
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from accounts.actions.withdrawals import Wish, save_draft
from accounts.admin import WithdrawalAdmin
from accounts.models import Approval, AuditRow, Desk, Notice, Role, User, Withdrawal
from tests.accounts.signing_in import sign_in
from tests.accounts.withdrawing import Team, make_team, person, reread
from tests.venue_process import DemoVenue

pytestmark = pytest.mark.venue


@pytest.fixture
def team(desk: Desk, venue: DemoVenue) -> Team:
    return make_team(desk, venue)


def with_factor(user: User) -> User:
    Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={"secret": f"sealed for {user.pk}"})
    return user


def operator(user: User) -> User:
    call_command("operator", "add", with_factor(user).email, stdout=StringIO())
    user.refresh_from_db()
    return user


def browser_of(user: User, *, age: float = 0, kind: str = "totp") -> Client:
    client = Client()
    sign_in(client, user, kind=kind, age=age)
    return client


def step_of(asked: Withdrawal, name: str) -> str:
    return reverse("admin:withdrawal_step", args=[asked.pk, name])


def test_the_page_shows_the_same_and_changes_nothing(team):
    asked = team.ask("100")
    browser, url = browser_of(operator(team.alice)), reverse("admin:accounts_withdrawal_change", args=[asked.pk])
    page = browser.get(url).content.decode()
    for words in (asked.code, "spot wallet", "Asked for", "1 approval by others", step_of(asked, "approve")):
        assert words in page
    assert asked.seal not in page
    assert browser.post(url, {"amount": "999"}).status_code == 403
    assert reread(asked).amount == D(100)
    assert browser.post(reverse("admin:accounts_withdrawal_delete", args=[asked.pk])).status_code == 403


def test_every_column_is_shown_but_the_seal():
    shown = {name for _, part in WithdrawalAdmin.fieldsets for name in part["fields"]}
    told_otherwise = {"id", "amount", "currency", "usd", "seal", "sealed"}  # code, amount and value are put in words
    assert {field.name for field in Withdrawal._meta.concrete_fields} - shown == told_otherwise


def test_a_reviewer_approves_there_what_the_form_showed(team):
    asked = team.ask("100")
    browser = browser_of(operator(team.alice))
    form = browser.get(step_of(asked, "approve")).content.decode()
    assert asked.digest in form and asked.code in form
    refused = browser.post(step_of(asked, "approve"), {"digest": "0" * 64, "note": ""})
    assert refused.status_code == 422
    assert "changed since you looked" in refused.content.decode()
    assert Approval.objects.count() == 0
    assert browser.post(step_of(asked, "approve"), {"digest": asked.digest, "note": "seen"}).status_code == 302
    assert reread(asked).status == "ready"
    assert Approval.objects.get().factor == "totp"
    url = reverse("admin:accounts_withdrawal_change", args=[asked.pk])
    assert "Approved · alice@example.test · seen; 1 of 1" in browser.get(url).content.decode()


def test_a_reviewer_rejects_there_with_a_reason(team):
    asked = team.ask("100")
    browser = browser_of(operator(team.alice))
    assert browser.post(step_of(asked, "reject"), {"reason": ""}).status_code == 422
    assert browser.post(step_of(asked, "reject"), {"reason": "Not now"}).status_code == 302
    assert (reread(asked).status, reread(asked).remark) == ("rejected", "Not now")


def test_the_requester_takes_it_back_there_and_nobody_else(team):
    asked = team.ask("100", by=team.owner)
    assert browser_of(operator(team.alice)).post(step_of(asked, "cancel")).status_code == 422
    assert reread(asked).status == "pending"
    assert browser_of(operator(team.owner), age=400).post(step_of(asked, "cancel")).status_code == 302
    assert reread(asked).status == "cancelled"


def test_what_was_typed_stands_there_again_after_the_proof(team):
    asked = team.ask("100")
    somebody = operator(team.alice)
    browser = browser_of(somebody, age=400)
    assert browser.post(step_of(asked, "reject"), {"reason": "Not before Friday"}).status_code == 302
    session = browser.session
    session["account_authentication_methods"] = [{"method": "mfa", "type": "totp", "id": 0, "at": time.time()}]
    session.save()
    assert 'value="Not before Friday"' in browser.get(step_of(asked, "reject")).content.decode()
    assert reread(asked).status == "pending"


@pytest.mark.parametrize("name", ["approve", "reject", "settle", "break-glass", "judge"])
def test_an_old_proof_leads_to_the_page_that_takes_a_new_one_and_back(team, name):
    asked = team.ask("100")
    answer = browser_of(operator(team.alice), age=400).post(
        step_of(asked, name), {"digest": asked.digest, "reason": "x", "note": "x"}
    )
    assert answer.status_code == 302
    assert "reauthenticate" in answer.url and step_of(asked, name) in answer.url
    assert reread(asked).status == "pending"


def test_running_the_installation_gives_no_vote(team):
    asked = team.ask("100")
    somebody = operator(person("root@example.test", Desk.objects.create(name="Another"), Role.OWNER))
    page = browser_of(somebody).get(reverse("admin:accounts_withdrawal_change", args=[asked.pk])).content.decode()
    assert "nothing for you to decide" in page
    answer = browser_of(somebody).post(step_of(asked, "approve"), {"digest": asked.digest, "note": ""})
    assert answer.status_code == 422
    assert "Only reviewer or admin or owner of this desk" in answer.content.decode()
    assert Approval.objects.count() == 0


def test_the_requester_has_no_vote_there_either(team):
    asked = team.ask("100", by=team.owner)
    answer = browser_of(operator(team.owner)).post(step_of(asked, "approve"), {"digest": asked.digest, "note": ""})
    assert answer.status_code == 422
    assert "somebody else has to decide" in answer.content.decode()
    assert Approval.objects.count() == 0


def test_nothing_is_done_to_several_at_once(team):
    one, other = team.ask("1"), team.ask("2")
    browser, url = browser_of(operator(team.alice)), reverse("admin:accounts_withdrawal_changelist")
    page = browser.get(url).content.decode()
    assert one.code in page and 'name="action"' not in page
    browser.post(url, {"action": "approve", "_selected_action": [str(one.pk), str(other.pk)]})
    browser.post(url, {"action": "delete_selected", "_selected_action": [str(one.pk)], "post": "yes"})
    assert {reread(one).status, reread(other).status} == {"pending"}


def test_whoever_is_no_operator_and_an_unknown_step_get_nothing(team):
    asked = team.ask("100")
    assert browser_of(team.alice, kind="password").get(step_of(asked, "approve")).status_code == 403
    bob = operator(team.bob)
    assert browser_of(bob).get(step_of(asked, "pay")).status_code == 403
    draft = save_draft(Withdrawal().pk, account=team.account, by=team.trader, wish=Wish("flex", "USD", D(5)))
    assert browser_of(bob).get(step_of(draft, "approve")).status_code == 404


def test_an_operator_is_made_on_the_command_line_with_a_second_factor_and_in_the_book(team):
    with pytest.raises(CommandError, match="no second factor"):
        call_command("operator", "add", team.bob.email)
    with pytest.raises(CommandError, match="Nobody signs in as"):
        call_command("operator", "add", "nobody@example.test")
    operator(team.bob)
    assert Notice.objects.filter(kind="operator").count() == 2  # the person, and the owner of the desk
    with pytest.raises(CommandError, match="already"):
        call_command("operator", "add", team.bob.email)
    browser, index = browser_of(team.bob), reverse("admin:index")
    assert browser.get(index).status_code == 200
    call_command("operator", "remove", team.bob.email, stdout=StringIO())
    assert browser.get(index).status_code == 403
    told = AuditRow.objects.filter(action__startswith="operator.").order_by("pk")
    assert [row.action for row in told] == ["operator.made", "operator.ended"]
    with pytest.raises(CommandError, match="no superusers"):
        call_command("createsuperuser", email="root@example.test", interactive=False)


def test_an_operator_who_gave_the_second_factor_up_sees_nothing_until_there_is_one(team):
    asked = team.ask("100")
    somebody = operator(team.alice)
    Authenticator.objects.all().delete()
    browser = browser_of(somebody, kind="password")
    answer = browser.get(reverse("admin:accounts_withdrawal_changelist"))
    assert (answer.status_code, answer.url) == (302, reverse("mfa_index"))
    assert browser.post(step_of(asked, "approve"), {"digest": asked.digest, "note": ""}).status_code == 403
    assert Approval.objects.count() == 0


def test_what_could_be_written_or_holds_secrets_is_not_in_the_admin(team):
    browser = browser_of(operator(team.owner))
    page = browser.get(reverse("admin:index")).content.decode()
    assert reverse("admin:accounts_withdrawal_changelist") in page
    assert "Authenticators" not in page and "Groups" not in page
    assert 'class="addlink"' not in page and 'class="changelink"' not in page
    answer = browser.get(reverse("admin:password_change"))
    assert (answer.status_code, answer.url) == (302, reverse("account_change_password"))
