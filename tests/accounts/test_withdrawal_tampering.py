"""Somebody holds the database: whatever they change after the approval, nothing is sent, and the change is named."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, models, transaction
from django.utils import timezone

from accounts.actions.policy import PolicyBroken, policy_in_force
from accounts.actions.withdrawal_execution import execute
from accounts.actions.withdrawal_moves import Tampered, tampered
from accounts.actions.withdrawal_reviews import approve_withdrawal
from accounts.models import Account, Approval, AuditRow, Desk, PolicyVersion, Withdrawal
from accounts.policy_document import digest_of, to_document
from accounts.policy_rules import Policy, Tier
from tests.accounts.withdrawing import Team, fresh, make_team, reread, sweep
from tests.venue_process import DemoVenue

pytestmark = pytest.mark.venue
VOTED = [field.attname for field in Approval._meta.concrete_fields if not field.primary_key]
COLUMNS = [field.attname for field in Withdrawal._meta.concrete_fields if not field.primary_key]


@pytest.fixture
def team(desk: Desk, venue: DemoVenue) -> Team:
    return make_team(desk, venue)


def another(team: Team, row: Withdrawal, name: str) -> Any:
    """Some other value that the column would take."""
    field, value = Withdrawal._meta.get_field(name.removesuffix("_id") if name.endswith("_id") else name), None
    special = {
        "status": "cooling", "landing": "wallet", "resolution": "sent", "source": "cash", "currency": "BTC",
        "account_id": Account.objects.create(desk=team.desk, label="Other", environment="demo").pk,
        "desk_id": Desk.objects.create(name="Other").pk, "requester_id": team.bob.pk,
    }  # fmt: skip
    if name in special:
        return special[name]
    value = getattr(row, name)
    if isinstance(field, models.DateTimeField):
        return (value or timezone.now()) - timedelta(minutes=3)
    if isinstance(field, models.BooleanField):
        return not value
    if isinstance(field, models.JSONField):
        return {**value, "extra": 1}
    if isinstance(field, models.CharField):
        return "x" + value[1:] if value else "x"
    return (value or 0) + 1


@pytest.mark.parametrize("column", COLUMNS)
def test_a_column_changed_after_the_approval_stops_the_execution_and_is_named(team, column):
    asked = team.ready("50")
    Withdrawal.objects.filter(pk=asked.pk).update(**{column: another(team, asked, column)})

    execute(asked.pk)
    sweep()
    after = reread(asked)
    assert team.sent() == []
    named = AuditRow.objects.filter(action="withdrawal.tampered", about=f"withdrawal:{asked.pk}").first()
    assert named is not None
    assert column.removesuffix("_id") in " ".join(named.details["columns"])
    assert after.status == "failed"
    assert column.removesuffix("_id") in after.remark


def test_a_request_put_back_to_an_earlier_valid_state_is_not_sent_twice(team):
    asked = team.ready("50")
    before = Withdrawal.objects.filter(pk=asked.pk).values().get()
    assert execute(asked.pk).status == "confirmed"
    Withdrawal.objects.filter(pk=asked.pk).update(**before)
    execute(asked.pk)
    sweep()
    assert len(team.sent()) == 1
    assert reread(asked).status == "failed"
    assert "claims" in reread(asked).remark


def test_a_forged_vote_does_not_count(team):
    asked = team.approve(team.ask("5000"), team.alice)
    real = Approval.objects.get()
    Approval.objects.create(
        withdrawal=asked, round=1, digest=asked.digest, reviewer=team.bob, reviewer_person="bob@example.test",
        requester=team.trader, requester_person=asked.requester_person, factor="totp", factor_at=real.factor_at,
        at=real.at, seal=real.seal,
    )  # fmt: skip
    assert execute(asked.pk).status == "pending"
    after = approve_withdrawal(asked.pk, by=team.owner, digest=asked.digest, factor=fresh())
    assert after.status == "ready"
    Approval.objects.filter(reviewer=team.owner).delete()
    assert execute(asked.pk).status == "pending"
    assert team.sent() == []


def test_a_request_under_another_id_is_found_too(team):
    """The one column the others hang on: moved with its votes, as somebody with the database would."""
    asked, other = team.ready("50"), uuid4()
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        new, old = (one.hex if connection.vendor == "sqlite" else str(one) for one in (other, asked.pk))
        for table, column in (
            ("accounts_withdrawal", "id"),
            ("accounts_approval", "withdrawal_id"),
            ("accounts_notice", "withdrawal_id"),
        ):
            cursor.execute(f"UPDATE {table} SET {column} = %s WHERE {column} = %s", [new, old])
    sweep()
    after = Withdrawal.objects.get(pk=other)
    assert (after.status, team.sent()) == ("failed", [])
    assert "id" in after.remark


@pytest.mark.parametrize("column", VOTED)
def test_a_vote_that_was_changed_does_not_count(team, column):
    asked = team.ready("50")
    field, real = Approval._meta.get_field(column.removesuffix("_id")), getattr(Approval.objects.get(), column)
    others = {"reviewer_id": team.bob.pk, "requester_id": team.owner.pk, "withdrawal_id": team.ask("1").pk}
    if isinstance(field, models.DateTimeField):
        others[column] = real - timedelta(minutes=3)
    elif isinstance(field, models.CharField):
        others[column] = "x" + real[1:]
    Approval.objects.update(**{column: others.get(column, (real or 0) + 1 if isinstance(real, int) else None)})
    assert execute(asked.pk).status == "pending"
    assert team.sent() == []


def test_nobody_votes_on_a_tampered_request(team):
    asked = team.ask("50")
    Withdrawal.objects.filter(pk=asked.pk).update(amount=60)
    with pytest.raises(Tampered, match="amount"):
        approve_withdrawal(asked.pk, by=team.alice, digest=asked.digest, factor=fresh())


def test_a_policy_changed_in_the_database_stops_everything(team):
    asked = team.approve(team.ask("5000"), team.alice)
    ready = team.ready("50")
    document = to_document(Policy(tiers=(Tier(Decimal(0), 1),)))
    PolicyVersion.objects.update(document=document, digest=digest_of(document))
    with pytest.raises(PolicyBroken):
        policy_in_force(team.desk)
    held = execute(ready.pk)
    assert (held.status, team.sent()) == ("ready", [])
    assert "another hand" in held.remark
    with pytest.raises(PolicyBroken):
        approve_withdrawal(asked.pk, by=team.bob, digest=asked.digest, factor=fresh())


def test_a_policy_row_that_is_gone_stops_everything(team):
    ready = team.ready("50")
    PolicyVersion.objects.all().delete()
    held = execute(ready.pk)
    assert (held.status, team.sent()) == ("ready", [])
    assert PolicyVersion.objects.count() == 0  # and the default does not come back by itself


def test_what_was_not_touched_is_clean_after_every_step(team):
    assert tampered(reread(team.ask("1"))) == []
    assert tampered(reread(team.ready("2"))) == []
    assert tampered(reread(team.done("3"))) == []


def test_the_database_refuses_states_that_cannot_be(team):
    asked = team.ask("1")
    for change in ({"status": "paid"}, {"status": "executing"}, {"status": "resolved"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Withdrawal.objects.filter(pk=asked.pk).update(**change)
