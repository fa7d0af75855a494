"""Signing somebody in without the form, as far as the step-up can tell: with a proof of a kind and an age."""

from __future__ import annotations

import time

from django.test import Client

from accounts.models import User


def sign_in(client: Client, user: User, *, kind: str = "password", age: float = 0) -> None:
    """`kind` is "password", "totp", "webauthn" or "recovery_codes"; `age` is in seconds."""
    client.force_login(user)
    session = client.session
    record = {"method": "password"} if kind == "password" else {"method": "mfa", "type": kind, "id": 0}
    session["account_authentication_methods"] = [record | {"at": time.time() - age}]
    session["account_authentication_methods_user"] = str(user.pk)
    session.save()
