"""How sign-in behaves where it differs from allauth's habits."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """People are let in by a set-up link or by a desk, never by a sign-up form."""
        return False
