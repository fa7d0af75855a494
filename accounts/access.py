"""The table of rights under an older name, for callers that still ask by role."""

from __future__ import annotations

from accounts.models import Desk, Membership, Role, User
from accounts.rights import MANAGERS, TRADERS, NoRight, membership_of

__all__ = ["MANAGERS", "TRADERS", "membership_of", "require_role"]


def require_role(user: User, desk: Desk, *roles: Role) -> Membership:
    """The membership, or `NoRight`."""
    membership = membership_of(user, desk)
    if membership is None or membership.role not in roles:
        raise NoRight(f"Only {' or '.join(str(role.label).lower() for role in roles)} of this desk may do that.")
    return membership
