"""What a request holds once the middleware has run."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from accounts.models import Account, Desk, Membership, User
from accounts.rights import Right, require


class DeskRequest(HttpRequest):
    user: User
    desk: Desk | None
    account: Account | None
    accounts: list[Account]
    membership: Membership | None
    memberships: list[Membership]


def desk_with(request: DeskRequest, right: Right) -> Desk:
    """The current desk, if the person holds this right on it: the door knows only that they hold it somewhere."""
    desk = desk_of(request)
    require(request.user, desk, right)
    return desk


def desk_of(request: DeskRequest) -> Desk:
    """The desk of a signed-in member; whoever has none is refused with 403."""
    if request.desk is None:
        raise PermissionDenied("You are not a member of any desk. Ask an owner to invite you.")
    return request.desk
