"""What the templates in `templates/drawn` may call. Jinja draws what stands on every page or has many rows."""

from __future__ import annotations

from functools import cache
from typing import Any
from uuid import UUID

from django.templatetags.static import static
from django.urls import reverse
from jinja2 import Environment, StrictUndefined

from trading.templatetags import access, written

PLACE = str(UUID(int=0))  # a uuid, and a slug as well


def environment(**options: Any) -> Environment:
    """Loud about names that are not there; escaping is on, as everywhere."""
    given = {**options, "undefined": StrictUndefined}
    given.pop("autoescape", None)
    made = Environment(**given, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    made.filters |= written.register.filters | access.register.filters
    made.globals |= {"address": address, "static": static}
    return made


def address(name: str, about: object = None, *more: str) -> str:
    """The address of a page, or of the one thing a page is about. Worked out once for each name."""
    if about is None:
        return _address(name)
    return _address_of(name, more).replace(PLACE, str(about))


@cache
def _address(name: str) -> str:
    return reverse(name)


@cache
def _address_of(name: str, more: tuple[str, ...]) -> str:
    return reverse(name, args=[PLACE, *more])
