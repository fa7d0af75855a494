from __future__ import annotations

import time

import pytest
from allauth.mfa.models import Authenticator
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse
from pytest_django import Settings

from accounts.models import User
from accounts.stepup import fresh_factor, require_fresh_factor
from tests.accounts.signing_in import sign_in


def request_of(client: Client, user: User, method: str = "get", path: str = "/keys/add/") -> HttpRequest:
    request: HttpRequest = getattr(RequestFactory(), method)(path)
    request.user, request.session = user, client.session
    request._messages = type("Kept", (list,), {"add": lambda self, *a: self.append(a)})()  # type: ignore[attr-defined]
    return request


@require_fresh_factor(back="keys")
def money(request: HttpRequest) -> HttpResponse:
    return HttpResponse("moved")


def test_a_password_of_this_minute_is_enough_for_whoever_has_no_second_factor(client: Client, owner: User) -> None:
    sign_in(client, owner)
    factor = fresh_factor(request_of(client, owner))
    assert factor is not None
    assert (factor.kind, factor.is_second) == ("password", False)
    assert money(request_of(client, owner)).content == b"moved"


def test_an_old_proof_asks_for_a_new_one_and_does_nothing(client: Client, owner: User, settings: Settings) -> None:
    sign_in(client, owner, age=settings.STEP_UP_SECONDS + 1)
    answer = money(request_of(client, owner, "post"))
    assert answer.status_code == 302
    assert answer["Location"] == f"{reverse('account_reauthenticate')}?next=/keys/"


def test_a_form_is_not_even_shown_so_that_nothing_is_typed_in_vain(client: Client, owner: User) -> None:
    client.force_login(owner)
    answer = money(request_of(client, owner))
    assert (answer.status_code, b"moved" in answer.content) == (302, False)


def test_a_password_is_not_enough_for_whoever_has_a_second_factor(client: Client, owner: User) -> None:
    Authenticator.objects.create(user=owner, type=Authenticator.Type.TOTP, data={"secret": "x"})
    sign_in(client, owner)
    assert fresh_factor(request_of(client, owner)) is None
    sign_in(client, owner, kind="totp")
    factor = fresh_factor(request_of(client, owner))
    assert factor is not None
    assert factor.is_second


def test_the_page_that_asks_takes_the_second_factor_and_not_the_password(client: Client, owner: User) -> None:
    Authenticator.objects.create(user=owner, type=Authenticator.Type.TOTP, data={"secret": "x"})
    sign_in(client, owner)
    answer = client.get(reverse("account_reauthenticate"), {"next": "/keys/"})
    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("mfa_reauthenticate"))


def test_a_proof_of_somebody_else_in_the_same_session_is_none(client: Client, owner: User, viewer: User) -> None:
    sign_in(client, owner)
    assert fresh_factor(request_of(client, viewer)) is None


@pytest.mark.parametrize("age", [-3600, 10**9])
def test_a_proof_of_tomorrow_or_of_long_ago_is_none(client: Client, owner: User, age: float) -> None:
    sign_in(client, owner, age=age)
    assert fresh_factor(request_of(client, owner)) is None


def test_the_password_typed_again_is_a_fresh_proof(client: Client, owner: User) -> None:
    client.force_login(owner)
    answer = client.post(reverse("account_reauthenticate"), {"password": "correct horse battery", "next": "/keys/"})
    assert answer.status_code == 302
    assert fresh_factor(request_of(client, owner)) is not None


def test_a_wrong_password_is_no_proof(client: Client, owner: User) -> None:
    client.force_login(owner)
    client.post(reverse("account_reauthenticate"), {"password": "a wrong one", "next": "/keys/"})
    assert fresh_factor(request_of(client, owner)) is None


@pytest.mark.parametrize("method", ["get", "post"])
def test_keys_are_added_only_with_a_fresh_factor(client: Client, owner: User, method: str) -> None:
    client.force_login(owner)
    answer = getattr(client, method)(reverse("add_key"), {"label": "x", "secret": "very secret", "public_key": "y"})
    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("account_reauthenticate"))
    assert "very secret" not in str(dict(client.session))


def test_what_was_typed_is_there_again_after_the_proof_once_and_without_its_secrets(
    client: Client, owner: User, settings: Settings
) -> None:
    sign_in(client, owner, age=settings.STEP_UP_SECONDS + 1)
    typed = {"email": "new@example.test", "role": "viewer", "private_key": "c2VjcmV0"}
    assert client.post("/people/invite/", typed).status_code == 302
    assert "c2VjcmV0" not in str(dict(client.session))
    prove_again(client, owner)
    page = client.get("/people/invite/").content.decode()
    assert '{"email": ["new@example.test"], "role": ["viewer"]}' in page
    assert "new@example.test" not in client.get("/people/invite/").content.decode()


def test_what_was_typed_on_one_page_is_told_to_no_other(client: Client, owner: User, settings: Settings) -> None:
    sign_in(client, owner, age=settings.STEP_UP_SECONDS + 1)
    client.post("/people/invite/", {"email": "new@example.test"})
    prove_again(client, owner)
    assert "new@example.test" not in client.get("/people/").content.decode()


def prove_again(client: Client, user: User) -> None:
    """In the same session."""
    session = client.session
    session["account_authentication_methods"] = [{"method": "password", "at": time.time()}]
    session["account_authentication_methods_user"] = str(user.pk)
    session.save()
