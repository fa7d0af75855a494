"""Writing too often is refused with words and a time; nothing typed is lost, and less risk is never in its way."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.models import Desk, Invitation, User
from accounts.pace import NEVER_SLOWED
from accounts.rights import DOORS
from accounts.store import store
from tests.accounts.signing_in import sign_in


@pytest.fixture
def hasty(desk: Desk, owner: User, settings: Settings, client: Client) -> Client:
    """The owner, who has used up what a person may write just now."""
    settings.WRITES_PER_MINUTE = 4
    sign_in(client, owner)
    for _ in range(2):
        assert client.post("/preferences/", {"theme": "dark"}).status_code == 302
    return client


def test_the_third_write_waits_and_does_nothing(hasty: Client, owner: User) -> None:
    answer = hasty.post("/preferences/", {"theme": "light"})
    assert answer.status_code == 429
    assert 1 <= int(answer.headers["Retry-After"]) <= 15
    assert "Nothing was done" in answer.content.decode()
    owner.refresh_from_db()
    assert owner.theme == "dark"


def test_what_was_typed_is_sent_again_from_the_page(hasty: Client, settings: Settings, desk: Desk) -> None:
    typed = {"email": "new@example.test", "role": "viewer"}
    page = hasty.post("/people/invite/", typed).content.decode()
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page))
    assert {name: fields[name] for name in typed} == typed
    assert Invitation.objects.count() == 0
    settings.WRITES_PER_MINUTE = 1200
    assert hasty.post("/people/invite/", {name: fields[name] for name in typed}).status_code == 200
    assert Invitation.objects.get().email == "new@example.test"


def test_a_secret_is_not_written_into_the_page(hasty: Client) -> None:
    page = hasty.post("/keys/add/", {"label": "Mine", "public_key": "p", "secret": "the private half"})
    assert page.status_code == 429
    assert "the private half" not in page.content.decode()
    assert "has to be typed again" in page.content.decode()


def test_a_script_is_told_in_the_line_of_messages_so_that_the_ticket_stays(hasty: Client) -> None:
    answer = hasty.post("/orders/", {"size": "1"}, headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Retarget"]) == (429, "#messages")
    assert "<form" not in answer.content.decode()


def test_reading_and_what_lessens_risk_are_never_slowed(hasty: Client) -> None:
    assert hasty.get("/people/").status_code == 200
    for path in ("/halt/", "/orders/cancel/", "/flatten/", "/profile/sessions/end-others/"):
        assert hasty.post(path).status_code != 429, path
    assert DOORS.keys() >= NEVER_SLOWED


def test_people_and_addresses_are_counted_apart(hasty: Client, trader: User) -> None:
    other = Client()
    sign_in(other, trader)
    assert other.post("/preferences/", {"theme": "dark"}).status_code == 302
    stranger = Client()
    answers = [stranger.post("/account/login/", {"login": "x", "password": "y"}).status_code for _ in range(3)]
    assert answers == [200, 200, 429]


def test_without_the_store_people_go_on(
    desk: Desk, owner: User, client: Client, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in(client, owner)
    store.cache_clear()
    settings.REDIS_URL = f"unix://{tmp_path}/nobody"
    assert client.post("/preferences/", {"theme": "dark"}).status_code == 302
    store.cache_clear()
