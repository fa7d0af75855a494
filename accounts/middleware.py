"""Which desk and which account this request is about, and whose clock the page shows."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

import structlog
from django.contrib.auth.middleware import get_user
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.functional import LazyObject

from accounts.models import Account, Membership, User
from accounts.prepared import Prepared

REMEMBERED = "account"  # in the session
REMEMBERED_DESK = "desk"

MEMBERSHIPS = Prepared(
    lambda user: Membership.objects.in_force().filter(user=user).select_related("desk").order_by("pk")
)
VISIBLE = Prepared(lambda user: Account.objects.visible_to(user).order_by("pk"))


@dataclass(slots=True)
class Here:
    """What the request is about; everything empty for whoever is not signed in."""

    memberships: list[Membership] = field(default_factory=list)
    membership: Membership | None = None
    account: Account | None = None
    accounts: list[Account] = field(default_factory=list)
    visible: dict[str, Account] = field(default_factory=dict)  # by id, of every desk of the person
    lacks_factor: bool = False  # the person's desks want a second factor, and there is none


class CurrentDesk:
    """Sets `desk`, `account`, `accounts`, `visible_accounts`, `membership` and `memberships` on the request.

    `?account=ID` chooses an account, and its desk, if the user may see it, and is remembered; else the desk chosen
    last, with the account chosen last if it is one of its accounts; else the first of each.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        structlog.contextvars.clear_contextvars()
        request_id = secrets.token_hex(8)
        structlog.contextvars.bind_contextvars(request_id=request_id)
        try:
            answer = self._look_around_and_answer(request)
        finally:
            structlog.contextvars.clear_contextvars()  # the thread goes on to somebody else's request
        answer["X-Request-Id"] = request_id
        return answer

    def _look_around_and_answer(self, request: HttpRequest) -> HttpResponse:
        if isinstance(request.user, LazyObject):
            request.user = get_user(request)  # itself, once: asking through the lazy one costs at every attribute
        user = request.user
        if not isinstance(user, User):
            return self._answer(request, Here())
        with timezone.override(ZoneInfo(user.time_zone)):
            return self._answer(request, _look_around(request, user))

    def _answer(self, request: HttpRequest, here: Here) -> HttpResponse:
        request.memberships = here.memberships  # type: ignore[attr-defined]
        request.lacks_factor = here.lacks_factor  # type: ignore[attr-defined]
        request.membership = here.membership  # type: ignore[attr-defined]
        request.desk = here.membership.desk if here.membership else None  # type: ignore[attr-defined]
        request.account = here.account  # type: ignore[attr-defined]
        request.accounts = here.accounts  # type: ignore[attr-defined]
        request.visible_accounts = here.visible  # type: ignore[attr-defined]
        return self.get_response(request)


def _look_around(request: HttpRequest, user: User) -> Here:
    memberships = MEMBERSHIPS.all(user.pk)
    if not memberships:
        lacking = Membership.objects.filter(user=user, suspended_at=None, desk__second_factor_required=True)
        return Here(lacks_factor=lacking.exists())
    by_desk = {one.desk_id: one for one in memberships}
    visible = {str(one.pk): one for one in VISIBLE.all(user.pk) if one.desk_id in by_desk}
    for one in visible.values():
        one.desk = by_desk[one.desk_id].desk
    asked = visible.get(request.GET.get("account", ""))
    if asked:
        remember(request, asked)
        membership = by_desk[asked.desk_id]
    else:
        membership = by_desk.get(request.session.get(REMEMBERED_DESK, 0), memberships[0])
    accounts = [one for one in visible.values() if one.desk_id == membership.desk_id]
    account = asked or visible.get(str(request.session.get(REMEMBERED)))
    if account not in accounts:
        account = accounts[0] if accounts else None
    return Here(memberships, membership, account, accounts, visible)


def remember(request: HttpRequest, account: Account) -> None:
    """Go on with this account and its desk, also on the next page."""
    if request.session.get(REMEMBERED) != account.pk or request.session.get(REMEMBERED_DESK) != account.desk_id:
        request.session[REMEMBERED], request.session[REMEMBERED_DESK] = account.pk, account.desk_id
