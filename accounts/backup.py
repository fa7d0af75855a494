"""A backup that can be restored: the database as one consistent copy, the exported heads, and which keys it needs.

The master key is never in it: whoever finds a backup finds ciphertext. Keep the key elsewhere, and keep it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from psycopg import pq
from psycopg.conninfo import make_conninfo

from accounts import vault
from accounts.master_keys import master_keys
from accounts.models import ApiKey, VaultCanary, Webhook

FORMAT = 1
SQLITE_FILE, DUMP_FILE, HEADS, MANIFEST = "database.sqlite3", "database.dump", "audit-heads", "manifest.json"


class BackupError(Exception):
    """The backup cannot be made or brought back. The sentence is for the operator."""


@dataclass(frozen=True, slots=True)
class Restored:
    made_at: str
    master_keys: list[str]


def make_backup(target: Path) -> Path:
    """Write `target` (a .tar, mode 0600) while the desk is running. Raises `BackupError`; never overwrites."""
    if target.exists():
        raise BackupError(f"{target} is there already.")
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".backup-") as name:
        folder = Path(name)
        database = _copy_database(folder)
        heads = Path(settings.DATA_DIR) / HEADS
        if heads.exists():
            shutil.copytree(heads, folder / HEADS)
        (folder / MANIFEST).write_text(json.dumps(_manifest(database), indent=1) + "\n")
        draft = folder / "whole.tar"
        with tarfile.open(draft, "w") as tar:
            for part in sorted(folder.iterdir()):
                if part != draft:
                    tar.add(part, part.name)
        draft.chmod(0o600)
        os.link(draft, target)  # complete, or not there
    return target


def restore_backup(source: Path) -> Restored:
    """Put a backup in the place of an empty installation's database. Nothing of the desk may be running.

    Raises `BackupError`, before anything is changed, when the copy is not whole, the code is older than it, a master
    key it needs is missing, or a database with people in it would be overwritten.
    """
    with tempfile.TemporaryDirectory(dir=source.parent, prefix=".restore-") as name:
        folder = Path(name)
        try:
            with tarfile.open(source) as tar:
                tar.extractall(folder, filter="data")
            manifest = json.loads((folder / MANIFEST).read_text())
        except (tarfile.TarError, OSError, ValueError) as problem:
            raise BackupError(f"{source} is not a backup of ours: {problem}") from None
        _check(manifest, folder)
        _bring_back(folder / manifest["database"])
        if (folder / HEADS).exists():
            shutil.copytree(folder / HEADS, Path(settings.DATA_DIR) / HEADS, dirs_exist_ok=True)
    return Restored(manifest["made_at"], manifest["master_keys"])


def _copy_database(folder: Path) -> Path:
    if connection.vendor == "sqlite":
        path = folder / SQLITE_FILE
        with sqlite3.connect(settings.DATABASES["default"]["NAME"]) as source, sqlite3.connect(path) as target:
            source.backup(target)
        return path
    path = folder / DUMP_FILE
    _run(["pg_dump", "--format=custom", "--no-owner", f"--file={path}", _address()])
    return path


def _bring_back(copy: Path) -> None:
    connection.close()
    if connection.vendor == "sqlite":
        place = Path(settings.DATABASES["default"]["NAME"])
        for leftover in (Path(f"{place}-wal"), Path(f"{place}-shm")):
            leftover.unlink(missing_ok=True)
        draft = place.with_name(f".{place.name}.restored")
        shutil.copyfile(copy, draft)
        draft.chmod(0o600)
        draft.replace(place)
        return
    _run(["pg_restore", "--clean", "--if-exists", "--no-owner", f"--dbname={_address()}", str(copy)])


def _manifest(database: Path) -> dict[str, Any]:
    used = {*ApiKey.objects.stored().values_list("master_key_id", flat=True)}
    used |= {vault.master_key_of(text) for text in Webhook.objects.values_list("sealed", flat=True)}
    used |= {*VaultCanary.objects.values_list("master_key_id", flat=True)}
    return {
        "format": FORMAT,
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "database": database.name,
        "sha256": _digest(database),
        "master_keys": sorted(used - {""}),
        "migrations": sorted(".".join(one) for one in MigrationRecorder(connection).applied_migrations()),
    }


def _check(manifest: dict[str, Any], folder: Path) -> None:
    expected = SQLITE_FILE if connection.vendor == "sqlite" else DUMP_FILE
    if manifest.get("format") != FORMAT or manifest.get("database") != expected:
        raise BackupError("This backup is of another kind of database, or of a newer kfweb.")
    if _digest(folder / expected) != manifest["sha256"]:
        raise BackupError("The backup is damaged: its database is not the one that was written.")
    if missing := set(manifest["master_keys"]) - {key.id for key in master_keys()}:
        raise BackupError(
            f"The master key “{', '.join(sorted(missing))}” is missing. Put it back first: the stored keys would stay "
            "shut without it."
        )
    if newer := set(manifest["migrations"]) - _known_migrations():
        raise BackupError(f"The backup is of a newer kfweb (it knows {min(newer)}). Update first.")
    if _anybody_there():
        raise BackupError("There are people in this database. Restore into an empty installation.")


def _known_migrations() -> set[str]:
    from django.db.migrations.loader import MigrationLoader

    return {".".join(one) for one in MigrationLoader(None, ignore_no_migrations=True).disk_migrations}


def _anybody_there() -> bool:
    tables = connection.introspection.table_names()
    if "accounts_user" not in tables:
        return False
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM accounts_user")
        return bool(cursor.fetchone()[0])


def _address() -> str:
    """Everything the desk itself connects with, but the password, which would show in the list of processes."""
    words = {one.keyword.decode() for one in pq.Conninfo.get_defaults()} - {"password"}
    given = connection.get_connection_params()
    return make_conninfo(**{word: value for word, value in given.items() if word in words})


def _run(command: list[str]) -> None:
    password = settings.DATABASES["default"].get("PASSWORD")
    given = {"PGPASSWORD": password} if password else {}
    try:
        subprocess.run(command, check=True, capture_output=True, env={**os.environ, **given})
    except FileNotFoundError:
        raise BackupError(f"{command[0]} is not installed here; PostgreSQL brings it.") from None
    except subprocess.CalledProcessError as problem:
        raise BackupError(f"{command[0]} failed: {problem.stderr.decode(errors='replace')[-300:]}") from None


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
