"""Kraken's own file of the account log, compared with ours: hand it in or have it fetched, and see what differs."""

from __future__ import annotations

import io

from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET

from accounts.models import Account
from accounts.rights import Right
from accounts.rules import NotAllowed
from accounts.views.request import DeskRequest, desk_of, desk_with
from trading.actions.log_files import fetch_file, take_file
from trading.keyset import BadCursor, page_by_key
from trading.models import LogFile

SIZE = 100


def log_files(request: DeskRequest) -> HttpResponse:
    desk_of(request)
    problem = ""
    if request.method == "POST":
        desk_with(request, Right.TRADE)
        if request.account is None:
            raise Http404
        try:
            file = _taken(request, request.account)
        except NotAllowed as refusal:
            problem = refusal.reason
        else:
            return redirect("log_file", file.pk)
    files = LogFile.objects.visible_to(request.user).filter(account=request.account).select_related("by")[:50]
    context = {"files": files, "problem": problem}
    return render(request, "trading/log_files.html", context, status=422 if problem else 200)


@require_GET
def log_file(request: DeskRequest, file_id: int) -> HttpResponse:
    file = get_object_or_404(LogFile.objects.visible_to(request.user).select_related("account", "by"), pk=file_id)
    try:
        page = page_by_key(file.found.exclude(state__in=["waiting", "equal"]), request.GET.get("after", ""), SIZE)
    except BadCursor:
        raise Http404 from None
    return render(request, "trading/log_file.html", {"file": file, "page": page})


def _taken(request: DeskRequest, account: Account) -> LogFile:
    given = request.FILES.get("file")
    if request.POST.get("fetch"):
        return fetch_file(account, by=request.user)
    if not isinstance(given, UploadedFile) or given.file is None:
        raise NotAllowed("Choose the file first: Kraken offers it under History, as “account log”.", field="file")
    lines = io.TextIOWrapper(given.file, encoding="utf-8-sig", errors="replace", newline=None)
    return take_file(account, by=request.user, name=given.name or "", lines=lines)
