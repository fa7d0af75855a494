"""Queries worked out once find what Django's own find, with the arguments of each call."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.models import Session
from django.db import transaction
from django.test import Client
from django.utils import timezone

from accounts.models import Account, AuditRow, Desk, Membership, User
from accounts.prepared import Prepared, insert

pytestmark = pytest.mark.django_db


def test_every_call_finds_what_its_own_arguments_name(owner: User, stranger: User) -> None:
    mine = Prepared(lambda user: Membership.objects.in_force().filter(user=user).select_related("desk"))
    for person in (owner, stranger, owner):
        [found] = mine.all(person.pk)
        wanted = Membership.objects.select_related("desk").get(user=person)
        assert (found, found.desk, found.since) == (wanted, wanted.desk, wanted.since)


def test_it_remembers_nothing_the_database_said(owner: User) -> None:
    mine = Prepared(lambda user: Membership.objects.in_force().filter(user=user))
    assert mine.first(owner.pk) is not None
    Membership.objects.filter(user=owner).update(suspended_at=timezone.now())
    assert mine.first(owner.pk) is None


def test_a_row_found_can_be_changed_and_saved(owner: User) -> None:
    found = Prepared(lambda pk: User.objects.filter(pk=pk)).first(owner.pk)
    assert found is not None
    found.name = "Ada"
    found.save(update_fields=["name"])
    assert User.objects.get(pk=owner.pk).name == "Ada"


def test_an_argument_that_does_not_reach_the_sql_is_refused(owner: User) -> None:
    with pytest.raises(ValueError, match="does not reach"):
        Prepared(lambda _user: Account.objects.all()).all(owner.pk)


def test_an_inserted_row_reads_back_as_a_saved_one(desk: Desk, owner: User) -> None:
    for details in ({}, {"size": "0.1", "reduce_only": True, "why": "“quoted”"}):
        row = AuditRow(desk=desk, actor=owner, action="test.done", details=details)
        saved = AuditRow(desk=desk, actor=owner, action="test.done", details=details, at=row.at)
        insert(row)
        saved.save(force_insert=True)
        columns = [field.attname for field in AuditRow._meta.concrete_fields if field.name != "id"]
        first, second = AuditRow.objects.order_by("-pk").values_list(*columns)[:2]
        assert first == second


def test_an_inserted_row_is_gone_with_its_transaction(desk: Desk) -> None:
    before = AuditRow.objects.count()
    with pytest.raises(RuntimeError), transaction.atomic():
        insert(AuditRow(desk=desk, action="test.done"))
        raise RuntimeError
    assert AuditRow.objects.count() == before


def test_a_session_past_its_time_opens_nothing(client: Client, owner: User) -> None:
    client.force_login(owner)
    assert client.get("/you/", follow=True).wsgi_request.user == owner
    Session.objects.update(expire_date=timezone.now())
    assert isinstance(client.get("/account/login/").wsgi_request.user, AnonymousUser)


def test_a_person_shut_out_is_nobody_at_the_next_request(client: Client, owner: User) -> None:
    client.force_login(owner)
    User.objects.filter(pk=owner.pk).update(is_active=False)
    assert isinstance(client.get("/account/login/").wsgi_request.user, AnonymousUser)
