"""What the templates in `templates/drawn` may call. Jinja draws what stands on every page or has many rows."""

from __future__ import annotations

from functools import cache
from typing import Any
from uuid import UUID

from django.templatetags.static import static
from django.urls import reverse
from jinja2 import Environment, StrictUndefined, nodes
from jinja2.compiler import CodeGenerator, Frame

from trading.templatetags import access, written

PLACE = str(UUID(int=0))  # a uuid, and a slug as well
# Filters whose words are our own (digits, signs, spaces, a class): a third of what a page writes.
FIGURES = frozenset(
    {
        "fixed",
        "signed",
        "free",
        "average",
        "amount",
        "signed_amount",
        "lined_up",
        "percent",
        "signed_percent",
        "result",
    }
)


class Generator(CodeGenerator):
    """Writes figures as they are; everything else is escaped."""

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: CodeGenerator._FinalizeInfo) -> None:
        if isinstance(node, nodes.Filter) and node.name in FIGURES:
            self.write("str(")
        else:
            super()._output_child_pre(node, frame, finalize)


class Drawing(Environment):
    code_generator_class = Generator


def environment(**options: Any) -> Drawing:
    """Loud about names that are not there; escaping is on, as everywhere."""
    given = {**options, "undefined": StrictUndefined}
    given.pop("autoescape", None)
    made = Drawing(**given, autoescape=True, trim_blocks=True, lstrip_blocks=True)
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
