"""Is it alive, is it ready, and what is amiss: for the machines that watch, and for people at 3 a.m."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template import Context, Engine
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from kfweb.advice import advise
from kfweb.checks import run_checks, verdict
from kfweb.correlation import request_id


@login_not_required
@never_cache
def live(_request: HttpRequest) -> HttpResponse:
    """The process answers. Says nothing of what it depends on."""
    return HttpResponse("ok\n", content_type="text/plain")


@login_not_required
@never_cache
def ready(_request: HttpRequest) -> JsonResponse:
    """Each dependency with its lag. 503 when the database or the store is missing; the rest is told, not fatal."""
    checks = run_checks()
    word = verdict(checks)
    return JsonResponse({"status": word, "checks": checks}, status=503 if word == "down" else 200)


@require_GET
@never_cache
def status(request: HttpRequest) -> HttpResponse:
    """The same for whoever runs the desk, worst first, with what users notice and what to do."""
    checks = run_checks()
    lines = [advise(name, check) for name, check in checks.items()]
    context = {
        "verdict": verdict(checks),
        "amiss": [line for line in lines if not line.ok],
        "well": [line for line in lines if line.ok],
        "at": timezone.now(),
    }
    return render(request, "status.html", context)


def failed(_request: HttpRequest) -> HttpResponse:
    """The page for what nobody foresaw. Drawn without the frame, which may be what failed."""
    page = Engine.get_default().get_template("500.html")
    return HttpResponse(page.render(Context({"request_id": request_id()})), status=500)
