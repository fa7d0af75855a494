"""Parts of pages that the browser asks for again when the account's feed says something moved."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_GET

from trading.views.picture import picture_of

PARTS = {
    "figures": "trading/overview.html#figures",
    "wallets": "trading/overview.html#wallets",
    "positions": "trading/tables.html#positions",
    "orders": "trading/tables.html#orders",
    "triggers": "trading/tables.html#triggers",
    "history": "trading/tables.html#history",
    "activity": "trading/tables.html#activity",
    "fills": "trading/tables.html#fills",
    "budget": "trading/budget.html",
    "switches": "trading/switches.html",
}


@require_GET
def parts(request: HttpRequest) -> HttpResponse:
    """`?want=positions,orders&symbol=S`: each wanted part in a `<template data-for>`, all from one picture."""
    picture = picture_of(request, request.GET.get("symbol") or None)
    wanted = request.GET.get("want", "").split(",")
    if picture is None or not set(wanted) <= PARTS.keys():
        raise Http404
    drawn = [
        format_html(
            '<template data-for="{}">{}</template>',
            name,
            mark_safe(render_to_string(PARTS[name], {"picture": picture}, request)),  # noqa: S308 - a template of ours
        )
        for name in wanted
    ]
    return HttpResponse("".join(drawn))
