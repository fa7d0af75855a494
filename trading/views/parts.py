"""Parts of pages that the browser asks for again when the account's feed says something moved."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_GET

from trading.views.picture import picture_of

PARTS = frozenset(
    {"figures", "wallets", "positions", "orders", "triggers", "history", "activity", "fills", "budget", "switches"}
)


@require_GET
def parts(request: HttpRequest) -> HttpResponse:
    """`?want=positions,orders&symbol=S`: each wanted part in a `<template data-for>`, all from one picture."""
    picture = picture_of(request, request.GET.get("symbol") or None)
    wanted = request.GET.get("want", "").split(",")
    if picture is None or not PARTS.issuperset(wanted):
        raise Http404
    drawn = [
        format_html(
            '<template data-for="{}">{}</template>',
            name,
            mark_safe(render_to_string(f"{name}.jinja", {"picture": picture}, request, "drawn")),  # noqa: S308 - escaped
        )
        for name in wanted
    ]
    return HttpResponse("".join(drawn))
