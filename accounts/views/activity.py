"""Who did what on this desk: on a page, narrowed down, or as a file."""

from __future__ import annotations

from datetime import UTC, datetime

from django.http import HttpResponse, QueryDict, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_GET

from accounts.actions.audit import record
from accounts.actions.audit_book import csv_lines
from accounts.models import AuditRow
from accounts.rights import Right, has
from accounts.views.request import DeskRequest, desk_of, desk_with

PAGE = 100
FILTERS = ("who", "what", "about", "from", "to")
KINDS = (
    "order", "batch", "account", "deadman", "desk", "key", "withdrawal", "policy", "member", "invitation", "alert",
    "token", "audit", "vault",
)  # fmt: skip


@require_GET
def activity(request: DeskRequest) -> HttpResponse:
    """Newest first; `?before=` goes on where a page ended. `who`, `what`, `about`, `from` and `to` narrow it down.

    Times are of the person's own clock.
    """
    desk = desk_of(request)
    rows = AuditRow.objects.visible_to(request.user).filter(desk=desk).select_related("actor")
    chosen = {name: request.GET.get(name, "")[:80] for name in FILTERS}
    if _is_id(chosen["who"]):
        rows = rows.filter(actor=int(chosen["who"]))
    if chosen["what"]:
        rows = rows.filter(action__startswith=chosen["what"])
    if chosen["about"]:
        rows = rows.filter(about=chosen["about"])
    moments = {name: _moment(chosen[name]) for name in ("from", "to")}
    if moments["from"]:
        rows = rows.filter(at__gte=moments["from"])
    if moments["to"]:
        rows = rows.filter(at__lt=moments["to"])
    misread = [name for name, moment in moments.items() if chosen[name] and moment is None]
    before = request.GET.get("before", "")
    if _is_id(before):
        rows = rows.filter(pk__lt=int(before))
    found = list(rows[: PAGE + 1])
    context = {
        "rows": found[:PAGE],
        "older": _query(chosen, before=found[PAGE - 1].pk) if len(found) > PAGE else None,
        "newest": _query(chosen),
        "is_newest": not _is_id(before),
        "is_narrowed": any(chosen.values()),
        "wrong": f"“{chosen[misread[0]]}” is no time. Write it as 2026-11-22T14:00." if misread else "",
        "chosen": chosen,
        "people": desk.memberships.select_related("user"),
        "kinds": KINDS,
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


def _is_id(text: str) -> bool:
    return text.isdecimal() and len(text) < 19


def _moment(text: str) -> datetime | None:
    """None for nothing, and for what is no time."""
    try:
        moment = parse_datetime(text)
    except ValueError:
        return None
    return timezone.make_aware(moment) if moment and timezone.is_naive(moment) else moment


def _query(chosen: dict[str, str], **more: object) -> str:
    query = QueryDict(mutable=True)
    query.update(
        {name: text for name, text in chosen.items() if text} | {name: str(one) for name, one in more.items()}
    )
    return query.urlencode()
