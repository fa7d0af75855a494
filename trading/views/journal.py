"""The trade journal: round trips with notes and tags."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_GET, require_http_methods

from accounts.forms import blame
from accounts.rights import Right, has
from accounts.rules import NotAllowed
from accounts.views.request import DeskRequest
from trading.actions.journal import Page, find_page, pages, tags_of, write_note
from trading.actions.reports import MOST_STEPS, TooMany
from trading.models import Sync
from trading.trip_sums import statistics
from trading.views.reports import Wish

EACH = 50  # round trips a page


class NoteForm(forms.Form):
    text = forms.CharField(required=False)
    tags = forms.CharField(required=False)


@require_GET
def journal(request: DeskRequest) -> HttpResponse:
    wish, tag, account = Wish.read(request.GET), request.GET.get("tag", ""), request.account
    context: dict[str, Any] = {"wish": wish, "tag": tag}
    if account is not None and not wish.problems:
        try:
            found = pages(account, wish.span, tag)
        except TooMany:
            found, context["most"] = [], MOST_STEPS
        context |= {
            "page": Paginator(found, EACH).get_page(request.GET.get("page")),
            "statistics": statistics(page.trip for page in found),
            "tags": tags_of(account),
            "query": urlencode({**wish.words, "tag": tag}),
            "may_write": has(request.membership, Right.NOTE),
            "is_whole": Sync.objects.filter(account=account, stream="position_events", share__gte=1).exists(),
        }
    return render(request, "trading/journal.html", context, status=422 if wish.problems else 200)


@require_http_methods(["GET", "POST"])
def note(request: DeskRequest) -> HttpResponse:
    """The sheet of one round trip; a page of its own where no script opened it, or where something is to be mended."""
    account, page = request.account, _page(request)
    if account is None or page is None:
        raise Http404
    known = {"text": page.note.text, "tags": ", ".join(page.tags)} if page.note else None
    form = NoteForm(request.POST if request.method == "POST" else None, initial=known)
    if request.method == "POST" and form.is_valid():
        try:
            write_note(account, page.trip, by=request.user, **form.cleaned_data)
        except NotAllowed as refusal:
            blame(form, refusal)
        else:
            messages.success(request, f"Kept with {page.trip.symbol}.")
            return redirect(f"{reverse('journal')}?{request.POST.get('query', '')}")
    context = {
        "page": page,
        "form": form,
        "query": request.POST.get("query") or request.GET.get("query", ""),
        "may_write": has(request.membership, Right.NOTE),
    }
    if request.headers.get("HX-Request"):
        return render(request, "trading/journal_note.html", context)
    whole = context | {"sheet": "trading/journal_note.html", "title": "Journal"}
    return render(request, "trading/sheet_page.html", whole, status=422 if form.errors else 200)


def _page(request: DeskRequest) -> Page | None:
    asked = request.POST if request.method == "POST" else request.GET
    try:
        began = parse_datetime(asked.get("began", ""))
    except ValueError:
        began = None
    if request.account is None or began is None or began.tzinfo is None:
        return None
    return find_page(request.account, asked.get("symbol", ""), began)
