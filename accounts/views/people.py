"""The way in on an empty installation, and a person's own page."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts.actions.desks import accept_invitation, open_invitation
from accounts.actions.people import is_open_link, set_preferences, set_up
from accounts.forms import JoinForm, ProfileForm, SetupForm, blame
from accounts.middleware import REMEMBERED_DESK
from accounts.models import Invitation, User
from accounts.rules import NotAllowed
from accounts.stepup import note_password
from accounts.views.request import DeskRequest

BACKEND = "accounts.backend.Backend"


@login_not_required
@require_http_methods(["GET", "POST"])
@never_cache
@sensitive_post_parameters("password", "again")
def setup(request: HttpRequest, token: str) -> HttpResponse:
    if not is_open_link(token):
        return render(request, "accounts/setup_closed.html", status=410)
    form = SetupForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            user = set_up(token, form.cleaned_data["email"], form.cleaned_data["password"])
        except NotAllowed as refusal:
            blame(form, refusal)
        else:
            login(request, user, backend=BACKEND)
            note_password(request, user)
            return redirect("overview")
    return render(request, "accounts/setup.html", {"form": form}, status=422 if form.errors else 200)


@login_not_required
@require_http_methods(["GET", "POST"])
@never_cache
@sensitive_post_parameters("password")
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Who is new chooses a password; who signs in here already does so first, as the person the invitation names."""
    found = open_invitation(token)
    if found is None:
        return render(request, "accounts/invitation_closed.html", status=410)
    form = JoinForm(request.POST or None) if _is_new(request, found) else None
    refusal = None
    if request.method == "POST" and (form is None or form.is_valid()):
        try:
            _join(request, token, form)
        except NotAllowed as problem:
            refusal = problem
        else:
            return redirect("overview")
    if form and refusal:
        blame(form, refusal)
    context = {"invitation": found, "form": form, "refusal": refusal if form is None else None}
    failed = refusal or (form and form.errors)
    return render(request, "accounts/invitation.html", context, status=422 if failed else 200)


def _is_new(request: HttpRequest, found: Invitation) -> bool:
    return not request.user.is_authenticated and not User.objects.filter(email=found.email).exists()


def _join(request: HttpRequest, token: str, form: JoinForm | None) -> None:
    if form is not None:
        membership = accept_invitation(token, password=form.cleaned_data["password"])
        login(request, membership.user, backend=BACKEND)
        note_password(request, membership.user)
    elif isinstance(request.user, User):
        membership = accept_invitation(token, user=request.user)
    else:
        raise NotAllowed("Sign in first, then follow the link again.", code="sign_in")
    request.session[REMEMBERED_DESK] = membership.desk_id


@require_http_methods(["GET", "POST"])
def profile(request: DeskRequest) -> HttpResponse:
    initial = {"theme": request.user.theme, "time_zone": request.user.time_zone}
    form = ProfileForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        set_preferences(request.user, **form.cleaned_data)
        messages.success(request, "Kept.")
        return redirect("profile")
    return render(request, "accounts/profile.html", {"form": form}, status=422 if form.errors else 200)
