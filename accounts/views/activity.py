"""Who did what on this desk."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.models import AuditRow
from accounts.views.request import DeskRequest, desk_of

PAGE = 100


@require_GET
def activity(request: DeskRequest) -> HttpResponse:
    """Newest first; `?before=` goes on where a page ended."""
    rows = AuditRow.objects.visible_to(request.user).filter(desk=desk_of(request)).select_related("actor")
    before = request.GET.get("before", "")
    if before.isdecimal() and len(before) < 19:
        rows = rows.filter(pk__lt=int(before))
    found = list(rows[: PAGE + 1])
    older = found[PAGE - 1].pk if len(found) > PAGE else None
    return render(request, "accounts/activity.html", {"rows": found[:PAGE], "older": older})
