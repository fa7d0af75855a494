"""Tokens: made with a fresh factor, shown once, kept as a hash, revoked for good."""

from __future__ import annotations

import hashlib
import re
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from django.utils import timezone

from accounts.actions.desks import accept_invitation, invite, remove_member
from accounts.actions.tokens import MOST, make_token
from accounts.models import ApiToken, AuditRow, Desk, Membership, User
from accounts.rules import NotAllowed
from tests.accounts.conftest import plain_static_files
from tests.accounts.signing_in import sign_in
from tests.api.calling import Caller, assert_problem
from trading.api.document import operations

__all__ = ["plain_static_files"]  # a fixture
FORM = {"label": "my bot", "scopes": ["read", "trade"], "days": "30"}


def signed_in(user: User, **options: float) -> Client:
    client = Client()
    sign_in(client, user, **options)  # type: ignore[arg-type]
    return client


def shown(page: bytes) -> str:
    found = re.search(r'value="(kfw_[\w-]{43})"', page.decode())
    assert found, page.decode()
    return found[1]


def test_a_token_is_made_on_a_page_shown_once_and_works(desk: Desk, trader: User) -> None:
    client = signed_in(trader)
    page = client.post("/tokens/make/", FORM)
    text = shown(page.content)
    assert "no-store" in page.headers["Cache-Control"] or "no-cache" in page.headers["Cache-Control"]
    token = ApiToken.objects.get()
    assert (token.user, token.desk, token.scopes, token.hint) == (trader, desk, ["read", "trade"], text[-4:])
    assert token.expires_at - timezone.now() > timedelta(days=29)
    answer = Client().get("/api/v1/accounts", headers={"Authorization": f"Bearer {text}"})
    assert (answer.status_code, answer.json()) == (200, {"items": [], "next": None})
    listed = client.get("/tokens/").content.decode()
    assert "my bot" in listed
    assert text not in listed


def test_only_a_hash_is_kept(desk: Desk, trader: User) -> None:
    token, text = make_token(desk, of=trader, by=trader, label="bot", scopes=["read"])
    row = ApiToken.objects.values().get()
    assert row["token_hash"] == hashlib.sha256(text.encode()).hexdigest()
    assert text not in str(row)
    assert text not in str(list(AuditRow.objects.values_list("details", flat=True)))
    assert AuditRow.objects.filter(action="token.made", about=f"apitoken:{token.pk}", actor=trader).exists()


def test_making_one_asks_for_a_fresh_factor(desk: Desk, trader: User) -> None:
    answer = signed_in(trader, age=10_000).post("/tokens/make/", FORM)
    assert (answer.status_code, ApiToken.objects.count()) == (302, 0)
    assert "/reauthenticate/" in answer.headers["Location"]


def test_a_form_with_mistakes_keeps_what_was_typed(desk: Desk, viewer: User) -> None:
    client = signed_in(viewer)
    page = client.post("/tokens/make/", {**FORM, "scopes": ["trade"]})
    assert page.status_code == 422
    assert "does not trade" in page.content.decode()
    assert 'value="my bot"' in page.content.decode()
    assert client.post("/tokens/make/", {"label": "x", "days": "7"}).status_code == 422
    assert ApiToken.objects.count() == 0


def test_the_owner_and_a_manager_revoke_and_nobody_else(
    desk: Desk, trader: User, owner: User, viewer: User, stranger: User
) -> None:
    made = Caller(trader, desk)
    for who in (viewer, stranger):
        assert signed_in(who).post(f"/tokens/{made.token.pk}/revoke/").status_code == 404
        assert (
            "bot" not in signed_in(who).get("/tokens/").content.decode().partition("<main")[2].partition("<table")[2]
        )
    assert made.get("accounts").status_code == 200
    signed_in(owner).post(f"/tokens/{made.token.pk}/revoke/")
    assert_problem(made.get("accounts"), 401, "unauthorized")
    row = AuditRow.objects.get(action="token.revoked")
    assert (row.actor, row.details["owner"]) == (owner, trader.email)

    second = Caller(trader, desk)
    signed_in(trader).post(f"/tokens/{second.token.pk}/revoke/")
    assert second.get("accounts").status_code == 401


def test_who_comes_back_gets_no_old_token_back(desk: Desk, trader: User, owner: User) -> None:
    made = Caller(trader, desk)
    remove_member(Membership.objects.get(user=trader), by=owner)
    _, link = invite(desk, by=owner, email=trader.email, role="trader")
    accept_invitation(link, user=trader)
    assert_problem(made.get("accounts"), 401, "unauthorized")


def test_there_are_not_more_than_a_person_can_watch(desk: Desk, trader: User) -> None:
    for _ in range(MOST):
        make_token(desk, of=trader, by=trader, label="bot", scopes=["read"])
    with pytest.raises(NotAllowed, match="Revoke one"):
        make_token(desk, of=trader, by=trader, label="bot", scopes=["read"])


def test_the_last_use_is_noted(desk: Desk, trader: User) -> None:
    made = Caller(trader, desk)
    made.get("accounts")
    token = ApiToken.objects.get()
    assert token.last_used_from == "127.0.0.1"
    assert token.last_used_at is not None
    assert timezone.now() - token.last_used_at < timedelta(seconds=60)


def command(**given: str) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command("token", *(f"--{name}={value}" for name, value in given.items()), stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_the_command_prints_a_token_alone_once(desk: Desk, trader: User) -> None:
    out, err = command(email=trader.email, desk=desk.name, scopes="read,trade")
    text = out.strip()
    assert re.fullmatch(r"kfw_[\w-]{43}", text)
    assert text not in err
    assert Client().get("/api/v1/accounts", headers={"Authorization": f"Bearer {text}"}).status_code == 200
    again, _ = command(email=trader.email.upper(), desk=str(desk.pk))
    assert again.strip() != text
    assert AuditRow.objects.filter(action="token.made", actor=None).count() == 2


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"email": "nobody@example.test"}, "Nobody signs in"), ({"desk": "Another desk"}, "is on no desk"),
        ({"scopes": "withdraw"}, "the scopes are read and trade"), ({"scopes": ""}, "the scopes are"),
        ({"days": "0"}, "1 to 366 days"),
    ],
)  # fmt: skip
def test_the_command_says_what_is_wrong(
    desk: Desk, trader: User, stranger: User, changes: dict[str, str], sentence: str
) -> None:
    given = {"email": trader.email, "desk": desk.name, "scopes": "read", **changes}
    with pytest.raises(CommandError, match=sentence):
        command(**given)
    assert ApiToken.objects.count() == 0


def test_two_desks_of_one_name_are_told_apart(desk: Desk, trader: User) -> None:
    twin = Desk.objects.create(name=desk.name)
    Membership.objects.create(desk=twin, user=trader, role="trader")
    with pytest.raises(CommandError, match=f"numbers {desk.pk}, {twin.pk}"):
        command(email=trader.email, desk=desk.name)


def test_the_page_of_the_api_is_ours_and_tells_every_operation(desk: Desk, viewer: User) -> None:
    page = signed_in(viewer).get("/api/").content.decode()
    for method, path in ((one.method, one.path) for one in operations()):
        assert f"{method} {path}" in page
    assert "Idempotency-Key" in page
    assert "swagger" not in page.lower()
    assert not re.search(r"<script(?![^>]*\bsrc=)", page)
    assert Client().get("/api/").status_code == 302  # to signing in
