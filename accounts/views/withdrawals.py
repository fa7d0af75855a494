"""The queue of withdrawals, a request's form, and everything about one of them."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from functools import partial
from uuid import UUID, uuid4

from django import forms
from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.actions.audit import record
from accounts.actions.withdrawal_demands import reserved_in
from accounts.actions.withdrawal_evidence import settle
from accounts.actions.withdrawal_execution import condemn
from accounts.actions.withdrawal_looks import changes_since, detail, queue
from accounts.actions.withdrawal_moves import Tampered
from accounts.actions.withdrawal_previews import Preview, preview
from accounts.actions.withdrawal_reviews import approve_withdrawal, reject_withdrawal
from accounts.actions.withdrawals import (
    cancel_withdrawal,
    change_request,
    read_destinations,
    read_facts,
    request_withdrawal,
    save_draft,
)
from accounts.forms import blame
from accounts.models import Account, Withdrawal
from accounts.rights import Right, has
from accounts.rules import NotAllowed
from accounts.spreadsheet import harmless
from accounts.stepup import fresh_factor
from accounts.views.request import DeskRequest, desk_of, desk_with
from accounts.withdrawal_forms import NoteForm, ReasonForm, SettleForm, WithdrawalForm, destination_key, money_of
from accounts.withdrawal_rules import S
from krakenfutures.funds import Destination, Landing
from krakenfutures.numbers import plain

COLUMNS = (
    "id", "code", "digest", "status", "requested_at", "requester", "account", "source", "currency", "amount", "usd",
    "landing", "target_wallet", "target_account", "reason", "policy", "approved_by", "executed_at", "reference",
    "ledger_row", "resolution", "glass_broken_by", "glass_verdict", "remark",
)  # fmt: skip


@require_GET
def withdrawals(request: DeskRequest) -> HttpResponse:
    desk = desk_of(request)
    return render(
        request,
        _page(request, "accounts/withdrawals.html"),
        {
            "groups": queue(desk, request.user),
            "watched": Account.objects.filter(desk=desk),
            "may_ask": has(request.membership, Right.REQUEST_WITHDRAWAL),
            "may_export": has(request.membership, Right.EXPORT),
        },
    )


@require_GET
def withdrawal(request: DeskRequest, withdrawal_id: UUID) -> HttpResponse:
    found = visible(request, withdrawal_id)
    page = _page(request, "accounts/withdrawal.html")
    changes = changes_since(found, request.user) if page == "accounts/withdrawal.html" else []  # a part is no new look
    return render(request, page, {"w": found, "changes": changes, **detail(found, request.user)})


@require_http_methods(["GET", "POST"])
def request_form(request: DeskRequest) -> HttpResponse:
    """A new request, a kept draft (`?draft=`), or a change of one's own (`?change=`)."""
    account = request.account
    if account is None:
        messages.error(request, "There is no account to move money from yet. Add a key.")
        return redirect("withdrawals")
    before = _started(request)
    if before is not None:
        account = before.account
    try:
        facts, places = read_facts(account), read_destinations(account)
    except NotAllowed as refusal:
        return _unanswered(request, account, before, refusal)
    typed = _typed(request)
    form = WithdrawalForm(
        typed, wallets=facts.wallets, held_back=partial(reserved_in, account, but=before),
        destinations=places, initial=_initial(before, places),
    )  # fmt: skip
    shown = None
    if request.method == "POST" and form.is_valid():
        try:
            done = _do(request, account, form, before)
            if done is not None:
                return redirect(done)
            shown = preview(account, form.wish, by=request.user, but=before)
            if typed is not None and shown.amount is not None:
                typed["amount"] = plain(shown.amount)  # what is asked for next is what was shown, also for "all"
        except NotAllowed as refusal:
            blame(form, refusal)
    return _form_page(request, account, before, form, shown)


