"""What is in the book stays in the book."""

from __future__ import annotations

import importlib

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.actions.audit import record
from accounts.models import AuditRow, Desk, User

guard = importlib.import_module("accounts.migrations.0002_guard_audit")


@pytest.fixture
def row(owner: User, desk: Desk) -> AuditRow:
    record(owner, "desk.renamed", desk, desk=desk, name="New")
    return AuditRow.objects.get()


def test_a_row_says_who_did_what_to_what(row: AuditRow, owner: User, desk: Desk) -> None:
    assert (row.actor, row.action, row.about, row.details) == (
        owner,
        "desk.renamed",
        f"desk:{desk.pk}",
        {"name": "New"},
    )


def test_a_row_is_rolled_back_with_what_it_records(owner: User, desk: Desk) -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        record(owner, "desk.renamed", desk, desk=desk)
        raise RuntimeError
    assert not AuditRow.objects.exists()


def test_the_model_refuses_every_change(row: AuditRow) -> None:
    row.action = "desk.deleted"
    for attempt in (
        row.save,
        row.delete,
        AuditRow.objects.all().delete,
        lambda: AuditRow.objects.update(action="x"),
        lambda: AuditRow.objects.bulk_update([row], ["action"]),
    ):
        with pytest.raises(TypeError), transaction.atomic():
            attempt()
    assert AuditRow.objects.get().action == "desk.renamed"


@pytest.mark.parametrize("statement", ["UPDATE accounts_auditrow SET action = 'x'", "DELETE FROM accounts_auditrow"])
def test_the_database_refuses_every_change(row: AuditRow, statement: str) -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite" and statement.startswith("DELETE"):
            cursor.execute(guard.SQLITE["audit_no_delete"])  # taken away for the tests, see tests/conftest.py
        with pytest.raises(IntegrityError, match="appended, never changed"), transaction.atomic():
            cursor.execute(statement)
    assert AuditRow.objects.count() == 1


def test_a_stranger_sees_none_of_the_desks_rows(row: AuditRow, owner: User, stranger: User) -> None:
    assert list(AuditRow.objects.visible_to(owner)) == [row]
    assert not AuditRow.objects.visible_to(stranger)
