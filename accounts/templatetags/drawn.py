"""Parts of a page that Jinja draws, from what the page knows. Load with `{% load drawn %}`."""

from __future__ import annotations

from typing import Any

from django import template
from django.template import engines
from django.template.context import Context
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag(takes_context=True)
def drawn(context: Context, name: str) -> SafeString:
    """`{% drawn "positions" %}` is `templates/drawn/positions.jinja`, which also draws the part when it is asked for
    again: `trading.views.parts`.
    """
    part: Any = engines["drawn"].get_template(f"{name}.jinja")
    return SafeString(part.template.render(context.flatten()))
