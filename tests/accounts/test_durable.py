"""What may never be done twice is flushed to the disk before it is done; everything else is as quick as before."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection, transaction

from accounts.durable import durable_transaction
from accounts.models import Desk
from tests.accounts.withdrawing import Team, make_team
from tests.venue_process import DemoVenue

pytestmark = pytest.mark.django_db(transaction=True)


def level() -> Any:
    """How far the connection waits for the disk: 1 until a checkpoint, 2 at every commit. PostgreSQL always does."""
    if connection.vendor != "sqlite":
        return None
    with connection.cursor() as cursor:
        return cursor.execute("PRAGMA synchronous").fetchone()[0]


def test_only_the_durable_transaction_waits_for_the_disk() -> None:
    usual = level()
    assert usual in {None, 1}
    with durable_transaction():
        Desk.objects.create(name="kept")
        assert level() in {None, 2}
    assert level() == usual
    assert Desk.objects.filter(name="kept").exists()


def test_one_that_fails_leaves_nothing_and_is_as_quick_as_before_afterwards() -> None:
    usual = level()
    with pytest.raises(RuntimeError), durable_transaction():
        Desk.objects.create(name="lost")
        raise RuntimeError
    assert level() == usual
    assert not Desk.objects.filter(name="lost").exists()


def test_within_another_transaction_it_is_part_of_that() -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        with durable_transaction():
            Desk.objects.create(name="part")
        raise RuntimeError
    assert not Desk.objects.filter(name="part").exists()


@pytest.mark.venue
def test_a_withdrawal_is_on_the_disk_as_executing_before_it_is_sent(desk: Desk, venue: DemoVenue) -> None:
    team: Team = make_team(desk, venue)
    levels: list[Any] = []

    def watch(execute: Any, sql: str, parameters: Any, many: bool, context: Any) -> Any:
        if sql.startswith('UPDATE "accounts_withdrawal"') and "executing" in (parameters or ()):
            levels.append(level())
        return execute(sql, parameters, many, context)

    with connection.execute_wrapper(watch):
        assert team.done("10").status == "confirmed"
    assert levels[0] in {None, 2}  # the claim, before anything is sent
