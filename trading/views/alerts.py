"""The alert rules of a desk and of a person: the list, adding and changing one, trying it."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.forms import blame
from accounts.models import Account, Desk
from accounts.rights import Right, has
from accounts.rules import NotAllowed
from accounts.views.request import DeskRequest, desk_of
from trading.actions import alerts as actions
from trading.alert_forms import AlertForm
from trading.alert_rules import KINDS, Kind
from trading.models import AlertRule


@require_GET
def alerts(request: DeskRequest) -> HttpResponse:
    desk, manages = desk_of(request), has(request.membership, Right.MANAGE_ALERTS)
    rules = AlertRule.objects.visible_to(request.user).filter(desk=desk).select_related("account", "owner")
    lines = [
        {
            "rule": rule,
            "about": KINDS[Kind(rule.kind)],
            "fired": [state.fired_at for state in rule.states.all() if state.fired_at],
            "may_change": actions.may_change(rule, request.user, manages=manages),
        }
        for rule in rules.prefetch_related("states")[: actions.MOST]
    ]
    context = {"lines": lines, "manages": manages}
    return render(request, "trading/alerts.html", context)


@require_http_methods(["GET", "POST"])
def add(request: DeskRequest) -> HttpResponse:
    """First the kind, then its points: `?kind=` draws the form for it, filled in as offered."""
    desk = desk_of(request)
    kind = _kind(request.POST.get("kind") or request.GET.get("kind", ""))
    form = _form(request, desk, kind, None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.add_rule(desk, form.wish(), by=request.user)
        except NotAllowed as refusal:
            blame(form, refusal)
        else:
            messages.success(request, "The rule is on.")
            return redirect("alerts")
    context = {
        "form": form,
        "kinds": [(one.value, KINDS[one].label) for one in Kind],
        "kind": kind,
        "about": KINDS[kind],
    }
    return render(request, "trading/alert_rule.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def change(request: DeskRequest, rule_id: int) -> HttpResponse:
    rule = _rule(request, rule_id)
    actions.require_mine(rule, request.user)
    form = _form(request, rule.desk, Kind(rule.kind), rule)
    if request.method == "POST" and form.is_valid():
        try:
            actions.change_rule(rule, form.wish(), by=request.user)
        except NotAllowed as refusal:
            blame(form, refusal)
        else:
            messages.success(request, "Kept. The rule begins anew.")
            return redirect("alerts")
    context = {"form": form, "rule": rule, "kind": rule.kind, "about": KINDS[Kind(rule.kind)]}
    return render(request, "trading/alert_rule.html", context, status=422 if form.errors else 200)


@require_POST
def switch(request: DeskRequest, rule_id: int) -> HttpResponse:
    rule, on = _rule(request, rule_id), request.POST.get("on") == "yes"
    try:
        actions.switch_rule(rule, by=request.user, on=on)
    except NotAllowed as refusal:
        messages.error(request, refusal.reason)
    return redirect("alerts")


@require_POST
def remove(request: DeskRequest, rule_id: int) -> HttpResponse:
    try:
        actions.remove_rule(_rule(request, rule_id), by=request.user)
    except NotAllowed as refusal:
        messages.error(request, refusal.reason)
    return redirect("alerts")


@require_POST
def test(request: DeskRequest, rule_id: int) -> HttpResponse:
    """On to the notice, which shows where it arrived."""
    return redirect(actions.try_rule(_rule(request, rule_id), by=request.user))


@require_POST
def usual(request: DeskRequest) -> HttpResponse:
    added = actions.add_usual_rules(desk_of(request), by=request.user)
    messages.success(request, f"{added} rules are on." if added else "The desk has them all already.")
    return redirect("alerts")


def _form(request: DeskRequest, desk: Desk, kind: Kind, rule: AlertRule | None) -> AlertForm:
    return AlertForm(
        request.POST if request.method == "POST" else None,
        kind=kind,
        rule=rule,
        accounts=list(Account.objects.visible_to(request.user).filter(desk=desk)),
        manages=has(request.membership, Right.MANAGE_ALERTS),
    )


def _rule(request: DeskRequest, rule_id: int) -> AlertRule:
    return get_object_or_404(AlertRule.objects.visible_to(request.user).select_related("desk", "account"), pk=rule_id)


def _kind(text: str) -> Kind:
    return Kind(text) if text in list(Kind) else Kind.MARGIN
