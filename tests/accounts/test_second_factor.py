"""Second factors: set up, asked for at the door, single use, sealed, and gone only with a fresh proof."""

from __future__ import annotations

import re

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import (
    SECRET_SESSION_KEY,
    format_hotp_value,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.core import mail
from django.db import connection
from django.test import Client

from accounts import mfa, vault
from accounts.actions.rotation import rotate_vault
from accounts.factors import has_second_factor
from accounts.models import AuditRow, Desk, User
from tests.accounts.signing_in import sign_in

PASSWORD = "correct horse battery"
INLINE = (b" style=", b"<style", b"onclick=", b"<script>")


@pytest.fixture(autouse=True)
def prepared(transactional_db: None) -> None:  # what follows a commit belongs to the story
    vault.prepare()


def code_for(secret: str, *, step: int = 0) -> str:
    now = sorted(yield_hotp_counters_from_time())
    return format_hotp_value(hotp_value(secret, now[len(now) // 2] + step))


def set_up(client: Client, user: User) -> tuple[str, list[str]]:
    """The app's secret and the recovery codes, as the person gets to see them."""
    sign_in(client, user)
    page = client.get("/account/2fa/totp/activate/")
    assert page.status_code == 200
    assert not any(word in page.content for word in INLINE)
    secret = client.session[SECRET_SESSION_KEY]
    answer = client.post("/account/2fa/totp/activate/", {"code": code_for(secret)}, follow=True)
    return secret, re.findall(r"\b\d{8}\b", answer.content.decode())


def enter(client: Client, email: str, code: str) -> int:
    client.post("/account/login/", {"login": email, "password": PASSWORD})
    return client.post("/account/2fa/authenticate/", {"code": code}).status_code


def test_an_authenticator_app_is_set_up_and_asked_for_at_the_door(client: Client, owner: User) -> None:
    secret, codes = set_up(client, owner)
    assert has_second_factor(owner)
    assert len(codes) == 10
    visitor = Client()
    answer = visitor.post("/account/login/", {"login": owner.email, "password": PASSWORD})
    assert answer["Location"].startswith("/account/2fa/authenticate/")
    assert visitor.get("/profile/").status_code == 302  # the password alone opens nothing
    assert visitor.post("/account/2fa/authenticate/", {"code": "000000"}).status_code == 200
    assert visitor.get("/profile/").status_code == 302
    assert visitor.post("/account/2fa/authenticate/", {"code": code_for(secret, step=1)}).status_code == 302
    assert visitor.get("/profile/").status_code == 200


def test_a_code_opens_once(client: Client, owner: User) -> None:
    secret, codes = set_up(client, owner)
    code = code_for(secret, step=1)
    assert enter(Client(), owner.email, code) == 302
    assert enter(Client(), owner.email, code) == 200
    assert enter(Client(), owner.email, codes[0]) == 302
    assert enter(Client(), owner.email, codes[0]) == 200


def test_neither_secret_nor_codes_lie_in_the_database(client: Client, owner: User) -> None:
    secret, codes = set_up(client, owner)
    rows = Authenticator.objects.filter(user=owner)
    assert {row.type for row in rows} == {"totp", "recovery_codes"}
    with connection.cursor() as cursor:
        cursor.execute("SELECT data FROM mfa_authenticator")
        stored = str(cursor.fetchall())
    assert secret not in stored
    assert not any(code in stored for code in codes)
    seeds = [mfa.MFAAdapter().decrypt(text) for row in rows for text in mfa.sealed_in(row)]
    assert not any(seed in stored for seed in seeds)


def test_a_factor_copied_to_somebody_else_opens_for_nobody(client: Client, owner: User, trader: User) -> None:
    set_up(client, owner)
    stolen = Authenticator.objects.get(user=owner, type="totp").data
    Authenticator.objects.create(user=trader, type="totp", data=stolen)
    with pytest.raises(vault.VaultError, match="copied"):
        mfa.MFAAdapter().decrypt(stolen["secret"])
    Authenticator.objects.filter(user=owner).delete()
    with pytest.raises(vault.VaultError):
        mfa.MFAAdapter().decrypt(stolen["secret"])


def test_rotating_the_master_key_takes_the_factors_along(client: Client, owner: User, settings) -> None:  # type: ignore[no-untyped-def]
    secret, _ = set_up(client, owner)
    import base64
    import secrets

    settings.MASTER_KEYS = ["newer:" + base64.b64encode(secrets.token_bytes(32)).decode(), *settings.MASTER_KEYS]
    assert rotate_vault().wrapped_now == 3  # the canary, the app, the codes
    assert rotate_vault().wrapped_now == 0
    settings.MASTER_KEYS = settings.MASTER_KEYS[:1]
    text = Authenticator.objects.get(user=owner, type="totp").data["secret"]
    assert mfa.MFAAdapter().decrypt(text) == secret


def test_turning_it_off_wants_the_factor_and_not_the_password(client: Client, owner: User) -> None:
    set_up(client, owner)
    sign_in(client, owner, kind="password")
    answer = client.post("/account/2fa/totp/deactivate/")
    assert "/reauthenticate/" in answer["Location"]
    assert has_second_factor(owner)
    sign_in(client, owner, kind="totp")
    client.post("/account/2fa/totp/deactivate/")
    assert not has_second_factor(owner)
    assert AuditRow.objects.filter(action="factor.removed").exists()
    assert any("deactivated" in letter.body.lower() for letter in mail.outbox)


def test_a_desk_that_asks_for_a_second_factor_shows_nothing_without(client: Client, owner: User, desk: Desk) -> None:
    Desk.objects.update(second_factor_required=True)
    client.force_login(owner)
    for page in ("/", "/keys/", "/people/", "/activity/"):
        answer = client.get(page)
        assert (answer.status_code, answer["Location"]) == (302, "/account/2fa/")
    assert client.post("/keys/try-demo/").status_code == 403
    set_up(client, owner)
    assert client.get("/people/").status_code == 200


def test_the_pages_of_the_factors_are_ours_and_hold_nothing_inline(client: Client, owner: User) -> None:
    sign_in(client, owner)
    for page in ("", "totp/activate/", "webauthn/", "webauthn/add/"):
        answer = client.get(f"/account/2fa/{page}")
        assert answer.status_code == 200, page
        assert b'class="bar"' in answer.content
        assert not any(word in answer.content for word in INLINE), page
