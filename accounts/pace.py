"""How often people may write: counted for all processes together, refused in words, and nothing typed is lost."""

from __future__ import annotations

import math
import re

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.models import User
from accounts.throttle import Allowance, wait_for

# Less risk, never more: nobody is kept from stopping, cancelling, reducing or shutting something because they hurry.
NEVER_SLOWED = frozenset({
    "be_here", "cancel_order", "cancel_orders", "cancel_withdrawal", "close_position", "dead_man",
    "end_other_sessions",
    "end_session", "flatten", "halt", "revoke_token", "account_logout",
})  # fmt: skip
SECRET = re.compile(r"password|secret|code|credential|again|csrf", re.I)  # is not written into a page once more
MACHINERY = frozenset({"intent", "do", "shown", "digest"})  # sent again like the rest, and nothing to read
MOST_FIELDS = 200


def too_often(request: HttpRequest) -> HttpResponse | None:
    """None lets a write through; else the page that says when to come again."""
    match = request.resolver_match
    if match is not None and match.url_name in NEVER_SLOWED:
        return None
    wait = wait_for(_who(request), _allowance())
    if not wait:
        return None
    seconds = max(1, math.ceil(wait))
    if request.headers.get("HX-Request"):  # the page stays as it is, and with it all that was typed
        response = render(request, "accounts/too_often_line.html", {"seconds": seconds}, status=429)
        response["HX-Retarget"], response["HX-Reswap"] = "#messages", "innerHTML"
    else:
        typed = _typed(request)
        told = [(name.replace("_", " "), value) for name, value in typed or () if name not in MACHINERY]
        context = {"seconds": seconds, "typed": typed, "told": told}
        response = render(request, "accounts/too_often.html", context, status=429)
    response["Retry-After"] = str(seconds)
    return response


def _who(request: HttpRequest) -> str:
    if isinstance(request.user, User):
        return f"person:{request.user.pk}"
    return f"address:{get_adapter().get_client_ip(request)}"


def _allowance() -> Allowance:
    per_minute = settings.WRITES_PER_MINUTE
    return Allowance(burst=max(1, per_minute // 2), per_minute=per_minute)


def _typed(request: HttpRequest) -> list[tuple[str, str]] | None:
    """What was sent, to be sent again from the page; None where it holds a secret or a file, or is long."""
    fields = [(name, value) for name, values in request.POST.lists() for value in values]
    names = [name for name, _ in fields if name != "csrfmiddlewaretoken"]
    if request.FILES or len(fields) > MOST_FIELDS or any(SECRET.search(name) for name in names):
        return None
    return [(name, value) for name, value in fields if name != "csrfmiddlewaretoken"]
