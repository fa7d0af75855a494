"""How the desk looks to one person."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from accounts.models import User

RESULTS = ("green-up", "red-up", "blue-orange")
YEAR = 365 * 24 * 3600


@require_POST
def preferences(request: HttpRequest) -> HttpResponse:
    """Keeps what was chosen (the theme with the person, the result colours with the browser) and goes back."""
    target = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure())
    response = redirect(target if safe else resolve_url("overview"))
    theme, results = request.POST.get("theme"), request.POST.get("results")
    if theme in User.Theme.values and isinstance(request.user, User):
        request.user.theme = theme
        request.user.save(update_fields=["theme"])
    if results in RESULTS:
        response.set_cookie("kfweb_results", results, YEAR, samesite="Lax", secure=request.is_secure(), httponly=True)
    return response
