"""A person's webhooks: the list, adding one, its log of deliveries, and what can be done to it."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.actions.webhooks import add_webhook, remove_webhook, renew_secret, switch_webhook
from accounts.forms import WebhookForm, blame
from accounts.models import Webhook
from accounts.rules import NotAllowed
from accounts.vault import VaultError
from accounts.views.request import DeskRequest

PAGE = 50


@require_GET
def webhooks(request: DeskRequest) -> HttpResponse:
    return render(request, "accounts/webhooks.html", {"webhooks": Webhook.objects.filter(user=request.user)})


@require_http_methods(["GET", "POST"])
@never_cache
@sensitive_post_parameters("url")
def add(request: DeskRequest) -> HttpResponse:
    form = WebhookForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            webhook, secret = add_webhook(request.user, **form.cleaned_data)
        except NotAllowed as refusal:
            blame(form, refusal)
        else:
            return render(request, "accounts/webhook_secret.html", {"webhook": webhook, "secret": secret})
    return render(request, "accounts/webhook_add.html", {"form": form}, status=422 if form.errors else 200)


@require_GET
@never_cache
def log(request: DeskRequest, webhook_id: int) -> HttpResponse:
    """Every delivery, newest first; `?page=` counts from 1."""
    webhook = _webhook(request, webhook_id)
    asked = request.GET.get("page", "1")
    page = int(asked) if asked.isdecimal() and 0 < len(asked) < 6 else 1
    start = (max(page, 1) - 1) * PAGE
    rows = list(webhook.deliveries.select_related("notice")[start : start + PAGE + 1])
    context = {
        "webhook": webhook,
        "deliveries": rows[:PAGE],
        "older": page + 1 if len(rows) > PAGE else None,
        "newer": page - 1 if page > 1 else None,
    }
    return render(request, "accounts/webhook_log.html", context)


@require_POST
@never_cache
def renew(request: DeskRequest, webhook_id: int) -> HttpResponse:
    webhook = _webhook(request, webhook_id)
    try:
        secret = renew_secret(webhook, by=request.user)
    except VaultError:
        messages.error(request, "What is stored of this webhook cannot be opened. Remove it and add it again.")
        return redirect("webhooks")
    return render(request, "accounts/webhook_secret.html", {"webhook": webhook, "secret": secret})


@require_POST
def switch(request: DeskRequest, webhook_id: int) -> HttpResponse:
    """`on=yes` or `on=no`."""
    webhook, on = _webhook(request, webhook_id), request.POST.get("on") == "yes"
    switch_webhook(webhook, by=request.user, on=on)
    messages.success(request, f"“{webhook.label}” is {'on' if on else 'off'}.")
    return redirect("webhook_log", webhook.pk)


@require_POST
def remove(request: DeskRequest, webhook_id: int) -> HttpResponse:
    webhook = _webhook(request, webhook_id)
    remove_webhook(webhook, by=request.user)
    messages.success(request, f"“{webhook.label}” is gone, with its log.")
    return redirect("webhooks")


def _webhook(request: DeskRequest, webhook_id: int) -> Webhook:
    return get_object_or_404(Webhook, pk=webhook_id, user=request.user)
