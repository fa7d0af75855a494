"""The people of a desk: who is there, who is invited, what each may do; and which desk is looked at."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.actions import desks
from accounts.actions.limits import used_by
from accounts.actions.policy import newly_lost, out_of_reach
from accounts.forms import DeskForm, InviteForm, MemberForm, blame
from accounts.middleware import REMEMBERED_DESK
from accounts.models import Invitation, Membership, Role
from accounts.rights import ALLOWED, DOORS, Right, has
from accounts.rules import NotAllowed
from accounts.views.request import DeskRequest, desk_of, desk_with


@require_GET
def people(request: DeskRequest) -> HttpResponse:
    desk = desk_of(request)
    may_manage = has(request.membership, Right.MANAGE_PEOPLE)
    context = {
        "members": desk.memberships.select_related("user").order_by("pk"),
        "invitations": desk.invitations.open().select_related("made_by") if may_manage else [],
        "may_manage": may_manage,
        "may_change_desk": has(request.membership, Right.MANAGE_DESK),
    }
    return render(request, "accounts/people.html", context)


@require_http_methods(["GET", "POST"])
@never_cache
def invite(request: DeskRequest) -> HttpResponse:
    """The link is shown once, to whoever made it, and sent to the person."""
    desk = desk_with(request, Right.MANAGE_PEOPLE)
    form = InviteForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            invitation, token = desks.invite(desk, by=request.user, **form.cleaned_data)
        except NotAllowed as refusal:
            blame(form, refusal)
        else:
            link = request.build_absolute_uri(reverse("invitation", args=[token]))
            desks.send_invitation(invitation, link)
            return render(request, "accounts/invited.html", {"invitation": invitation, "link": link})
    return render(request, "accounts/invite.html", {"form": form}, status=422 if form.errors else 200)


@require_POST
def withdraw_invitation(request: DeskRequest, invitation_id: int) -> HttpResponse:
    invitation = get_object_or_404(Invitation, pk=invitation_id, desk=desk_with(request, Right.MANAGE_PEOPLE))
    try:
        desks.withdraw_invitation(invitation, by=request.user)
    except NotAllowed as refusal:
        messages.error(request, refusal.reason)
    return redirect("people")


@require_http_methods(["GET", "POST"])
def member(request: DeskRequest, member_id: int) -> HttpResponse:
    found = _member(request, member_id)
    form = MemberForm(request.POST) if request.method == "POST" else MemberForm(initial=_as_it_is(found))
    before = out_of_reach(found.desk)
    if form.is_bound and form.is_valid():
        try:
            desks.change_member(found, by=request.user, **form.cleaned_data)
        except NotAllowed as refusal:
            blame(form, refusal)
        else:
            messages.success(request, f"{found.user}: kept.")
            for line in newly_lost(before, out_of_reach(found.desk)):
                messages.warning(request, f"From now on {line}")
            return redirect("people")
    context = {"form": form, "member": found, "used": used_by(found.user, found.desk)}
    context["lost"] = newly_lost(before, out_of_reach(found.desk, without=found.user))
    return render(request, "accounts/member.html", context, status=422 if form.errors else 200)


@require_POST
def suspend(request: DeskRequest, member_id: int) -> HttpResponse:
    """`suspended=no` lets a suspended member back in."""
    found = _member(request, member_id)
    try:
        if request.POST.get("suspended") == "no":
            desks.resume_member(found, by=request.user)
            messages.success(request, f"{found.user} is back on the desk.")
        else:
            desks.suspend_member(found, by=request.user)
            messages.success(request, f"{found.user} is suspended and signed out everywhere.")
    except NotAllowed as refusal:
        messages.error(request, refusal.reason)
    return redirect("people")


@require_POST
def remove(request: DeskRequest, member_id: int) -> HttpResponse:
    found = _member(request, member_id)
    try:
        desks.remove_member(found, by=request.user)
    except NotAllowed as refusal:
        messages.error(request, refusal.reason)
    else:
        messages.success(request, f"{found.user} is no longer on the desk, and signed out everywhere.")
    return redirect("people")


@require_http_methods(["GET", "POST"])
def settings(request: DeskRequest) -> HttpResponse:
    desk = desk_with(request, Right.MANAGE_DESK)
    initial = {name: getattr(desk, name) for name in DeskForm.base_fields}
    form = DeskForm(request.POST) if request.method == "POST" else DeskForm(initial=initial)
    if form.is_bound and form.is_valid():
        try:
            desks.change_desk(desk, by=request.user, **form.cleaned_data)
        except NotAllowed as refusal:
            blame(form, refusal)
        else:
            messages.success(request, "Kept.")
            return redirect("people")
    return render(request, "accounts/desk_settings.html", {"form": form}, status=422 if form.errors else 200)


@require_POST
def choose(request: DeskRequest) -> HttpResponse:
    """Go on with another of one's desks."""
    chosen = next((one for one in request.memberships if str(one.desk_id) == request.POST.get("desk", "")), None)
    if chosen is None:
        messages.error(request, "You are not on that desk.")
    else:
        request.session[REMEMBERED_DESK] = chosen.desk_id
    return redirect("overview")


@require_GET
def rights(request: DeskRequest) -> HttpResponse:
    """The table of rights as the program itself reads it."""
    context = {
        "roles": list(Role),
        "rows": [(right.value, [role in ALLOWED[right] for role in Role]) for right in Right],
        "fresh": sorted({door.write.value for door in DOORS.values() if door.fresh and isinstance(door.write, Right)}),
    }
    return render(request, "accounts/rights.html", context)


def _member(request: DeskRequest, member_id: int) -> Membership:
    return get_object_or_404(
        Membership.objects.select_related("user", "desk"), pk=member_id, desk=desk_with(request, Right.MANAGE_PEOPLE)
    )


def _as_it_is(found: Membership) -> dict[str, object]:
    plain = {name: getattr(found, name) for name in ("role", "largest_order", "daily_notional", "reduce_only")}
    return plain | {"instruments": " ".join(found.instruments)}
