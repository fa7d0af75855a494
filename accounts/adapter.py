"""How sign-in behaves where it differs from allauth's habits."""

from __future__ import annotations

import logging
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest

from accounts.actions.sessions import is_known_device
from accounts.models import User
from accounts.session_index import DEVICE

log = logging.getLogger(__name__)


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """People are let in by a set-up link or by a desk, never by a sign-up form."""
        return False

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """What failed attempts at a password are counted by: the browser the person is known to use, else the address.

        Never the e-mail alone: whoever knows it could then lock its owner out by typing nonsense.
        """
        email = str(credentials.get("email", "")).lower()
        token = request.COOKIES.get(DEVICE, "")
        if is_known_device(email, token):
            return f"device:{token}:{email}"
        return f"address:{self.get_client_ip(request)}:{email}"

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """In the log with the address, for whoever watches it; never what was typed."""
        super().authentication_failed(request, **credentials)
        log.warning("a sign-in failed, from %s", self.get_client_ip(request))

    def get_reauthentication_methods(self, user: User) -> list[dict[str, Any]]:
        """Whoever has a second factor proves themselves with that one: their password alone may be what was stolen."""
        methods: list[dict[str, Any]] = super().get_reauthentication_methods(user)
        second = [method for method in methods if method["id"] != "reauthenticate"]
        return second or methods
