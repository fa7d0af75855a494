"""The first page: am I safe, what am I worth, what is open."""

from __future__ import annotations

from uuid import uuid4

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from trading.views.picture import picture_of


@require_GET
def overview(request: HttpRequest) -> HttpResponse:
    return render(request, "trading/overview.html", {"picture": picture_of(request), "intent": uuid4().hex})
