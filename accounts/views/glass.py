"""Breaking the glass of a withdrawal that cannot wait, and judging that afterwards."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.actions.withdrawal_glass import break_glass, review_glass
from accounts.actions.withdrawal_looks import changes_since, detail
from accounts.rules import NotAllowed
from accounts.stepup import fresh_factor
from accounts.views.request import DeskRequest
from accounts.views.withdrawals import refused, visible
from accounts.withdrawal_forms import GlassForm, VerdictForm


@require_http_methods(["GET", "POST"])
def break_it(request: DeskRequest, withdrawal_id: UUID) -> HttpResponse:
    """The page repeats what is sent without its review; the digest it shows is the one that is sent."""
    found = visible(request, withdrawal_id)
    form = GlassForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            after = break_glass(
                found.pk, by=request.user, digest=request.POST.get("digest", ""), note=form.cleaned_data["note"],
                factor=fresh_factor(request),
            )  # fmt: skip
        except NotAllowed as refusal:
            refused(form, found, refusal)
            found = visible(request, withdrawal_id)
        else:
            said = "The glass is broken: it is sent now." if after.glass_at else "One more admin has to break it."
            messages.warning(request, said)
            return redirect(after)
    shown = {"w": found, "form": form, "changes": changes_since(found, request.user), **detail(found, request.user)}
    return render(request, "accounts/withdrawal_glass.html", shown, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def review(request: DeskRequest, withdrawal_id: UUID) -> HttpResponse:
    found = visible(request, withdrawal_id)
    form = VerdictForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            after = review_glass(found.pk, by=request.user, factor=fresh_factor(request), **form.cleaned_data)
        except NotAllowed as refusal:
            refused(form, found, refusal)
        else:
            messages.success(request, "Your judgement is in the book, and everybody was told.")
            return redirect(after)
    shown = {"w": found, "form": form, **detail(found, request.user)}
    return render(request, "accounts/withdrawal_glass_review.html", shown, status=422 if form.errors else 200)
