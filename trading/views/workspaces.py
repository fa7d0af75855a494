"""How somebody keeps the trade page: what the page's script tells, and the sizes as a stylesheet."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_POST

from accounts.models import User
from accounts.rules import NotAllowed
from trading.actions.workspaces import arrange, remember_market, reset_sizes, workspace_of
from trading.instruments import instrument_for
from trading.views.environment import environment_of

LONGEST = 4096  # bytes of a wish


@require_GET
def stylesheet(request: HttpRequest, version: str) -> HttpResponse:
    """The sizes of the chosen preset. Its address changes with them, so a browser keeps it for good."""
    assert isinstance(request.user, User)  # LoginRequiredMiddleware lets nobody else in
    kept = workspace_of(request.user)
    response = HttpResponse(kept.stylesheet, content_type="text/css")
    lasting = version == kept.version  # else it has just been changed in another tab
    response["Cache-Control"] = "private, max-age=31536000, immutable" if lasting else "no-store"
    return response


@require_POST
def workspace(request: HttpRequest) -> HttpResponse:
    """A form's button (a preset, a reset), which goes back to its page, or the script's JSON of changes."""
    assert isinstance(request.user, User)
    user = request.user
    if request.content_type == "application/json":
        return _kept(request, lambda wish: arrange(user, wish))
    if request.POST.get("reset"):
        reset_sizes(user)
    else:
        try:
            arrange(user, {"preset": request.POST.get("preset", "")})
        except ValueError:
            raise Http404 from None
    return redirect("trade")


@require_POST
def market_workspace(request: HttpRequest, symbol: str) -> HttpResponse:
    assert isinstance(request.user, User)
    user = request.user
    try:
        known = instrument_for(environment_of(request), symbol).symbol
    except NotAllowed:
        raise Http404 from None
    return _kept(request, lambda wish: remember_market(user, known, wish))


def _kept(request: HttpRequest, keep: Callable[[Mapping[str, Any]], object]) -> HttpResponse:
    try:
        wish = json.loads(request.body[:LONGEST])
        if not isinstance(wish, Mapping):
            raise ValueError("a wish is an object")
        keep(wish)
    except ValueError as problem:
        return JsonResponse({"error": "not_kept", "message": f"Not kept: {problem}."}, status=422)
    return HttpResponse(status=204)
