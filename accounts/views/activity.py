"""Who did what on this desk: on a page, narrowed down, or as a file."""

from __future__ import annotations

from datetime import UTC, datetime

from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.actions.audit import record
from accounts.actions.audit_book import csv_lines
from accounts.models import AuditRow
from accounts.rights import Right, has
from accounts.views.request import DeskRequest, desk_of, desk_with

PAGE = 100


@require_GET
def activity(request: DeskRequest) -> HttpResponse:
    """Newest first; `?before=` goes on where a page ended. `who`, `what` and `about` narrow it down."""
    desk = desk_of(request)
    rows = AuditRow.objects.visible_to(request.user).filter(desk=desk).select_related("actor")
    chosen = {name: request.GET.get(name, "")[:80] for name in ("who", "what", "about")}
    if chosen["who"].isdecimal() and len(chosen["who"]) < 19:
        rows = rows.filter(actor=int(chosen["who"]))
    if chosen["what"]:
        rows = rows.filter(action__startswith=chosen["what"])
    if chosen["about"]:
        rows = rows.filter(about=chosen["about"])
    before = request.GET.get("before", "")
    if before.isdecimal() and len(before) < 19:
        rows = rows.filter(pk__lt=int(before))
    found = list(rows[: PAGE + 1])
    context = {
        "rows": found[:PAGE],
        "older": found[PAGE - 1].pk if len(found) > PAGE else None,
        "chosen": chosen,
        "people": desk.memberships.select_related("user"),
        "kinds": ("order", "key", "withdrawal", "member", "invitation", "desk", "policy"),
        "may_export": has(request.membership, Right.EXPORT_AUDIT),
    }
    return render(request, "accounts/activity.html", context)


@require_GET
def export(request: DeskRequest) -> StreamingHttpResponse:
    """The desk's whole book as CSV, oldest first, digests included. That it was taken is itself a row."""
    desk = desk_with(request, Right.EXPORT_AUDIT)
    record(request.user, "audit.exported", desk, desk=desk)
    rows = AuditRow.objects.filter(desk=desk).select_related("actor").order_by("pk")
    response = StreamingHttpResponse(csv_lines(rows.iterator(chunk_size=1000)), content_type="text/csv; charset=utf-8")
    name = f"audit-{desk.pk}-{datetime.now(UTC):%Y-%m-%dT%H%M%SZ}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
