"""Attacks that have a name, tried. Those on sign-in, factors, sessions and sockets stand with what they attack."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys

import pytest
from django.contrib.auth.hashers import make_password as hashed
from django.test import Client

from accounts.models import Desk, Membership, Role, User
from tests.accounts.signing_in import sign_in
from tests.stack import ROOT

SETTINGS = """
import json, django; from django.conf import settings; django.setup()
names = ("SESSION_COOKIE_NAME", "SESSION_COOKIE_SECURE", "SESSION_COOKIE_HTTPONLY", "SESSION_COOKIE_SAMESITE",
         "SESSION_COOKIE_DOMAIN", "SESSION_COOKIE_PATH", "CSRF_COOKIE_NAME", "CSRF_COOKIE_SECURE",
         "SECURE_HSTS_SECONDS", "SECURE_HSTS_INCLUDE_SUBDOMAINS", "DEBUG")
print(json.dumps({name: getattr(settings, name) for name in names}))
"""


def test_behind_tls_cookies_are_of_this_host_alone_and_the_browser_is_told_to_stay_there() -> None:
    environment = {**os.environ, "KFWEB_HTTPS": "yes", "DJANGO_SETTINGS_MODULE": "kfweb.settings"}
    told = json.loads(subprocess.check_output([sys.executable, "-c", SETTINGS], cwd=ROOT, env=environment, timeout=60))
    assert told == {
        "SESSION_COOKIE_NAME": "__Host-kfweb_session", "SESSION_COOKIE_SECURE": True, "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax", "SESSION_COOKIE_DOMAIN": None, "SESSION_COOKIE_PATH": "/",
        "CSRF_COOKIE_NAME": "__Host-kfweb_csrf", "CSRF_COOKIE_SECURE": True, "SECURE_HSTS_SECONDS": 31536000,
        "SECURE_HSTS_INCLUDE_SUBDOMAINS": True, "DEBUG": False,
    }  # fmt: skip


@pytest.mark.parametrize("path", ["/", "/account/login/", "/keys/", "/nothing/", "/api/v1/accounts", "/api/nothing"])
def test_every_answer_carries_the_headers_that_bind_the_browser(
    desk: Desk, owner: User, client: Client, path: str
) -> None:
    sign_in(client, owner)
    headers = client.get(path).headers
    policy = headers["Content-Security-Policy"]
    for part in (
        "default-src 'self'",
        "script-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ):
        assert part in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["X-Frame-Options"] == "DENY"
    assert "no-store" in headers["Cache-Control"]
    assert "Access-Control-Allow-Origin" not in headers


def test_a_failed_sign_in_is_in_the_log_and_what_was_typed_is_not(
    owner: User, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, logger="accounts"):
        client.post("/account/login/", {"login": owner.email, "password": "not the password at all"})
    said = [record.getMessage() for record in caplog.records if record.name == "accounts.adapter"]
    assert said == ["a sign-in failed, from 127.0.0.1"]
    assert "not the password" not in caplog.text


def test_what_a_form_does_not_ask_for_is_not_set(desk: Desk, owner: User, viewer: User) -> None:
    """Mass assignment: a field more in a form makes nobody more."""
    client = Client()
    sign_in(client, viewer)
    client.post(
        "/profile/", {"theme": "dark", "time_zone": "UTC", "is_staff": "1", "is_superuser": "1", "role": "owner"}
    )
    viewer.refresh_from_db()
    assert (viewer.theme, viewer.is_staff, viewer.is_superuser) == ("dark", False, False)
    assert Membership.objects.get(user=viewer).role == Role.VIEWER


def test_what_people_write_is_text_on_every_page(desk: Desk, owner: User, client: Client) -> None:
    Desk.objects.filter(pk=desk.pk).update(name="<script>alert(1)</script>")
    User.objects.filter(pk=owner.pk).update(name="<img src=x onerror=alert(1)>")
    sign_in(client, owner)
    for path in ("/", "/people/", "/keys/", "/activity/", "/tokens/", "/withdrawals/"):
        page = client.get(path).content
        assert b"<script>alert" not in page, path
        assert b"<img src=x" not in page, path


def test_another_methods_name_changes_nothing(desk: Desk, owner: User, client: Client) -> None:
    sign_in(client, owner)
    for method in ("TRACE", "CONNECT", "PROPFIND"):
        assert client.generic(method, "/api/v1/accounts").status_code in {401, 405}
        assert client.generic(method, "/keys/").status_code in {403, 405}


def test_an_address_the_caller_says_is_not_believed_where_there_is_no_proxy(
    owner: User, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    typed = {"login": owner.email, "password": "not it"}
    client.post("/account/login/", typed, headers={"X-Forwarded-For": "6.6.6.6", "X-Real-IP": "6.6.6.6"})
    assert "from 127.0.0.1" in caplog.text
    assert "6.6.6.6" not in caplog.text


def test_a_password_is_kept_as_argon2id_alone() -> None:
    kept = hashed("correct horse battery")
    assert kept.startswith("argon2$argon2id$")
    assert "correct horse" not in kept