@require_http_methods(["GET", "POST"])
def approve(request: DeskRequest, withdrawal_id: UUID) -> HttpResponse:
    """The page repeats what is approved; the digest it shows is the one that is sent."""
    found = visible(request, withdrawal_id)
    form = NoteForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            after = approve_withdrawal(
                found.pk, by=request.user, digest=request.POST.get("digest", ""), factor=fresh_factor(request),
                note=form.cleaned_data["note"],
            )  # fmt: skip
        except NotAllowed as refusal:
            refused(form, found, refusal)
            found = visible(request, withdrawal_id)
        else:
            messages.success(request, f"You approved it. It is {after.get_status_display().lower()} now.")
            return redirect(after)
    shown = {"w": found, "form": form, "changes": changes_since(found, request.user), **detail(found, request.user)}
    return render(request, "accounts/withdrawal_approve.html", shown, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def reject(request: DeskRequest, withdrawal_id: UUID) -> HttpResponse:
    found = visible(request, withdrawal_id)
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            after = reject_withdrawal(
                found.pk, by=request.user, reason=form.cleaned_data["reason"], factor=fresh_factor(request)
            )
        except NotAllowed as refusal:
            refused(form, found, refusal)
        else:
            messages.success(request, "You rejected it.")
            return redirect(after)
    return render(
        request, "accounts/withdrawal_reject.html", {"w": found, "form": form}, status=422 if form.errors else 200
    )


@require_http_methods(["GET", "POST"])
def settle_one(request: DeskRequest, withdrawal_id: UUID) -> HttpResponse:
    """Say what became of an uncertain one; the second person who says the same settles it."""
    found = visible(request, withdrawal_id)
    form = SettleForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            after = settle(found.pk, by=request.user, factor=fresh_factor(request), **form.cleaned_data)
        except NotAllowed as refusal:
            blame(form, refusal)
        else:
            messages.success(request, "Your word is noted." if after.state is S.UNCERTAIN else "It is settled.")
            return redirect(after)
    shown = {"w": found, "form": form, **detail(found, request.user)}
    return render(request, "accounts/withdrawal_settle.html", shown, status=422 if form.errors else 200)


@require_POST
def cancel(request: DeskRequest, withdrawal_id: UUID) -> HttpResponse:
    found = visible(request, withdrawal_id)
    try:
        cancel_withdrawal(found.pk, by=request.user)
        messages.success(request, "You took it back. Nothing was sent.")
    except NotAllowed as refusal:
        messages.error(request, refusal.reason)
    return redirect(found)


@require_GET
def export(request: DeskRequest) -> HttpResponse:
    """The register, oldest first, times in UTC; safe to open in a spreadsheet. That it was taken is in the book."""
    desk = desk_with(request, Right.EXPORT)
    record(request.user, "withdrawal.exported", desk, desk=desk)
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="withdrawals.csv"'
    writer = csv.writer(answer)
    writer.writerow(COLUMNS)
    rows = Withdrawal.objects.visible_to(request.user).filter(desk=desk).asked_for()
    related = rows.select_related("requester", "account", "glass_review").prefetch_related(
        "approvals__reviewer", "glass_votes__reviewer"
    )
    for row in related.order_by("created_at"):
        writer.writerow([harmless(str(cell)) for cell in _cells(row)])
    return answer


# --- shared with the pages of the broken glass ---------------------------------------------------------------------


def visible(request: DeskRequest, withdrawal_id: UUID) -> Withdrawal:
    rows = Withdrawal.objects.visible_to(request.user).select_related("account__desk", "desk", "requester")
    found = get_object_or_404(rows, pk=withdrawal_id)
    if found.requested_at is None and found.requester_id != request.user.pk:
        return get_object_or_404(rows.none())
    return found


def refused(form: forms.Form, found: Withdrawal, refusal: NotAllowed) -> None:
    """A tampered request ends here too, for everybody to see."""
    if isinstance(refusal, Tampered):
        condemn(found.pk, refusal)
    blame(form, refusal)


# --- inside --------------------------------------------------------------------------------------------------------


def _page(request: DeskRequest, template: str) -> str:
    """The page, or its living part alone when its script asks for that."""
    return f"{template}#live" if request.headers.get("X-Part") else template


def _form_page(
    request: DeskRequest, account: Account, before: Withdrawal | None, form: WithdrawalForm, shown: Preview | None
) -> HttpResponse:
    intent = request.POST.get("intent") or (before.pk if before else uuid4())
    said = {
        "form": form, "preview": shown, "intent": intent, "before": before, "from_account": account,
        "money": money_of(shown.wish, shown.amount) if shown else "",
    }  # fmt: skip
    return render(request, "accounts/withdrawal_request.html", said, status=422 if form.errors else 200)


def _unanswered(
    request: DeskRequest, account: Account, before: Withdrawal | None, refusal: NotAllowed
) -> HttpResponse:
    """The exchange is away: nothing is asked for, and nothing that was typed is lost."""
    if request.method != "POST":
        messages.error(request, refusal.reason)
        return redirect("withdrawals")
    form = WithdrawalForm(request.POST, wallets=None, destinations=())
    blame(form, refusal)
    return _form_page(request, account, before, form, None)


def _typed(request: DeskRequest) -> QueryDict | None:
    """What was typed; the button for all that is free takes the place of an amount."""
    if request.method != "POST":
        return None
    typed = request.POST.copy()
    if typed.get("do") == "all":
        typed["amount"] = ""
    return typed


def _started(request: DeskRequest) -> Withdrawal | None:
    asked = request.GET.get("draft") or request.GET.get("change")
    if not asked:
        return None
    try:
        found = visible(request, UUID(asked))
    except ValueError:
        return None
    return found if found.requester_id == request.user.pk else None


def _initial(before: Withdrawal | None, places: Iterable[Destination]) -> dict[str, str]:
    if before is None:
        spot = next((one for one in places if one.landing is Landing.SPOT), None)
        return {"destination": destination_key(spot)} if spot else {}
    return {
        "source": f"{before.source}|{before.currency}",
        "amount": plain(before.amount) if before.amount else "",
        "destination": f"{before.landing}|{before.target_wallet}|{before.target_account}",
        "reason": before.reason,
    }


def _do(request: DeskRequest, account: Account, form: WithdrawalForm, before: Withdrawal | None) -> Withdrawal | None:
    """What the pressed button says; None only looks."""
    wanted, money = request.POST.get("do"), money_of(form.wish, form.wish.amount)
    if wanted == "ask" and request.POST.get("shown", money) != money:
        raise NotAllowed("You changed it after it was shown. Look at it again, then ask.", code="shown")
    if wanted == "ask" and before is not None and before.is_waiting:
        changed = change_request(before.pk, by=request.user, wish=form.wish, factor=fresh_factor(request))
        messages.success(request, "Changed. Every vote so far is void.")
        return changed
    if wanted not in {"ask", "keep"}:
        return None
    try:
        intent = UUID(request.POST.get("intent", ""))
    except ValueError:
        raise NotAllowed("The page was not whole. Open it again.", code="intent") from None
    if wanted == "keep":
        messages.success(request, "Kept as a draft. Nobody was asked.")
        return save_draft(intent, account=account, by=request.user, wish=form.wish)
    asked = request_withdrawal(intent, account=account, by=request.user, wish=form.wish, factor=fresh_factor(request))
    messages.success(request, "Asked for. The others were told.")
    return asked


def _cells(row: Withdrawal) -> Iterable[object]:
    voters = "; ".join(vote.reviewer.email for vote in row.approvals.all() if vote.digest == row.digest)
    broken = (
        "; ".join(vote.reviewer.email for vote in row.glass_votes.all() if vote.digest == row.digest)
        if row.glass_at
        else ""
    )
    verdict = row.glass_review.verdict if hasattr(row, "glass_review") else ""
    moments = (row.requested_at, row.executing_at)
    asked, sent = (moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else "" for moment in moments)
    return (
        row.pk, row.code, row.digest, row.status, asked, row.requester.email, row.account.label, row.source,
        row.currency, plain(row.amount), "" if row.usd is None else plain(row.usd), row.landing, row.target_wallet,
        row.target_account, row.reason, row.policy_number, voters, sent, row.reference, row.ledger_row or "",
        row.resolution, broken, verdict, row.remark,
    )  # fmt: skip
