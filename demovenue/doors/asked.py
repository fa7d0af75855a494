"""What a control call asks for, read field by field. Raises `NoSense`."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any


class NoSense(Exception):
    """The call is refused; `status` is HTTP's."""

    def __init__(self, message: str, *, status: int = 400, code: str = "invalid") -> None:
        super().__init__(message)
        self.status = status
        self.code = code


def word(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise NoSense(f"{name} is needed")
    return value


def optional(body: Mapping[str, Any], name: str) -> str | None:
    return None if body.get(name) is None else word(body, name)


def one_of(body: Mapping[str, Any], name: str, allowed: tuple[str, ...], default: str | None = None) -> str:
    value = body.get(name, default)
    if value not in allowed:
        raise NoSense(f"{name} is one of: {', '.join(allowed)}")
    return str(value)


def flag(body: Mapping[str, Any], name: str) -> bool | None:
    value = body.get(name)
    if value is not None and not isinstance(value, bool):
        raise NoSense(f"{name} is true or false")
    return value


def number(body: Mapping[str, Any], name: str) -> Decimal | None:
    """Numbers, and numbers in quotes."""
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str) or len(str(value)) > 40:
        raise NoSense(f"{name} is a number")
    try:
        number = Decimal(value)
    except InvalidOperation as error:
        raise NoSense(f"{name} is a number") from error
    if not number.is_finite():
        raise NoSense(f"{name} is a number")
    return number
