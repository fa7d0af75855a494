"""What a request asks for, read from its query and its form alike, as Kraken accepts either.

Raises `Answer`s, so that a handler reads as a list of what it needs.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import unquote_plus

from demovenue.doors.answers import invalid_argument, refusal

MAX_FIELDS = 2000
MAX_DIGITS = 40
_RAW = ("{", "[")
_SEVENTY_YEARS = 4_102_444_800_000


class Params:
    """Named texts, repeated ones kept in order. Names are as the client wrote them."""

    def __init__(self, fields: dict[str, list[str]]) -> None:
        self._fields = fields

    @classmethod
    def read(cls, query: str, body: bytes) -> Params:
        """The query, then the form. Raises Kraken's `Json Parse Error`-free refusal for bytes that are no text."""
        fields: dict[str, list[str]] = {}
        try:
            form = body.decode()
        except UnicodeDecodeError as error:
            raise refusal("invalidArgument") from error
        for part in (query, form):
            if part:
                for name, value in _pairs(part):
                    fields.setdefault(name, []).append(value)
        return cls(fields)

    def get(self, name: str) -> str | None:
        """The last value given, None when it is missing or empty."""
        values = self._fields.get(name)
        return (values[-1] or None) if values else None

    def all(self, name: str) -> list[str]:
        """Every value of a repeated name, also written as one text with commas."""
        return [part for value in self._fields.get(name, []) for part in value.split(",") if part]

    def required(self, name: str) -> str:
        value = self.get(name)
        if value is None:
            raise refusal("requiredArgumentMissing")
        return value

    def symbol(self, name: str = "symbol") -> str | None:
        value = self.get(name)
        return value.upper() if value else None

    def word(self, name: str, allowed: Collection[str]) -> str | None:
        """One of `allowed`, in whatever case it was written."""
        value = self.get(name)
        if value is None or value in allowed:
            return value
        for word in allowed:
            if word.lower() == value.lower():
                return word
        raise invalid_argument(name)

    def flag(self, name: str) -> bool | None:
        value = self.get(name)
        if value is None:
            return None
        if value.lower() not in ("true", "false"):
            raise invalid_argument(name)
        return value.lower() == "true"

    def number(self, name: str) -> Decimal | None:
        value = self.get(name)
        if value is None:
            return None
        return parse_decimal(value, name)

    def whole(self, name: str, *, least: int = 0, most: int = 2**53) -> int | None:
        value = self.get(name)
        if value is None:
            return None
        digits = value.removeprefix("-")
        if len(digits) > 20 or not (digits.isascii() and digits.isdigit()):
            raise invalid_argument(name)
        number = int(value)
        if not least <= number <= most:
            raise invalid_argument(name)
        return number

    def moment(self, name: str) -> datetime | None:
        value = self.get(name)
        return None if value is None else parse_moment(value, name)

    def epoch_millis(self, name: str) -> datetime | None:
        value = self.whole(name, most=_SEVENTY_YEARS)
        return None if value is None else datetime.fromtimestamp(value / 1000, UTC)


def parse_decimal(value: str, name: str) -> Decimal:
    """A finite number of a sane length; anything else is refused in Kraken's words."""
    if len(value) > MAX_DIGITS:
        raise invalid_argument(name)
    try:
        number = Decimal(value.strip())
    except InvalidOperation as error:
        raise invalid_argument(name) from error
    if not number.is_finite() or abs(number.adjusted()) > MAX_DIGITS:
        raise invalid_argument(name)
    return number


def parse_moment(value: str, name: str) -> datetime:
    """ISO 8601, milliseconds optional, UTC when it names no zone; a space stands for the + it was."""
    try:
        moment = datetime.fromisoformat(value.strip().replace(" ", "+"))
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise invalid_argument(name) from error


def parse_json(value: str) -> Any:
    """JSON with decimals. Raises `Json Parse Error`."""
    try:
        return json.loads(value, parse_float=Decimal, parse_constant=_no_constants)
    except (ValueError, RecursionError) as error:
        raise refusal("Json Parse Error") from error


def _no_constants(word: str) -> Any:
    raise ValueError(word)


def _pairs(form: str) -> list[tuple[str, str]]:
    """`name=value` pairs. A value that starts as raw JSON (ccxt's batches) was never encoded: it stays as it is."""
    if form.count("&") > MAX_FIELDS:
        raise refusal("invalidArgument")
    if form.startswith("json={"):
        return _raw_json(form)
    pairs = []
    for piece in form.split("&"):
        name, mark, value = piece.partition("=")
        if piece and mark:
            pairs.append((_unquote(name), value if value.startswith(_RAW) else _unquote(value)))
    return pairs


def _raw_json(form: str) -> list[tuple[str, str]]:
    """`json={…}` as text, which may itself hold & and =; siblings may follow it."""
    start = len("json=")
    try:
        _, length = json.JSONDecoder().raw_decode(form[start:])
    except (ValueError, RecursionError):
        return [("json", form[start:])]
    rest = form[start + length :]
    return [("json", form[start : start + length]), *(_pairs(rest[1:]) if rest.startswith("&") else [])]


def _unquote(value: str) -> str:
    if "%" not in value and "+" not in value:
        return value
    try:
        return unquote_plus(value, errors="strict")
    except UnicodeDecodeError as error:
        raise refusal("invalidArgument") from error
