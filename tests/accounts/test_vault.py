"""Keys go in, and come out only where they were put, under the key they were put with."""

from __future__ import annotations

import base64
import secrets
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from pytest_django import Settings

from accounts import vault
from accounts.actions.rotation import rotate_vault
from accounts.master_keys import VaultError, create_master_key_file, master_keys, parse_master_key
from accounts.models import Account, ApiKey, AuditRow, Desk, User, VaultCanary
from krakenfutures.venue import Credentials

PAIR = Credentials(
    base64.b64encode(secrets.token_bytes(42)).decode(), base64.b64encode(secrets.token_bytes(64)).decode()
)


def fresh_key(name: str = "") -> str:
    text = base64.b64encode(secrets.token_bytes(32)).decode()
    return f"{name}:{text}" if name else text


def stored(desk: Desk, owner: User, uid: str, pair: Credentials) -> ApiKey:
    account = Account.objects.create(desk=desk, label=uid, environment="demo", venue_uid=uid)
    api_key = ApiKey.objects.create(
        account=account, label=uid, hint=pair.key[-4:], fingerprint=vault.fingerprint(pair.key), added_by=owner
    )
    vault.seal(api_key, pair)
    api_key.save()
    return ApiKey.objects.get(pk=api_key.pk)


@pytest.fixture
def prepared(db: None) -> None:
    vault.prepare()


@pytest.fixture
def api_key(prepared: None, desk: Desk, owner: User) -> ApiKey:
    return stored(desk, owner, "one", PAIR)


@pytest.fixture
def key_file(settings: Settings, tmp_path: Path) -> Path:
    settings.MASTER_KEYS = []
    settings.MASTER_KEY_FILE = tmp_path / "deep" / "master.key"
    return settings.MASTER_KEY_FILE


def test_a_sealed_pair_opens_again(api_key: ApiKey) -> None:
    assert vault.unseal(api_key) == PAIR


def test_the_secret_does_not_print(api_key: ApiKey) -> None:
    assert PAIR.secret not in repr(vault.unseal(api_key)) + repr(master_keys())


def test_ciphertext_copied_onto_another_row_fails_loudly(api_key: ApiKey, desk: Desk, owner: User) -> None:
    other = stored(desk, owner, "two", Credentials(PAIR.key[::-1], PAIR.secret))
    ApiKey.objects.filter(pk=other.pk).update(
        sealed=api_key.sealed, wrapped_key=api_key.wrapped_key, master_key_id=api_key.master_key_id
    )
    other.refresh_from_db()
    with pytest.raises(VaultError, match="cannot open"):
        vault.unseal(other)


def test_a_row_moved_to_another_account_does_not_open(api_key: ApiKey, desk: Desk) -> None:
    api_key.account = Account.objects.create(desk=desk, label="two", environment="demo", venue_uid="two")
    with pytest.raises(VaultError, match="cannot open"):
        vault.unseal(api_key)


def test_changed_ciphertext_does_not_open(api_key: ApiKey) -> None:
    api_key.sealed = bytes(api_key.sealed)[:-1] + bytes([bytes(api_key.sealed)[-1] ^ 1])
    with pytest.raises(VaultError, match="changed"):
        vault.unseal(api_key)


def test_a_row_without_its_id_cannot_be_sealed(prepared: None) -> None:
    with pytest.raises(VaultError, match="id"):
        vault.seal(ApiKey(account_id=1), PAIR)


def test_the_dump_holds_neither_half_in_any_encoding(api_key: ApiKey) -> None:
    with connection.cursor() as cursor:
        dump = b""
        for table in connection.introspection.table_names():
            cursor.execute(f'SELECT * FROM "{table}"')
            dump += b"\n".join(_bytes(value) for row in cursor.fetchall() for value in row)
    for half in (PAIR.key, PAIR.secret):
        raw = base64.b64decode(half)
        for shape in (
            half.encode(),
            raw,
            raw.hex().encode(),
            base64.urlsafe_b64encode(raw),
            base64.b64encode(half.encode()),
        ):
            assert shape[:24] not in dump
            assert shape[:24] not in dump.lower()


def _bytes(value: Any) -> bytes:
    return bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()


def test_the_fingerprint_is_keyed_and_survives_a_rotation(api_key: ApiKey, settings: Settings) -> None:
    before = vault.fingerprint(PAIR.key)
    settings.MASTER_KEYS = [fresh_key("new"), *settings.MASTER_KEYS]
    rotate_vault()
    assert vault.fingerprint(PAIR.key) == before
    VaultCanary.objects.all().delete()
    ApiKey.objects.all().delete()
    vault.prepare()
    assert vault.fingerprint(PAIR.key) != before


