"""Pages that cost the same at any depth: each begins where the last one ended, found by an index, never counted to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from django.db import models

from krakenfutures.numbers import EPOCH

M = TypeVar("M", bound=models.Model)
LONGEST = 40
MOST = 2**63 - 1


class BadCursor(ValueError):
    """Not one of ours: the link was cut or changed."""


@dataclass(frozen=True, slots=True)
class Page:
    rows: list[Any]
    older: str  # the cursor of the page that follows; empty when this is the last one


def page_by_time(rows: models.QuerySet[M], before: str, size: int) -> Page:
    """Newest first, by `at` and then by key. Raises `BadCursor`."""
    if before:
        at, pk = _place(before)
        rows = rows.filter(at__lte=at).exclude(at=at, pk__gte=pk)
    found = list(rows.order_by("-at", "-pk")[: size + 1])
    return _page(found, size, lambda row: f"{(row.at - EPOCH) // timedelta(microseconds=1)}-{row.pk}")


def page_by_number(rows: models.QuerySet[M], before: str, size: int) -> Page:
    """Newest first, by `number`. Raises `BadCursor`."""
    if before:
        rows = rows.filter(number__lt=_number(before))
    found = list(rows.order_by("-number")[: size + 1])
    return _page(found, size, lambda row: str(row.number))


def page_by_key(rows: models.QuerySet[M], after: str, size: int) -> Page:
    """Oldest first, by key. Raises `BadCursor`."""
    if after:
        rows = rows.filter(pk__gt=_number(after))
    found = list(rows.order_by("pk")[: size + 1])
    return _page(found, size, lambda row: str(row.pk))


def _page(found: list[Any], size: int, cursor: Any) -> Page:
    return Page(found[:size], cursor(found[size - 1]) if len(found) > size else "")


def _place(text: str) -> tuple[datetime, int]:
    moment, dash, pk = text.partition("-")
    if not dash:
        raise BadCursor(text)
    try:
        return (EPOCH + timedelta(microseconds=_number(moment))).astimezone(UTC), _number(pk)
    except OverflowError:
        raise BadCursor(text) from None


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= LONGEST) or int(text) > MOST:
        raise BadCursor(text)
    return int(text)
