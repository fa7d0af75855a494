"""Tokens of the own API: a person's list of them, making one, and revoking it."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.actions.tokens import make_token, revoke_token
from accounts.forms import TokenForm, blame
from accounts.models import ApiToken
from accounts.rights import Right, has
from accounts.rules import NotAllowed
from accounts.views.request import DeskRequest, desk_of

PAGE = 50


@require_GET
def tokens(request: DeskRequest) -> HttpResponse:
    """Of this desk, the newest first; `?before=` goes on where a page ended."""
    desk = desk_of(request)
    rows = ApiToken.objects.visible_to(request.user).filter(desk=desk).select_related("user", "revoked_by")
    before = request.GET.get("before", "")
    if before.isdecimal() and len(before) < 19:
        rows = rows.filter(pk__lt=int(before))
    found = list(rows[: PAGE + 1])
    context = {
        "tokens": found[:PAGE],
        "older": found[PAGE - 1].pk if len(found) > PAGE else None,
        "sees_all": has(request.membership, Right.MANAGE_PEOPLE),
    }
    return render(request, "accounts/tokens.html", context)


@require_http_methods(["GET", "POST"])
@never_cache
def make(request: DeskRequest) -> HttpResponse:
    """The answer to the form is the only page that ever shows the token."""
    form = TokenForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            token, text = make_token(desk_of(request), of=request.user, by=request.user, **form.cleaned_data)
        except NotAllowed as refusal:
            blame(form, refusal)
        else:
            return render(request, "accounts/token_made.html", {"token": token, "text": text})
    return render(request, "accounts/token_make.html", {"form": form}, status=422 if form.errors else 200)


@require_POST
def revoke(request: DeskRequest, token_id: int) -> HttpResponse:
    token = get_object_or_404(
        ApiToken.objects.visible_to(request.user).select_related("desk", "user"), pk=token_id, desk=desk_of(request)
    )
    try:
        revoke_token(token, by=request.user)
    except NotAllowed as refusal:
        messages.error(request, refusal.reason)
    else:
        messages.success(request, f"“{token.label}” opens nothing any more.")
    return redirect("tokens")