def test_a_wrong_master_key_of_the_same_name_is_refused_at_start(api_key: ApiKey, settings: Settings) -> None:
    settings.MASTER_KEYS = [fresh_key("test")]
    with pytest.raises(VaultError, match="not the one it was sealed under"):
        vault.prepare()


def test_an_unknown_master_key_is_refused_at_start_and_named(api_key: ApiKey, settings: Settings) -> None:
    settings.MASTER_KEYS = [fresh_key("other")]
    with pytest.raises(VaultError, match=r"“test” is missing.*“other”.*Put it back"):
        vault.prepare()


def test_a_missing_master_key_is_refused_once_something_is_sealed(prepared: None, key_file: Path) -> None:
    with pytest.raises(VaultError, match="missing"):
        vault.prepare()
    assert not key_file.exists()


def test_a_canary_that_is_gone_while_keys_are_stored_is_refused(api_key: ApiKey) -> None:
    VaultCanary.objects.all().delete()
    with pytest.raises(VaultError, match="canary"):
        vault.prepare()


def test_the_very_first_start_makes_the_key_file(db: None, key_file: Path) -> None:
    assert vault.prepare() == key_file
    assert key_file.stat().st_mode & 0o777 == 0o600
    text = key_file.read_text()
    assert vault.prepare() is None
    assert key_file.read_text() == text


def test_a_key_file_that_others_can_read_is_refused(db: None, key_file: Path) -> None:
    vault.prepare()
    key_file.chmod(0o640)
    with pytest.raises(VaultError, match="chmod 600"):
        vault.prepare()


def test_a_key_file_is_never_overwritten(key_file: Path) -> None:
    create_master_key_file()
    with pytest.raises(VaultError, match="already"):
        create_master_key_file()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "32 bytes"),
        ("not base64!", "base64"),
        (base64.b64encode(b"short").decode(), "32 bytes"),
        (base64.b64encode(bytes(32)).decode(), "random"),
        (f"na me:{base64.b64encode(bytes(range(32))).decode()}", "name"),
    ],
)
def test_a_bad_master_key_is_refused_without_repeating_it(text: str, why: str) -> None:
    with pytest.raises(VaultError, match=why) as caught:
        parse_master_key(text)
    assert not text or text not in str(caught.value)


def test_a_master_key_without_a_name_gets_the_same_one_every_time() -> None:
    text = fresh_key()
    assert parse_master_key(text) == parse_master_key(text)
    assert parse_master_key(f"mine:{text}").id == "mine"


def test_rotation_wraps_everything_anew_and_can_be_repeated(
    api_key: ApiKey, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new = settings.MASTER_KEYS[0], fresh_key("new")
    settings.MASTER_KEYS = [new, old]
    call_command("rotate_vault")
    call_command("rotate_vault")
    assert "2 wrapped now, 0 before" in (said := capsys.readouterr().out)
    assert "0 wrapped now, 2 before" in said
    settings.MASTER_KEYS = [new]
    assert vault.unseal(ApiKey.objects.get()) == PAIR
    assert AuditRow.objects.filter(action="vault.rewrapped").count() == 2


def test_rotation_stopped_half_way_goes_on_where_it_was(
    api_key: ApiKey, desk: Desk, owner: User, settings: Settings
) -> None:
    second = stored(desk, owner, "two", Credentials(PAIR.key[::-1], PAIR.secret))
    settings.MASTER_KEYS = [fresh_key("new"), *settings.MASTER_KEYS]
    whole = bytes(second.wrapped_key)
    ApiKey.objects.filter(pk=second.pk).update(wrapped_key=b"broken" * 10)
    with pytest.raises(CommandError, match=f"row {second.pk}"):
        call_command("rotate_vault")
    assert vault.unseal(ApiKey.objects.get(pk=api_key.pk)) == PAIR
    ApiKey.objects.filter(pk=second.pk).update(wrapped_key=whole)
    assert rotate_vault().wrapped_now == 1


def test_a_new_key_in_the_file_is_used_and_the_old_one_forgotten(
    db: None, key_file: Path, desk: Desk, owner: User
) -> None:
    vault.prepare()
    api_key = stored(desk, owner, "one", PAIR)
    call_command("rotate_vault", "--new-key", "--forget-old")
    assert len(master_keys()) == 1
    assert vault.unseal(ApiKey.objects.get(pk=api_key.pk)) == PAIR


def test_a_new_key_is_not_drawn_when_the_keys_come_from_the_environment(prepared: None) -> None:
    with pytest.raises(CommandError, match="KFWEB_MASTER_KEYS"):
        call_command("rotate_vault", "--new-key")
