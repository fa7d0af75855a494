"""Lists in pieces: `{"items", "next"}`. A cursor is where a piece ended: what comes in meanwhile shifts nothing."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db import models
from django.db.models import Q
from ninja import Field, Schema

from trading.api.problems import Refusal

Row = TypeVar("Row", bound=models.Model)
Thing = TypeVar("Thing")
Item = TypeVar("Item")
USUAL, MOST = 100, 500
LONGEST = 300  # characters of a cursor
SAY = "This is no cursor of this list. Begin again without one."


class Piece(Schema, Generic[Item]):
    """`next` goes into `cursor` to go on; null at the end."""

    items: list[Item]
    next: str | None


class Wanted(Schema):
    """Where to begin and how much."""

    cursor: str | None = Field(None, max_length=LONGEST, description="`next` of the piece before")
    limit: int = Field(USUAL, ge=1, le=MOST, description=f"at most {MOST}; {USUAL} unless you say so")


def newest_first(
    rows: models.QuerySet[Row], wanted: Wanted, tell: Callable[[Row], Any], *, by: tuple[str, type] | None = None
) -> dict[str, Any]:
    """The rows in the order of a column (`by`: its name and the type of its values), the newest first, then by key."""
    columns = [by, ("pk", _kind(rows))] if by else [("pk", _kind(rows))]
    rows = rows.order_by(*(f"-{name}" for name, _ in columns))
    if wanted.cursor is not None:
        rows = rows.filter(
            _beyond([name for name, _ in columns], _opened(wanted.cursor, [kind for _, kind in columns]))
        )
    found = list(rows[: wanted.limit + 1])
    last = found[wanted.limit - 1] if len(found) > wanted.limit else None
    ended = _sealed([getattr(last, name) for name, _ in columns]) if last else None
    return {"items": [tell(row) for row in found[: wanted.limit]], "next": ended}


def in_order(
    things: Sequence[Thing], wanted: Wanted, tell: Callable[[Thing], Any], *, key: Callable[[Thing], tuple[int, str]]
) -> dict[str, Any]:
    """Of a list that is short and at hand, sorted by a number and a text."""
    things = sorted(things, key=key)
    if wanted.cursor is not None:
        number, text = _opened(wanted.cursor, [int, str])
        things = [thing for thing in things if key(thing) > (number, text)]
    found = things[: wanted.limit]
    return {
        "items": [tell(one) for one in found],
        "next": _sealed(key(found[-1])) if len(things) > len(found) else None,
    }


def _kind(rows: models.QuerySet[Any]) -> type:
    return UUID if isinstance(rows.model._meta.pk, models.UUIDField) else int


def _beyond(names: Sequence[str], values: Sequence[Any]) -> Q:
    """What comes after these values, all columns falling."""
    after, same = Q(), Q()
    for name, value in zip(names, values, strict=True):
        after |= same & Q(**{f"{name}__lt": value})
        same &= Q(**{name: value})
    return after


def _sealed(values: Sequence[Any]) -> str:
    texts = [value.isoformat() if isinstance(value, datetime) else str(value) for value in values]
    return base64.urlsafe_b64encode(json.dumps(texts).encode()).decode().rstrip("=")


def _opened(cursor: str, kinds: Sequence[type]) -> list[Any]:
    """Raises `Refusal` for whatever did not come from here."""
    try:
        texts = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            raise ValueError(SAY)
        return [_read(text, kind) for text, kind in zip(texts, kinds, strict=True)]
    except (binascii.Error, ValueError, RecursionError):
        raise Refusal(422, "invalid", SAY, field="cursor") from None


def _read(text: str, kind: type) -> Any:
    if kind is datetime:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise ValueError(SAY)
        return moment
    if kind is int and not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise ValueError(SAY)
    return kind(text)
