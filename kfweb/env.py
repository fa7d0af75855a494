"""Reading the environment: typed, once, and loud about what is wrong."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

YES, NO = {"1", "true", "yes", "on"}, {"0", "false", "no", "off", ""}


def env(name: str, default: str) -> str:
    return os.environ.get(name, "").strip() or default


def env_list(name: str, default: str = "") -> list[str]:
    return [part.strip() for part in env(name, default).split(",") if part.strip()]


def env_int(name: str, default: int) -> int:
    text = env(name, str(default))
    try:
        return int(text)
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a whole number, not {text!r}.") from None


def env_bool(name: str, default: bool) -> bool:
    text = os.environ.get(name, "yes" if default else "no").strip().lower()
    if text not in YES | NO:
        raise ImproperlyConfigured(f"{name} must be yes or no, not {text!r}.")
    return text in YES


def kept_secret(path: Path) -> str:
    """The secret in `path`, made at the first call (mode 0600). Two first calls at once agree on one value."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    if not path.exists():
        with os.fdopen(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(48))
        try:
            os.link(draft, path)  # fails when somebody else was first, and theirs stays
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()
