"""Just enough to write HTML safely: every text is escaped unless it is a `Markup`."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def escape(value: object) -> str:
    return value if isinstance(value, Markup) else html.escape(str(value))


def join(parts: Iterable[object]) -> Markup:
    return Markup("".join(escape(part) for part in parts))


def tag(element: str, /, *inside: object, **attributes: str | bool | None) -> Markup:
    """`tag("p", "a < b", class_="note")`. An attribute that is True stands alone, None or False is left out."""
    written = "".join(_attribute(key, value) for key, value in attributes.items())
    if element in ("input", "meta", "link"):
        return Markup(f"<{element}{written}>")
    return Markup(f"<{element}{written}>{join(inside)}</{element}>")


def _attribute(key: str, value: str | bool | None) -> str:
    name = key.rstrip("_").replace("_", "-")
    if value is None or value is False:
        return ""
    return f" {name}" if value is True else f' {name}="{html.escape(value)}"'


def table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[object]], empty: str) -> Markup:
    """A table that scrolls by itself on narrow screens. Heads that end in # are of numbers."""
    body = [tag("tr", *_cells(heads, row)) for row in rows]
    if not body:
        return tag("p", empty, class_="empty")
    head = tag("tr", *(tag("th", head.rstrip("#"), scope="col", class_=_kind(head)) for head in heads))
    inside = (tag("caption", caption), tag("thead", head), tag("tbody", *body))
    return tag("div", tag("table", *inside), class_="scroll", tabindex="0", role="region", aria_label=caption)


def _cells(heads: Sequence[str], row: Sequence[object]) -> list[Markup]:
    return [tag("td", cell, class_=_kind(head)) for head, cell in zip(heads, row, strict=True)]


def _kind(head: str) -> str | None:
    return "number" if head.endswith("#") else None


def hidden(name: str, value: str) -> Markup:
    return tag("input", type="hidden", name=name, value=value)


def form(action: str, csrf: str, *inside: object, class_: str | None = None) -> Markup:
    return tag("form", hidden("csrf", csrf), *inside, method="post", action=action, class_=class_)


def button(words: str, **attributes: str | bool | None) -> Markup:
    return tag("button", words, type="submit", **attributes)


def field(label: str, name: str, **attributes: str | bool | None) -> Markup:
    return tag("label", tag("span", label), tag("input", id=name, name=name, **attributes))


def select(label: str, name: str, choices: Sequence[tuple[str, str]]) -> Markup:
    options = [tag("option", words, value=value) for value, words in choices]
    return tag("label", tag("span", label), tag("select", *options, name=name))


def radios(legend: str, name: str, choices: Sequence[tuple[str, str]], chosen: str) -> Markup:
    lines = [
        tag("label", tag("input", type="radio", name=name, value=value, checked=value == chosen), " ", words)
        for value, words in choices
    ]
    return tag("fieldset", tag("legend", legend), *lines)
