"""The page of the keys, and what can be done to them there."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.actions.keys import add_key, check_key, replace_key, retire_key, try_demo
from accounts.broker import Budget, StoreAway, budget
from accounts.forms import KeyForm, ReplaceKeyForm, blame
from accounts.middleware import remember
from accounts.models import ApiKey, Environment, KeyState
from accounts.rights import Right, has, require
from accounts.rules import Fact, NotAllowed, key_facts
from accounts.views.request import DeskRequest, desk_of, desk_with


@require_GET
def keys(request: DeskRequest) -> HttpResponse:
    found = ApiKey.objects.filter(account__desk=request.desk).select_related("account", "added_by", "last_used_by")
    return render(
        request,
        "accounts/keys.html",
        {
            "keys": [(key, list(_facts(key)), _left(key)) for key in sorted(found, key=_retired_last)],
            "may_manage": has(request.membership, Right.MANAGE_KEYS),
            "demo_enabled": settings.DEMO_ENABLED,
            "intent": uuid4().hex,
        },
    )


@require_http_methods(["GET", "POST"])
@never_cache
@sensitive_post_parameters("secret")
def add(request: DeskRequest) -> HttpResponse:
    desk = desk_with(request, Right.MANAGE_KEYS)
    form = KeyForm(request.POST or None, initial={"environment": Environment.PRODUCTION})
    if request.method == "POST" and form.is_valid():
        try:
            api_key = add_key(desk, by=request.user, **form.cleaned_data)
        except NotAllowed as refusal:
            blame(form, refusal)
        else:
            _welcome(request, api_key)
            return redirect("keys")
    return render(request, "accounts/key_add.html", {"form": form}, status=422 if form.errors else 200)


@require_POST
def start_demo(request: DeskRequest) -> HttpResponse:
    """One click: an account with play money, its key stored, and on to see it. Nothing to take, so no step-up."""
    try:
        api_key = try_demo(desk_of(request), by=request.user, intent=request.POST.get("intent", "")[:64])
    except NotAllowed as refusal:
        return _refused(request, refusal)
    _welcome(request, api_key)
    return redirect("overview")


@require_POST
def check(request: DeskRequest, key_id: int) -> HttpResponse:
    try:
        api_key = check_key(_key(request, key_id), by=request.user)
    except NotAllowed as refusal:
        return _refused(request, refusal)
    if api_key.state == KeyState.FAILING:
        messages.error(request, f"“{api_key.label}” does not work: {api_key.trouble}")
    else:
        messages.success(request, f"“{api_key.label}” works.")
    return redirect("keys")


@require_http_methods(["GET", "POST"])
@never_cache
@sensitive_post_parameters("secret")
def replace(request: DeskRequest, key_id: int) -> HttpResponse:
    old = _key(request, key_id)
    require(request.user, old.account.desk, Right.MANAGE_KEYS)
    form = ReplaceKeyForm(request.POST if request.method == "POST" else None, initial={"label": old.label})
    if form.is_bound and form.is_valid():
        try:
            fresh = replace_key(old, by=request.user, **form.cleaned_data)
        except NotAllowed as refusal:
            blame(form, refusal)
        else:
            _welcome(request, fresh)
            messages.warning(
                request, f"The key ending in {old.hint} is destroyed here. Delete it at the exchange too."
            )
            return redirect("keys")
    context = {"form": form, "key": old}
    return render(request, "accounts/key_replace.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def retire(request: DeskRequest, key_id: int) -> HttpResponse:
    api_key = _key(request, key_id)
    require(request.user, api_key.account.desk, Right.MANAGE_KEYS)
    if request.method == "GET":
        return render(request, "accounts/key_retire.html", {"key": api_key})
    try:
        retire_key(api_key, by=request.user)
    except NotAllowed as refusal:
        return _refused(request, refusal)
    messages.success(request, f"“{api_key.label}” is retired. Delete it at the exchange too.")
    return redirect("keys")


def _key(request: DeskRequest, key_id: int) -> ApiKey:
    return get_object_or_404(
        ApiKey.objects.visible_to(request.user).stored().select_related("account__desk"), pk=key_id
    )


def _facts(key: ApiKey) -> Iterator[Fact]:
    play_money = key.account.environment == Environment.DEMO
    return key_facts(key.general, key.withdrawal, key.allowed_addresses, play_money=play_money)


def _left(key: ApiKey) -> Budget | None:
    """Of the rate budget; None for a retired key, and while nobody can say."""
    if key.state == KeyState.RETIRED:
        return None
    try:
        return budget(key.pk)
    except StoreAway:
        return None


def _retired_last(key: ApiKey) -> tuple[bool, int]:
    return key.state == KeyState.RETIRED, key.pk


def _welcome(request: DeskRequest, api_key: ApiKey) -> None:
    """Go on with the account the key opens, and say what was found out about it."""
    remember(request, api_key.account)
    doubts = [fact.sentence for fact in _facts(api_key) if fact.level != "yes"]
    told = " ".join([f"“{api_key.label}” works and is stored encrypted.", *doubts, api_key.trouble])
    (messages.warning if api_key.trouble else messages.success)(request, told.strip())


def _refused(request: DeskRequest, refusal: NotAllowed) -> HttpResponse:
    messages.error(request, refusal.reason)
    return redirect("keys")
