"""The vault: the one place where key pairs are sealed and opened.

A random data key per credential (AES-256-GCM), wrapped by the newest master key. Associated data binds table, row,
owner and purpose, so ciphertext copied onto another row does not open. docs/topics/vault.md draws the picture.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from dataclasses import dataclass
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.db import IntegrityError, transaction

from accounts.master_keys import (
    MasterKey,
    VaultError,
    are_kept_in_file,
    create_master_key_file,
    master_keys,
)
from accounts.models import ApiKey, VaultCanary
from krakenfutures.venue import Credentials

__all__ = [
    "VaultError",
    "check_canary",
    "create_master_key_file",
    "fingerprint",
    "mark",
    "master_key_of",
    "master_keys",
    "open_text",
    "prepare",
    "rewrap",
    "rewrap_text",
    "seal",
    "seal_text",
    "unseal",
]

NONCE = 12
VERSION = "kfweb/1"
CANARY_PLACE = f"{VERSION}|accounts_vaultcanary|1|kfweb|fingerprints"


@dataclass(frozen=True, slots=True)
class Sealed:
    """What may be stored: ciphertext, the data key under a master key, and that master key's name."""

    sealed: bytes
    wrapped_key: bytes
    master_key_id: str


def seal(api_key: ApiKey, credentials: Credentials) -> None:
    """Fill the row's ciphertext; the caller saves it. The row must have its id already: it is part of the binding."""
    box = _seal(msgspec.json.encode([credentials.key, credentials.secret]), _place(api_key))
    api_key.sealed, api_key.wrapped_key, api_key.master_key_id = box.sealed, box.wrapped_key, box.master_key_id


def unseal(api_key: ApiKey) -> Credentials:
    """The key pair, for the call that needs it. Raises `VaultError` when the row is not what was sealed."""
    if not api_key.sealed:
        raise VaultError(f"Key {api_key.pk} holds no ciphertext: it was retired.")
    box = Sealed(bytes(api_key.sealed), bytes(api_key.wrapped_key), api_key.master_key_id)
    key, secret = msgspec.json.decode(_open(box, _place(api_key)), type=tuple[str, str])
    return Credentials(key, secret)


def seal_text(text: str, place: str) -> str:
    """The same for a text that lives in a column of its own, bound to `place`: "table|owner|purpose"."""
    return _written(_seal(text.encode(), f"{VERSION}|{place}"))


def open_text(written: str, place: str) -> str:
    """Raises `VaultError` for what was sealed elsewhere, or never."""
    return _open(_read(written), f"{VERSION}|{place}").decode()


def rewrap_text(written: str, place: str) -> str:
    """The same text under the newest master key; unchanged if it is there already."""
    box, newest, whole = _read(written), master_keys()[0], f"{VERSION}|{place}"
    if box.master_key_id == newest.id:
        return written
    data_key = _unwrap(box.wrapped_key, box.master_key_id, whole)
    return _written(Sealed(box.sealed, _wrap(data_key, newest, whole), newest.id))


def master_key_of(written: str) -> str:
    """The name of the master key that a sealed text needs. Raises `VaultError`."""
    return _read(written).master_key_id


def _written(box: Sealed) -> str:
    parts = (base64.b64encode(part).decode() for part in (box.wrapped_key, box.sealed))
    return ":".join((VERSION, box.master_key_id, *parts))


def _read(written: str) -> Sealed:
    version, _, rest = written.partition(":")
    try:
        master_key_id, wrapped, sealed = rest.split(":")
        if version == VERSION:
            return Sealed(base64.b64decode(sealed), base64.b64decode(wrapped), master_key_id)
    except ValueError:
        pass
    raise VaultError("This is not what the vault has written.")


def fingerprint(public_key: str) -> str:
    """A keyed hash of the public half: the same key is found again, and the database alone reveals nothing."""
    return hmac.digest(_canary(), public_key.strip().encode(), "sha256").hex()


def mark(purpose: str, content: bytes) -> str:
    """A keyed hash that the database alone can neither make nor check: what carries it was written by the desk."""
    return hmac.digest(_canary(), purpose.encode() + b"|" + content, "sha256").hex()


