"""Who may do what on a desk."""

from __future__ import annotations

from accounts.models import Desk, Membership, Role, User
from accounts.rules import NotAllowed

MANAGERS = (Role.ADMIN, Role.OWNER)
TRADERS = (Role.TRADER, *MANAGERS)


def membership_of(user: User, desk: Desk) -> Membership | None:
    return Membership.objects.filter(user=user, desk=desk).first()


def require_role(user: User, desk: Desk, *roles: Role) -> Membership:
    """The membership, or `NotAllowed` with code "role". A user who is no member is refused like one who may not."""
    membership = membership_of(user, desk)
    if membership is None or membership.role not in roles or not user.is_active:
        words = " or ".join(str(role.label).lower() for role in roles)
        raise NotAllowed(f"Only {words} of this desk may do that.", code="role")
    return membership


def may_trade(membership: Membership | None) -> bool:
    return membership is not None and membership.role in TRADERS


def may_manage_keys(membership: Membership | None) -> bool:
    return membership is not None and membership.role in MANAGERS
