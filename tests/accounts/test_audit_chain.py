"""The book's chain: every attack is found and named, and writers at the same moment do not fork it."""

from __future__ import annotations

import csv
import io
import threading
from collections.abc import Callable
from contextlib import contextmanager
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test import Client
from pytest_django import Settings

from accounts.actions.audit import record
from accounts.actions.audit_book import csv_lines, export_heads, findings
from accounts.models import AuditHead, AuditRow, Desk, User


@pytest.fixture
def book(owner: User, desk: Desk, settings: Settings, tmp_path: Path) -> Desk:
    """Nine rows of one desk, and a folder of its own for the heads."""
    settings.DATA_DIR = tmp_path
    for number in range(1, 10):
        record(owner, "desk.renamed", desk, desk=desk, name=f"Name {number}", nested={"b": 1, "a": [1.5, None]})
    return desk


@contextmanager
def unguarded():  # type: ignore[no-untyped-def]
    """As somebody who owns the database file, and has taken the triggers away."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("DROP TRIGGER IF EXISTS audit_no_update")
            cursor.execute("DROP TRIGGER IF EXISTS audit_no_delete")
        else:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # a table with checks outstanding cannot be altered
            cursor.execute("ALTER TABLE accounts_auditrow DISABLE TRIGGER audit_no_change")
        yield cursor


def found() -> list[tuple[str, int | None]]:
    return [(one.kind, one.number) for one in findings()]


def test_a_book_nobody_touched_is_whole(book: Desk) -> None:
    assert found() == []
    assert [row.number for row in AuditRow.objects.order_by("pk")] == list(range(1, 10))


def test_a_row_that_was_taken_back_leaves_no_gap(book: Desk, owner: User) -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        record(owner, "desk.renamed", book, desk=book, name="Never")
        raise RuntimeError
    record(owner, "desk.renamed", book, desk=book, name="Name 10")
    assert found() == []
    assert [row.number for row in AuditRow.objects.order_by("pk")] == list(range(1, 11))


@pytest.mark.parametrize(
    "change",
    ["action = 'key.added'", "about = 'desk:987'", "actor_id = NULL", "request_id = 'x'", "at = '2020-01-01 00:00:00'",
     """details = '{"name": "Other"}'"""],
)  # fmt: skip
def test_a_changed_row_is_named(book: Desk, change: str) -> None:
    with unguarded() as cursor:
        cursor.execute(f"UPDATE accounts_auditrow SET {change} WHERE number = 4")
    assert found() == [("changed", 4)]


def test_a_changed_row_with_a_new_digest_breaks_the_next(book: Desk) -> None:
    """Whoever reckons the digest of the changed row anew would have to go on to the end."""
    from accounts.actions.audit import link_of

    row = AuditRow.objects.get(number=4)
    row.action = "key.added"
    digest = link_of(row).digest_as(4, row.previous)
    with unguarded() as cursor:
        cursor.execute("UPDATE accounts_auditrow SET action = 'key.added', digest = %s WHERE number = 4", [digest])
    assert found() == [("changed", 4)]


@pytest.mark.parametrize(("numbers", "first"), [("5", 5), ("3, 4, 5", 3), ("1", 1)])
def test_deleted_rows_are_named(book: Desk, numbers: str, first: int) -> None:
    with unguarded() as cursor:
        cursor.execute(f"DELETE FROM accounts_auditrow WHERE number IN ({numbers})")
    assert found()[0] == ("deleted", first)


def test_reordered_rows_are_named(book: Desk) -> None:
    with unguarded() as cursor:
        cursor.execute("UPDATE accounts_auditrow SET number = 100 WHERE number = 4")
        cursor.execute("UPDATE accounts_auditrow SET number = 4 WHERE number = 6")
        cursor.execute("UPDATE accounts_auditrow SET number = 6 WHERE number = 100")
    assert found() == [("reordered", 4), ("reordered", 6)]


def test_rows_cut_off_the_end_are_named(book: Desk) -> None:
    with unguarded() as cursor:
        cursor.execute("DELETE FROM accounts_auditrow WHERE number > 6")
    assert found() == [("truncated", 7)]


def test_a_truncation_that_sets_the_head_back_shows_by_the_exported_one(book: Desk) -> None:
    export_heads()
    with unguarded() as cursor:
        cursor.execute("DELETE FROM accounts_auditrow WHERE number > 6")
    AuditHead.objects.filter(chain=f"desk:{book.pk}").update(number=6, digest=AuditRow.objects.get(number=6).digest)
    assert found() == [("truncated", 7)]


def test_a_book_written_anew_shows_by_the_exported_head(book: Desk, owner: User) -> None:
    export_heads()
    with unguarded() as cursor:
        cursor.execute("DELETE FROM accounts_auditrow")
    AuditHead.objects.all().delete()
    for number in range(1, 12):
        record(owner, "desk.renamed", book, desk=book, name=f"Another {number}")
    assert found() == [("changed", 9)]


def test_a_row_slipped_in_is_named(book: Desk, owner: User) -> None:
    AuditRow.objects.create(desk=book, actor=owner, action="x")
    AuditRow.objects.create(desk=book, actor=owner, action="x", number=10, digest="0" * 64)
    assert {kind for kind, _ in found()} >= {"inserted", "changed"}


def test_the_command_names_what_it_found_and_fails(book: Desk) -> None:
    told = StringIO()
    call_command("verify_audit", "--export", stdout=told)
    assert "The book is whole: 9 rows" in told.getvalue()
    with unguarded() as cursor:
        cursor.execute("UPDATE accounts_auditrow SET action = 'x' WHERE number = 2")
    with pytest.raises(CommandError, match="not whole"):
        call_command("verify_audit", stdout=told)
    assert "row 2 (id" in told.getvalue()


def test_a_days_head_is_written_once_and_cannot_be_read_by_others(book: Desk, owner: User) -> None:
    path = export_heads()
    first = path.read_text()
    record(owner, "desk.renamed", book, desk=book, name="later")
    assert export_heads() == path
    assert path.read_text() == first
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.django_db(transaction=True)
def test_writers_at_the_same_moment_do_not_fork_the_chain(
    owner: User, desk: Desk, settings: Settings, tmp_path: Path
) -> None:
    settings.DATA_DIR = tmp_path
    begin = threading.Barrier(8)
    trouble: list[Exception] = []

    def write(worker: int) -> None:
        begin.wait()
        try:
            for turn in range(10):
                record(owner, "desk.renamed", desk, desk=desk, name=f"{worker}.{turn}")
        except Exception as problem:  # noqa: BLE001 - told below
            trouble.append(problem)
        finally:
            connection.close()

    together(write, 8)
    assert trouble == []
    assert [row.number for row in AuditRow.objects.order_by("number")] == list(range(1, 81))
    assert found() == []


def together(work: Callable[[int], None], count: int) -> None:
    threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_a_cell_that_a_spreadsheet_would_reckon_with_is_made_harmless(owner: User, desk: Desk) -> None:
    record(owner, "=HYPERLINK(1)", None, desk=desk, note="x")
    record(owner, "plain", None, desk=desk, note="é, “q”")
    lines = list(csv.reader(io.StringIO("".join(csv_lines(AuditRow.objects.order_by("pk"))))))
    assert lines[1][3] == "'=HYPERLINK(1)"
    assert lines[2][1].endswith("+00:00")
    assert lines[2][5] == '{"note": "é, “q”"}'


def test_managers_export_the_book_and_nobody_else(client: Client, owner: User, trader: User, book: Desk) -> None:
    client.force_login(trader)
    assert client.get("/activity/export.csv").status_code == 403
    client.force_login(owner)
    answer = client.get("/activity/export.csv")
    text = b"".join(answer.streaming_content).decode()
    assert answer["Content-Type"].startswith("text/csv")
    assert text.count("desk.renamed") == 9
    assert AuditRow.objects.filter(action="audit.exported").count() == 1
