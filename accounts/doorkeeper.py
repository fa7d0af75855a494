"""The table of rights at the door: asked before any view runs, so that no view can forget to ask.

It knows the address and the person, not yet the object. Which desk the object belongs to, and whether the person holds
the right on that one, the queries (`visible_to`) and the actions (`rights.require`) say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import messages
from django.core.exceptions import ImproperlyConfigured
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import ResolverMatch

from accounts.factors import has_second_factor
from accounts.models import Membership, User
from accounts.pace import too_often
from accounts.rights import DOORS, Door, NoRight, Open, Right, Who, has
from accounts.stepup import ask, fresh_factor

READING = frozenset({"GET", "HEAD", "OPTIONS"})


class Doorkeeper:
    """Middleware; stands after `CurrentDesk`, whose memberships it reads."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: object, args: object, kwargs: dict[str, Any]
    ) -> HttpResponseBase | None:
        """None lets the view run. Raises `NoRight` (403) or `Http404` for a door that is closed."""
        assert request.resolver_match is not None
        door = door_of(request.resolver_match)
        who = door.read if request.method in READING or door.write is None else door.write
        user = request.user if isinstance(request.user, User) else None
        memberships: Iterable[Membership] = getattr(request, "memberships", ())
        if user and isinstance(who, Right) and not memberships and getattr(request, "lacks_factor", False):
            return _ask_for_second_factor(request, "Your desk asks")
        if user and who == Open.STAFF and user.is_staff and not has_second_factor(user):
            return _ask_for_second_factor(request, "Looking at every desk asks")
        if door.write is None and request.method not in READING:
            raise NoRight("Nothing is written at this address.")
        if not may_pass(who, user, memberships):
            if user and not memberships and request.method in READING:
                return render(request, "accounts/no_desk.html", status=403)
            raise NoRight(_refusal(who))
        if request.method not in READING and who != Open.TOKEN and (slower := too_often(request)):
            return slower
        if door.fresh and fresh_factor(request) is None:
            return ask(request, back=door.back or None)
        return None


def door_of(match: ResolverMatch) -> Door:
    """Raises `ImproperlyConfigured` for an address nobody has written into the table."""
    name = f"{match.namespaces[0]}:*" if match.namespaces else match.url_name or ""
    door = DOORS.get(name)
    if door is None:
        raise ImproperlyConfigured(f"The address “{match.view_name}” has no row in accounts/rights.py.")
    return door


def may_pass(who: Who, user: User | None, memberships: Iterable[Membership]) -> bool:
    """Raises `Http404` for a closed door."""
    if who == Open.CLOSED:
        raise Http404
    if who in {Open.PUBLIC, Open.TOKEN}:  # the API looks at the token itself, and at nothing else
        return True
    if user is None:
        return False
    if who == Open.STAFF:
        return user.is_staff
    return who == Open.PERSON or any(has(one, who) for one in memberships if isinstance(who, Right))


def _refusal(who: Who) -> str:
    return f"Your role does not hold this right: {who.value.lower()}." if isinstance(who, Right) else "Not for you."


def _ask_for_second_factor(request: HttpRequest, who_asks: str) -> HttpResponse:
    """Nothing is shown and nothing done until there is one."""
    if request.method not in READING:
        raise NoRight(f"{who_asks} for a second factor. Set one up first.")
    messages.warning(request, f"{who_asks} for a second factor. Set one up to go on.")
    return redirect("mfa_index")
