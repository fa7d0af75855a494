"""Which venue a page shows."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest

from accounts.models import Account, Environment


def environment_of(request: HttpRequest) -> str:
    """The current account's; without one, the demo exchange if it is switched on."""
    account: Account | None = getattr(request, "account", None)
    if account:
        return account.environment
    return Environment.DEMO if settings.DEMO_ENABLED else Environment.PRODUCTION
