"""The inbox: what a person was told, where it went, and how they want to be told."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Q
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.actions.notices import keep_settings, mark_read, notify_test, quiet_of, settings_of
from accounts.forms import InboxForm
from accounts.models import Level, Notice, Topic, Webhook
from accounts.notice_rules import due_at, reaches
from accounts.views.request import DeskRequest

PAGE = 50
LATEST = 10


@require_GET
@never_cache
def inbox(request: DeskRequest) -> HttpResponse:
    """Newest first; `?before=` goes on where a page ended. `show`, `topic` and `level` narrow it down."""
    rows = Notice.objects.visible_to(request.user).select_related("desk")
    chosen = {
        "show": "unread" if request.GET.get("show") == "unread" else "",
        "topic": _one_of(request.GET.get("topic"), Topic.values),
        "level": _one_of(request.GET.get("level"), Level.values),
    }
    if chosen["show"]:
        rows = rows.unread()
    rows = rows.filter(**{name: chosen[name] for name in ("topic", "level") if chosen[name]})
    before = request.GET.get("before", "")
    if before.isdecimal() and len(before) < 19:
        rows = rows.filter(pk__lt=int(before))
    found = list(rows[: PAGE + 1])
    context = {
        "notices": found[:PAGE],
        "older": found[PAGE - 1].pk if len(found) > PAGE else None,
        "chosen": chosen,
        "topics": Topic.choices,
        "levels": Level.choices,
        "several_desks": len(request.memberships) > 1,
    }
    return render(request, "accounts/inbox.html", context)


@require_GET
@never_cache
def notice(request: DeskRequest, notice_id: int) -> HttpResponse:
    """One notice, read by opening it, with every place it went to."""
    found = get_object_or_404(Notice.objects.visible_to(request.user).select_related("desk"), pk=notice_id)
    mark_read(request.user, found.pk)
    deliveries = list(found.deliveries.select_related("webhook").order_by("channel", "made_at"))
    waiting = any(one.state == one.State.WAITING for one in deliveries)
    return render(request, "accounts/notice.html", {"notice": found, "deliveries": deliveries, "waiting": waiting})


@require_POST
def read(request: DeskRequest) -> HttpResponse:
    """`notice=ID` marks one, `all=yes` every one."""
    chosen = request.POST.get("notice", "")
    if chosen.isdecimal() and len(chosen) < 19:
        mark_read(request.user, int(chosen))
    elif request.POST.get("all") == "yes":
        mark_read(request.user)
    target = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure())
    return redirect(target if safe else "inbox")


@require_GET
@never_cache
def latest(request: DeskRequest) -> JsonResponse:
    """What an open page should show as the browser's own notification: unread, newer than `after`, wanted there.

    A test is read at once, on the page that its button leads to, and shown all the same.
    """
    after = request.GET.get("after", "")
    rows = Notice.objects.visible_to(request.user).filter(Q(seen_at=None) | Q(topic=Topic.TEST))
    if not after.isdecimal() or len(after) > 18:
        return JsonResponse({"notices": []})
    chosen = settings_of(request.user)
    quiet = quiet_of(request.user, chosen)
    found = [
        one
        for one in rows.filter(pk__gt=int(after))[:LATEST]
        if reaches(one.level, chosen.browser) and due_at(one.at, one.level, quiet) == one.at
    ]
    told = [{"id": one.pk, "title": one.get_topic_display(), "text": one.text, "link": one.get_absolute_url()}
            for one in found]  # fmt: skip
    return JsonResponse({"notices": told})


@require_http_methods(["GET", "POST"])
def settings(request: DeskRequest) -> HttpResponse:
    kept = settings_of(request.user)
    initial = {name: getattr(kept, name) for name in InboxForm.base_fields}
    form = InboxForm(request.POST) if request.method == "POST" else InboxForm(initial=initial)
    if form.is_bound and form.is_valid():
        keep_settings(request.user, **form.cleaned_data)
        messages.success(request, "Kept.")
        return redirect("inbox_settings")
    context = {"form": form, "webhooks": Webhook.objects.filter(user=request.user)}
    return render(request, "accounts/inbox_settings.html", context, status=422 if form.errors else 200)


@require_POST
def test(request: DeskRequest) -> HttpResponse:
    """Try every channel with a word to oneself, and go to the page that shows where it arrived."""
    level = _one_of(request.POST.get("level"), Level.values) or Level.CRITICAL
    text = "This is a test. If you read it where you wanted to, notices reach you."
    return redirect(notify_test(request.user, text=text, level=level))


def _one_of(value: str | None, known: list[str]) -> str:
    return value if value in known else ""
