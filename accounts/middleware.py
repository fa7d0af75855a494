"""Which desk and which account this request is about, and whose clock the page shows."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from zoneinfo import ZoneInfo

import structlog
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts.models import Account, Membership, User

REMEMBERED = "account"  # in the session


class CurrentDesk:
    """Sets `desk`, `account`, `accounts` and `membership` on the request; all empty for whoever is not signed in.

    `?account=ID` chooses, if the user may see it, and is remembered; else what was remembered; else the first.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=secrets.token_hex(8))
        user = request.user
        if not isinstance(user, User):
            return self._answer(request, None, None, [])
        memberships = {
            m.desk_id: m for m in Membership.objects.filter(user=user).select_related("desk").order_by("pk")
        }
        visible = list(Account.objects.filter(desk__in=memberships).order_by("desk_id", "pk")) if memberships else []
        account = _choose(request, visible)
        membership = memberships[account.desk_id] if account else next(iter(memberships.values()), None)
        with timezone.override(ZoneInfo(user.time_zone)):
            return self._answer(request, membership, account, visible)

    def _answer(
        self, request: HttpRequest, membership: Membership | None, account: Account | None, visible: list[Account]
    ) -> HttpResponse:
        desk = membership.desk if membership else None
        request.membership = membership  # type: ignore[attr-defined]
        request.desk = desk  # type: ignore[attr-defined]
        request.account = account  # type: ignore[attr-defined]
        request.accounts = [one for one in visible if desk and one.desk_id == desk.pk]  # type: ignore[attr-defined]
        return self.get_response(request)


def _choose(request: HttpRequest, visible: list[Account]) -> Account | None:
    by_id = {str(account.pk): account for account in visible}
    asked = by_id.get(request.GET.get("account", ""))
    if asked:
        if request.session.get(REMEMBERED) != asked.pk:
            request.session[REMEMBERED] = asked.pk
        return asked
    return by_id.get(str(request.session.get(REMEMBERED))) or (visible[0] if visible else None)