def prepare() -> Path | None:
    """At every start: prove the master key, or make one on the very first. Returns the file it made, if any.

    Raises `VaultError`: a missing or wrong master key must stop the start, before anything is sealed under another.
    """
    made = None
    if are_kept_in_file() and not settings.MASTER_KEY_FILE.exists() and not _anything_sealed():
        made = create_master_key_file()
    if not VaultCanary.objects.exists():
        _write_canary()
    check_canary()
    return made


def check_canary() -> None:
    """Raises `VaultError` unless the canary opens, which proves that the master key is the right one."""
    _canary()


def rewrap(row: ApiKey | VaultCanary) -> bool:
    """Wrap the row's data key under the newest master key, in place; the ciphertext stays. False if it already is.

    Compares before it sets, so that two runs, or a run and a retirement, do not undo each other.
    """
    newest = master_keys()[0]
    if row.master_key_id == newest.id or not row.sealed:
        return False
    place = CANARY_PLACE if isinstance(row, VaultCanary) else _place(row)
    data_key = _unwrap(bytes(row.wrapped_key), row.master_key_id, place)
    return bool(
        type(row)
        ._default_manager.filter(pk=row.pk, master_key_id=row.master_key_id)
        .update(wrapped_key=_wrap(data_key, newest, place), master_key_id=newest.id)
    )


def _place(api_key: ApiKey) -> str:
    if api_key.pk is None:
        raise VaultError("A key can be sealed only in a row that has its id.")
    return f"{VERSION}|accounts_apikey|{api_key.pk}|account:{api_key.account_id}|credentials"


def _seal(plain: bytes, place: str) -> Sealed:
    data_key, master = secrets.token_bytes(32), master_keys()[0]
    return Sealed(_encrypt(data_key, plain, place), _wrap(data_key, master, place), master.id)


def _open(box: Sealed, place: str) -> bytes:
    data_key = _unwrap(box.wrapped_key, box.master_key_id, place)
    return _decrypt(data_key, box.sealed, place, "its ciphertext was changed or belongs to another row")


def _wrap(data_key: bytes, master: MasterKey, place: str) -> bytes:
    return _encrypt(master.material, data_key, f"{place}|data key under {master.id}")


def _unwrap(wrapped: bytes, master_key_id: str, place: str) -> bytes:
    known = {key.id: key for key in master_keys()}
    master = known.get(master_key_id)
    if master is None:
        raise VaultError(
            f"The master key “{master_key_id}” is missing: something is sealed under it, and only "
            f"{', '.join(f'“{name}”' for name in known)} can be found. Put it back: no other opens what is stored."
        )
    return _decrypt(
        master.material,
        wrapped,
        f"{place}|data key under {master_key_id}",
        f"the master key “{master_key_id}” is not the one it was sealed under (put that back), or the row was changed",
    )


def _encrypt(key: bytes, plain: bytes, place: str) -> bytes:
    nonce = secrets.token_bytes(NONCE)
    return nonce + AESGCM(key).encrypt(nonce, plain, place.encode())


def _decrypt(key: bytes, box: bytes, place: str, why_not: str) -> bytes:
    try:
        return AESGCM(key).decrypt(box[:NONCE], box[NONCE:], place.encode())
    except (InvalidTag, ValueError):
        where = "|".join(place.split("|")[1:3]).replace("|", " row ")
        raise VaultError(f"The vault cannot open {where}: {why_not}.") from None


def _anything_sealed() -> bool:
    return VaultCanary.objects.exists() or ApiKey.objects.exclude(master_key_id="").exists()


def _write_canary() -> None:
    if ApiKey.objects.exclude(master_key_id="").exists():
        raise VaultError("Keys are stored but the canary row is gone: the database is not whole. Restore a backup.")
    box = _seal(secrets.token_bytes(32), CANARY_PLACE)
    try:
        with transaction.atomic():
            VaultCanary.objects.create(sealed=box.sealed, wrapped_key=box.wrapped_key, master_key_id=box.master_key_id)
    except IntegrityError:
        return  # another first start was faster, and its canary stands


def _canary() -> bytes:
    """The fingerprints' key."""
    row = VaultCanary.objects.first()
    if row is None:
        raise VaultError("The vault was never prepared: start the desk with “manage.py up” once.")
    return _open(Sealed(bytes(row.sealed), bytes(row.wrapped_key), row.master_key_id), CANARY_PLACE)
