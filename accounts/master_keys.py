"""The master keys: where they lie, how they are named, and why one is refused. They never enter the database."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import re
import secrets
import stat
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings

SIZE = 32  # AES-256
NAME = re.compile(r"[A-Za-z0-9._-]{1,32}")


class VaultError(Exception):
    """The vault cannot do what was asked. The sentence is for the operator and holds no secret."""


@dataclass(frozen=True, slots=True)
class MasterKey:
    id: str
    material: bytes = field(repr=False)


def parse_master_key(text: str) -> MasterKey:
    """`ID:BASE64` or plain base64 (then the id is derived). Refuses a wrong length and a key nobody drew at random."""
    name, _, encoded = text.strip().rpartition(":")
    standard = encoded.replace("-", "+").replace("_", "/")  # both alphabets are in use
    try:
        material = base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise VaultError("A master key must be base64 text, its name and a colon before it if it has one.") from None
    if len(material) != SIZE:
        raise VaultError(f"A master key must be {SIZE} bytes in base64; this one holds {len(material)}.")
    if len(set(material)) < SIZE // 4:
        raise VaultError("This master key was not drawn at random. Make one with: openssl rand -base64 32")
    if name and not NAME.fullmatch(name):
        raise VaultError("The name of a master key is 1 to 32 letters, digits, dots, dashes or underscores.")
    return MasterKey(name or _derived_id(material), material)


def master_keys() -> tuple[MasterKey, ...]:
    """Every known master key, the newest first: it seals, the others only open. Raises `VaultError`."""
    if settings.MASTER_KEYS:
        return _parsed(tuple(settings.MASTER_KEYS), "KFWEB_MASTER_KEYS")
    return _from_file(settings.MASTER_KEY_FILE)


def are_kept_in_file() -> bool:
    return not settings.MASTER_KEYS


def create_master_key_file() -> Path:
    """Draw a first master key and write it to KFWEB_MASTER_KEY_FILE, mode 0600. Never overwrites one."""
    path: Path = settings.MASTER_KEY_FILE
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = _draft(path, [_line(_drawn())])
    try:
        os.link(draft, path)  # fails when somebody else was first, and theirs stays
    except FileExistsError:
        raise VaultError(f"The master key file {path} is there already.") from None
    finally:
        draft.unlink()
    return path


def add_master_key() -> MasterKey:
    """Put a new key in front of those in the file; running processes read it at their next use."""
    known = master_keys()
    fresh = _drawn()
    _draft(settings.MASTER_KEY_FILE, [_line(key) for key in (fresh, *known)]).replace(settings.MASTER_KEY_FILE)
    return fresh


def keep_only(keep: MasterKey) -> None:
    """Drop every other key from the file. Whoever calls this has proven that nothing is sealed under them."""
    _draft(settings.MASTER_KEY_FILE, [_line(keep)]).replace(settings.MASTER_KEY_FILE)


_read: dict[tuple[str, int, int, int], tuple[MasterKey, ...]] = {}


def _from_file(path: Path) -> tuple[MasterKey, ...]:
    try:
        found = path.stat()
    except FileNotFoundError:
        raise VaultError(
            f"The master key is missing: there is no file {path}, and KFWEB_MASTER_KEYS is not set. "
            "Restore it; a new one could not open what is stored."
        ) from None
    if found.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise VaultError(f"The master key file {path} can be read by others. Run: chmod 600 {path}")
    version = (str(path), found.st_ino, found.st_mtime_ns, found.st_size)
    if version not in _read:
        lines = tuple(line.strip() for line in path.read_text().splitlines() if line.strip())
        keys = _parsed(lines, f"the master key file {path}")
        _read.clear()
        _read[version] = keys
    return _read[version]


def _parsed(texts: tuple[str, ...], source: str) -> tuple[MasterKey, ...]:
    if not texts:
        raise VaultError(f"There is no master key in {source}.")
    try:
        keys = tuple(parse_master_key(text) for text in texts)
    except VaultError as error:
        raise VaultError(f"{error} (in {source})") from None
    if len({key.id for key in keys}) != len(keys):
        raise VaultError(f"Two master keys in {source} have the same name.")
    return keys


def _derived_id(material: bytes) -> str:
    return hashlib.sha256(b"kfweb master key name" + material).hexdigest()[:8]


def _drawn() -> MasterKey:
    material = secrets.token_bytes(SIZE)
    return MasterKey(_derived_id(material), material)


def _line(key: MasterKey) -> str:
    return f"{key.id}:{base64.b64encode(key.material).decode()}"


def _draft(path: Path, lines: list[str]) -> Path:
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        file.write("\n".join(lines) + "\n")
        file.flush()
        os.fsync(file.fileno())
    return draft
