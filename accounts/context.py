"""What every page's frame shows."""

from __future__ import annotations

from functools import cache, partial
from typing import Any

from django.http import HttpRequest

from accounts.actions.withdrawal_looks import needs_count
from accounts.broker import Budget, StoreAway, budget
from accounts.models import Account, ApiKey, Desk, User
from accounts.stepup import typed_before


def frame(request: HttpRequest) -> dict[str, Any]:
    """Context of the frame; safe on error pages, where the middleware may not have run."""
    account: Account | None = getattr(request, "account", None)
    user = getattr(request, "user", None)
    person = user if isinstance(user, User) else None
    return {
        "desk": getattr(request, "desk", None),
        "account": account,
        "accounts": getattr(request, "accounts", []),
        "membership": getattr(request, "membership", None),
        "memberships": getattr(request, "memberships", []),
        "environment": account.environment if account else "",
        "theme": person.theme if person else User.Theme.SYSTEM.value,
        "typed_before": typed_before(request) if person else {},
        "needs_you": cache(partial(_needs_you, getattr(request, "desk", None), person)),
        "budget": partial(_budget, account),  # asks the store only where a page shows it
    }


def _budget(account: Account | None) -> Budget | None:
    key = ApiKey.objects.usable().filter(account=account).first() if account else None
    try:
        return budget(key.pk) if key else None
    except StoreAway:
        return None


def _needs_you(desk: Desk | None, person: User | None) -> int:
    """How many withdrawals wait for this person's word."""
    return needs_count(desk, person) if desk and person else 0
