"""What the account earned and paid: by day, contract, person or currency, as curves, statistics and files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse, JsonResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_GET, require_POST

from accounts.models import Account
from accounts.views.request import DeskRequest
from krakenfutures.words import kind_of
from trading.actions.equity import equity_curve
from trading.actions.exports import ask_export, bytes_of
from trading.actions.ledgers import behind
from trading.actions.report_entries import newest_entries
from trading.actions.reports import MOST_STEPS, Span, TooMany, account_report, steps_of
from trading.models import Export, ExportFormat, ExportState, Sync, WalletLedger
from trading.report_sums import BY
from trading.trip_sums import Statistics, Step, first_in_first_out, statistics, trips

DAYS = 30  # without a wish
CURVE = 600  # points drawn at most
NOTHING = {"symbol": "No contract", "member": "Nobody’s order"}
TITLES = {"day": "Day", "symbol": "Contract", "member": "Member", "currency": "Currency"}


@dataclass(frozen=True, slots=True)
class Wish:
    """What a report is asked to cover. `problems`: by field, what is wrong and how to write it."""

    by: str
    words: dict[str, str]
    span: Span
    problems: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, given: Mapping[str, str]) -> Wish:
        words = {name: given.get(name, "").strip()[:20] for name in ("since", "until")}
        if not any(words.values()):
            words["since"] = f"{timezone.localdate() - timedelta(days=DAYS - 1):%Y-%m-%d}"
        problems: dict[str, str] = {}
        since, until = (_midnight(words, name, problems) for name in ("since", "until"))
        if since and until and since >= until:
            problems["until"] = "The end must not come before the beginning."
        by = given.get("by", BY[0])
        return cls(by if by in BY else BY[0], words, Span(since, until), problems)

    @property
    def query(self) -> str:
        return urlencode({"by": self.by, **self.words})


def _midnight(words: Mapping[str, str], name: str, problems: dict[str, str]) -> datetime | None:
    """The beginning of the day, in the reader's zone; of the day after, for the end, which counts whole."""
    if not (text := words[name]):
        return None
    try:
        day = parse_date(text)
    except ValueError:
        day = None
    if day is None:
        problems[name] = f"“{text}” is not a day: write it like 2026-11-22."
        return None
    return timezone.make_aware(datetime.combine(day + timedelta(days=name == "until"), time()))


@require_GET
def reports(request: DeskRequest) -> HttpResponse:
    wish, account = Wish.read(request.GET), request.account
    context: dict[str, Any] = {"wish": wish, "groups": TITLES, "title": TITLES[wish.by]}
    context["nothing"] = NOTHING.get(wish.by, "None")
    if account is not None and not wish.problems:
        context |= _figures(account, wish)
        context["exports"] = Export.objects.visible_to(request.user).filter(account=account)[:10]
        context["formats"] = ExportFormat.choices
    return render(request, "trading/reports.html", context, status=422 if wish.problems else 200)


def _figures(account: Account, wish: Wish) -> dict[str, Any]:
    zone = timezone.get_current_timezone()
    log = Sync.objects.filter(account=account, stream="log").first()
    return {
        "report": account_report(account, wish.span, wish.by, zone),
        "statistics": _statistics(account, wish.span),
        "most": MOST_STEPS,
        "residuals": WalletLedger.objects.filter(account=account),
        "log": log,
        "is_whole": bool(log and log.share >= 1),
        "behind": behind(account.pk),
    }


def _statistics(account: Account, span: Span) -> list[Statistics] | None:
    """None: there are too many trades."""
    try:
        return statistics(one for one in trips(steps_of(account, span)) if span.holds(one.ended))
    except TooMany:
        return None


@require_GET
def details(request: DeskRequest) -> HttpResponse:
    """The drawer of one figure: the entries it is the sum of, and the formula."""
    wish, account = Wish.read(request.GET), request.account
    group, currency = request.GET.get("group", ""), request.GET.get("currency", "")
    if account is None or wish.problems:
        raise Http404
    try:
        drawer = newest_entries(account, wish.span, wish.by, group, currency, timezone.get_current_timezone())
    except ValueError:
        raise Http404 from None
    context = {"group": group, "currency": currency, "drawer": drawer, "nothing": NOTHING.get(wish.by, "None")}
    return render(request, "trading/report_details.html", context)


@require_GET
def first_in(request: DeskRequest) -> HttpResponse:
    """Realised profit by first in, first out, a row a contract; beside the venue's, which counts by average entry."""
    wish, account = Wish.read(request.GET), request.account
    if account is None or wish.problems:
        raise Http404
    by_symbol: dict[str, list[Step]] = {}
    try:
        for step in steps_of(account, wish.span):
            by_symbol.setdefault(step.symbol, []).append(step)
    except TooMany:
        return render(request, "trading/report_fifo.html", {"most": MOST_STEPS})
    rows, refused = [], []
    for symbol, steps in sorted(by_symbol.items()):
        try:
            found = list(first_in_first_out(kind_of(symbol), steps))
        except ValueError as problem:
            refused.append(str(problem))
            continue
        ours = sum(one.amount for one in found if wish.span.holds(one.at))
        theirs = sum(step.realised for step in steps if wish.span.holds(step.at))
        rows.append((symbol, steps[0].currency, ours, theirs))
    return render(request, "trading/report_fifo.html", {"rows": rows, "refused": refused, "wish": wish})


@require_GET
def equity(request: DeskRequest) -> JsonResponse:
    """`{"points": [[seconds, equity, used, exposure]…], "drawdown", "share"}`, oldest first, in USD."""
    days = request.GET.get("days", str(DAYS))
    if request.account is None or not re.fullmatch(r"[1-9]\d{0,3}", days, re.ASCII):
        raise Http404
    return JsonResponse(equity_curve(request.account, timezone.now() - timedelta(days=int(days)), CURVE))


@require_POST
def export(request: DeskRequest) -> HttpResponse:
    wish, account = Wish.read(request.POST), request.account
    if account is None or wish.problems or request.POST.get("format") not in ExportFormat.values:
        raise Http404
    ask_export(account, by=request.user, format=request.POST["format"], span=wish.span)
    messages.success(request, "The file is being made; it appears below, and is kept for a day.")
    return redirect(f"{reverse('reports')}?{wish.query}#exports")


@require_GET
def exports(request: DeskRequest) -> HttpResponse:
    """The list alone, asked for again while something is being made."""
    rows = Export.objects.visible_to(request.user).filter(account=request.account)[:10]
    return render(request, "trading/report_exports.html", {"exports": rows})


@require_GET
def download(request: DeskRequest, export_id: UUID) -> HttpResponse | StreamingHttpResponse:
    """The file, or what is missing of it (`Range: bytes=N-`): a download that broke goes on where it was."""
    rows = Export.objects.visible_to(request.user).filter(state=ExportState.READY)
    found = get_object_or_404(rows, pk=export_id)
    asked = re.fullmatch(r"bytes=(\d{1,15})-", request.headers.get("Range", ""), re.ASCII)
    start = int(asked[1]) if asked else 0
    if start >= max(found.size, 1):
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{found.size}"})
    answer = StreamingHttpResponse(bytes_of(found, start), status=206 if asked else 200)
    answer["Content-Type"] = (
        "application/octet-stream" if found.format == ExportFormat.PARQUET else "text/csv; charset=utf-8"
    )
    answer["Content-Disposition"] = f'attachment; filename="{found.name}"'
    answer["Content-Length"] = found.size - start
    answer["Accept-Ranges"] = "bytes"
    if asked:
        answer["Content-Range"] = f"bytes {start}-{found.size - 1}/{found.size}"
    return answer
