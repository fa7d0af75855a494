"""The withdrawal policy: what it says, what it would do, and changing it with other people's consent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from accounts.actions.policy import (
    PolicyBroken,
    approve_policy,
    members_of,
    out_of_reach,
    policy_in_force,
    propose_policy,
    reject_policy,
)
from accounts.actions.withdrawal_previews import simulated
from accounts.forms import blame
from accounts.models import PolicyState, PolicyVersion
from accounts.policy_differences import looser_parts, stricter_parts
from accounts.policy_people import unsatisfiable
from accounts.policy_rules import Policy, words
from accounts.rights import Right, has
from accounts.rules import NotAllowed
from accounts.stepup import fresh_factor
from accounts.templatetags.money import plainly
from accounts.vault import VaultError
from accounts.views.request import DeskRequest, desk_of
from accounts.withdrawal_forms import PolicyForm, SimulationForm, initial_of


def or_trouble(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A policy that is not as the desk wrote it, or cannot be proven, is said in a sentence instead of being shown."""

    @wraps(view)
    def guarded(request: DeskRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except (PolicyBroken, VaultError) as broken:
            return render(request, "accounts/withdrawal_policy.html", {"trouble": str(broken)}, status=409)

    return guarded


@require_GET
@or_trouble
def policy(request: DeskRequest) -> HttpResponse:
    desk = desk_of(request)
    current = policy_in_force(desk)
    form = SimulationForm(request.GET or None)
    answer: list[str] = []
    if request.GET and form.is_valid():
        amount, first = form.cleaned_data["amount"], form.cleaned_data["first_time"]
        answer = simulated(desk, amount, first_time=first, by=request.user)
    versions = (
        PolicyVersion.objects.filter(desk=desk).select_related("proposed_by").prefetch_related("votes__reviewer")
    )
    return render(
        request,
        "accounts/withdrawal_policy.html",
        {
            "current": current,
            "lines": lines_of(current.policy),
            "warnings": out_of_reach(desk),
            "form": form,
            "answer": answer,
            "proposed": versions.filter(state=PolicyState.PROPOSED).first(),
            "versions": versions.exclude(state=PolicyState.PROPOSED),
            "may_propose": has(request.membership, Right.CHANGE_POLICY),
        },
    )


@require_http_methods(["GET", "POST"])
@or_trouble
def propose(request: DeskRequest) -> HttpResponse:
    desk = desk_of(request)
    current = policy_in_force(desk).policy
    form = PolicyForm(request.POST or None, initial=initial_of(current))
    wanted: Policy | None = None
    if request.method == "POST" and form.is_valid():
        try:
            wanted = form.policy
            if request.POST.get("do") == "ask":
                propose_policy(
                    desk, wanted, by=request.user, reason=form.cleaned_data["reason"], factor=fresh_factor(request)
                )
                messages.success(request, "Proposed. Somebody else has to agree before it is in force.")
                return redirect("withdrawal_policy")
        except ValueError as unreadable:
            form.add_error(None, str(unreadable))
        except NotAllowed as refusal:
            blame(form, refusal)
    return render(
        request,
        "accounts/policy_propose.html",
        {"form": form, **(_compared(wanted, current, request))},
        status=422 if form.errors else 200,
    )


@require_http_methods(["GET", "POST"])
@or_trouble
def vote(request: DeskRequest, version_id: int) -> HttpResponse:
    rows = PolicyVersion.objects.visible_to(request.user).select_related("desk", "proposed_by")
    version = get_object_or_404(rows, pk=version_id)
    if request.method == "POST":
        try:
            if request.POST.get("do") == "approve":
                digest = request.POST.get("digest", "")
                after = approve_policy(version.pk, by=request.user, digest=digest, factor=fresh_factor(request))
            else:
                after = reject_policy(version.pk, by=request.user, reason=request.POST.get("reason", ""))
        except NotAllowed as refusal:
            messages.error(request, refusal.reason)
        else:
            messages.success(request, f"The proposal is {after.get_state_display().lower()} now.")
            return redirect("withdrawal_policy")
    current = policy_in_force(version.desk).policy
    shown = {"version": version, "own": version.proposed_by_id == request.user.pk}
    return render(request, "accounts/policy_vote.html", {**shown, **_compared(version.policy, current, request)})


def _compared(wanted: Policy | None, current: Policy, request: DeskRequest) -> dict[str, object]:
    if wanted is None:
        return {}
    return {
        "lines": lines_of(wanted),
        "stricter": stricter_parts(wanted, current),
        "looser": looser_parts(wanted, current),
        "warnings": unsatisfiable(wanted, members_of(desk_of(request))),
        "compared": True,
    }


def lines_of(one: Policy) -> list[tuple[str, str]]:
    """A policy, line by line, in words."""
    found = [
        (
            f"Above {plainly(tier.above)} USD",
            f"{tier.approvals} {'approval' if tier.approvals == 1 else 'approvals'}, {_wait(tier.cool_off)}",
        )
        for tier in one.tiers
    ]
    found.append(("First-time destination", _wait(one.first_time_cool_off)))
    found.append(("Reviewers", ", ".join(sorted(one.review_roles)) + "; never the requester"))
    for name, label in (
        ("desk_day", "Desk, 24 hours"),
        ("desk_week", "Desk, 7 days"),
        ("member_day", "One requester, 24 hours"),
        ("member_week", "One requester, 7 days"),
    ):
        limit = getattr(one, name)
        found.append((label, "no limit" if limit is None else f"at most {plainly(limit)} USD"))
    for label, limits in (("24 hours", one.currency_day), ("7 days", one.currency_week)):
        found += [(f"{name}, {label}", f"at most {plainly(value)} {name}") for name, value in sorted(limits.items())]
    found.append(("A request expires after", words(one.expires_after)))
    hours = f"{one.hours[0]:02d}:00 to {one.hours[1]:02d}:00 UTC" if one.hours else "at any hour"
    found.append(("Sent", "never: paused" if one.paused else hours))
    glass = "two admins may send without review; judged afterwards" if one.break_glass else "no"
    found.append(("Break-glass", glass))
    people = "one other person" if one.policy_approvals == 1 else f"{one.policy_approvals} other people"
    found.append(("To change this policy", people))
    return found


def _wait(span: timedelta) -> str:
    return f"cool-off {words(span)}" if span else "no cool-off"
