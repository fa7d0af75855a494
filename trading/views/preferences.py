"""How the desk looks to one person."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from accounts.models import User

LOOKS = {"theme": User.Theme.values, "results": User.Results.values, "density": User.Density.values}


@require_POST
def preferences(request: HttpRequest) -> HttpResponse:
    """Keeps what was chosen with the person, on every browser of theirs, and goes back."""
    target = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure())
    assert isinstance(request.user, User)  # LoginRequiredMiddleware lets nobody else in
    chosen = {name: request.POST.get(name, "") for name in LOOKS}
    kept = {name: value for name, value in chosen.items() if value in LOOKS[name]}
    for name, value in kept.items():
        setattr(request.user, name, value)
    if kept:
        request.user.save(update_fields=list(kept))
    return redirect(target if safe else resolve_url("overview"))
