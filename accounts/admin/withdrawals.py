"""Withdrawals as an operator sees them: read-only, with the desk's own actions behind the buttons, one at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from accounts.actions.withdrawal_evidence import settle
from accounts.actions.withdrawal_glass import break_glass, review_glass
from accounts.actions.withdrawal_looks import detail
from accounts.actions.withdrawal_reviews import approve_withdrawal, reject_withdrawal
from accounts.actions.withdrawals import cancel_withdrawal
from accounts.admin.reading import ReadOnly, ReadOnlyRows
from accounts.models import Approval, GlassVote, Settlement, User, Withdrawal
from accounts.rights import NoRight
from accounts.rules import NotAllowed
from accounts.stepup import Factor, ask, fresh_factor, typed_before
from accounts.templatetags.money import cents, plainly
from accounts.views.withdrawals import refused
from accounts.withdrawal_forms import GlassForm, NoteForm, ReasonForm, SettleForm, VerdictForm
from accounts.withdrawal_rules import short_code


class BoundRows(ReadOnlyRows):
    """Words that are bound to what was shown: the code says to what."""

    fields = ("reviewer", "for_code", "round", "factor", "factor_at", "note", "at")
    readonly_fields = ("for_code",)

    @admin.display(description="for the code")
    def for_code(self, word: Approval | GlassVote) -> str:
        return short_code(word.digest)


class ApprovalRows(BoundRows):
    model = Approval


class SettlementRows(ReadOnlyRows):
    model = Settlement
    fields = ("reviewer", "outcome", "factor", "factor_at", "note", "at")


class GlassRows(BoundRows):
    model = GlassVote


@dataclass(frozen=True, slots=True)
class Step:
    """One thing a person may decide: what it is called, what they type, and the action behind it."""

    title: str
    allowed_by: str  # the word of `detail` that says whether this person may
    form: type[forms.Form]
    act: Callable[..., Withdrawal]
    wants_digest: bool = False
    wants_factor: bool = True


STEPS = {
    "approve": Step("Approve", "may_approve", NoteForm, approve_withdrawal, wants_digest=True),
    "reject": Step("Reject", "may_reject", ReasonForm, reject_withdrawal),
    "cancel": Step("Take it back", "may_cancel", forms.Form, cancel_withdrawal, wants_factor=False),
    "settle": Step("Say what became of it", "may_settle", SettleForm, settle),
    "break-glass": Step("Break the glass", "may_break", GlassForm, break_glass, wants_digest=True),
    "judge": Step("Judge the broken glass", "may_judge", VerdictForm, review_glass),
}


@admin.register(Withdrawal)
class WithdrawalAdmin(ReadOnly):
    """Every column to look at. A button asks for the same proof of the person as the page does."""

    list_display = ("code", "status", "moves", "source", "landing", "requester", "desk", "requested_at")
    list_filter = ("status", "desk")
    readonly_fields = ("moves", "worth")
    fieldsets = (
        ("What is asked for", {"fields": (
            "status", "moves", "source", "landing", "target_wallet", "target_account", "target_label", "reason",
            "desk", "account", "requester", "requester_person", "round", "policy_number", "digest",
        )}),
        ("What the policy asks", {"fields": (
            "worth", "is_first_time", "approvals_needed", "requested_at", "expires_at", "approved_at", "ready_at",
            "escalated_at", "glass_at",
        )}),
        ("The one attempt", {"fields": (
            "claims", "lease_until", "holder", "executing_at", "reference", "finished_at", "remark",
        )}),
        ("What the exchange's book says of it", {"fields": (
            "evidence", "look_at", "ledger_row", "resolution", "created_at", "revision",
        )}),
    )  # fmt: skip
    inlines = (ApprovalRows, SettlementRows, GlassRows)
    actions = None  # nothing is ever done to several at once

    @admin.display(description="amount")
    def moves(self, row: Withdrawal) -> str:
        return f"{plainly(row.amount)} {row.currency}"

    @admin.display(description="value, USD at the index")
    def worth(self, row: Withdrawal) -> str:
        return cents(row.usd)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Withdrawal]:
        return Withdrawal.objects.asked_for()

    def get_urls(self) -> list[URLPattern]:
        act = self.admin_site.admin_view(self.take_step)
        return [path("<uuid:withdrawal_id>/<slug:name>/step/", act, name="withdrawal_step"), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        found = Withdrawal.objects.select_related("account__desk", "desk", "requester").filter(pk=object_id).first()
        shown = {"w": found, **detail(found, _person(request)), "steps": _steps(request, found)} if found else {}
        return super().change_view(request, object_id, form_url, {**shown, **(extra_context or {})})

    def take_step(self, request: HttpRequest, withdrawal_id: UUID, name: str) -> HttpResponse:
        """The form of one step, and the step itself."""
        rows = Withdrawal.objects.select_related("account__desk", "desk", "requester")
        found, step = get_object_or_404(rows.asked_for(), pk=withdrawal_id), STEPS.get(name)
        if step is None or not self.has_view_permission(request, found):
            raise PermissionDenied
        factor = fresh_factor(request)
        if step.wants_factor and factor is None:
            return ask(request)
        typed = {name: values[-1] for name, values in typed_before(request).items() if values}
        form = step.form(request.POST if request.method == "POST" else None, initial=typed)
        if request.method == "POST" and form.is_valid():
            try:
                _act(step, request, found, form, factor)
            except NoRight as refusal:
                form.add_error(None, f"{refusal.reason} Who runs the installation is not one of them by that alone.")
            except NotAllowed as refusal:
                refused(form, found, refusal)
            else:
                messages.success(request, f"{step.title}: done.")
                return redirect("admin:accounts_withdrawal_change", found.pk)
        shown = {**self.admin_site.each_context(request), "title": step.title, "opts": self.opts, "w": found,
                 "form": form, "step": step, **detail(found, _person(request))}  # fmt: skip
        status = 422 if form.errors else 200
        return TemplateResponse(request, "admin/accounts/withdrawal/step.html", shown, status=status)


def _act(step: Step, request: HttpRequest, found: Withdrawal, form: forms.Form, factor: Factor | None) -> None:
    wanted: dict[str, Any] = {**form.cleaned_data, "by": _person(request)}
    if step.wants_factor:
        wanted["factor"] = factor
    if step.wants_digest:
        wanted["digest"] = request.POST.get("digest", "")
    step.act(found.pk, **wanted)


def _steps(request: HttpRequest, found: Withdrawal) -> list[tuple[str, str]]:
    """The buttons this person has here: the title, and where it leads."""
    said = detail(found, _person(request))
    return [
        (step.title, reverse("admin:withdrawal_step", args=[found.pk, name]))
        for name, step in STEPS.items()
        if said[step.allowed_by]
    ]


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user
