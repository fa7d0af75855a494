"""A session ends by itself: when nobody did anything in it, and some days after the last proof of the person."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.actions.sessions import live_sessions
from accounts.models import User
from tests.accounts.signing_in import sign_in

PAGE = "/profile/"


def after(**span: float) -> time_machine.travel:
    return time_machine.travel(timezone.now() + timedelta(**span), tick=True)


@pytest.fixture(autouse=True)
def half_an_hour(settings: Settings) -> None:
    settings.SESSION_IDLE_MINUTES, settings.SESSION_DAYS = 30, 1


def test_whoever_does_nothing_is_signed_out(client: Client, owner: User) -> None:
    sign_in(client, owner)
    with after(minutes=29):
        assert client.get(PAGE, headers={"Sec-Fetch-Mode": "cors"}).status_code == 200
        assert live_sessions(owner)
    with after(minutes=31):
        answer = client.get(PAGE)
        assert (answer.status_code, answer.url) == (302, f"/account/login/?next={PAGE}")
        assert not live_sessions(owner)


@pytest.mark.parametrize(("mode", "stays"), [("navigate", True), ("cors", False)])
def test_a_page_that_is_opened_keeps_it_and_what_an_open_page_fetches_does_not(
    client: Client, owner: User, mode: str, stays: bool
) -> None:
    sign_in(client, owner)
    with after(minutes=20):
        assert client.get(PAGE, headers={"Sec-Fetch-Mode": mode}).status_code == 200
    with after(minutes=45):
        assert (client.get(PAGE).status_code == 200) is stays


def test_it_ends_some_days_after_the_last_proof_whatever_was_done_since(
    client: Client, owner: User, settings: Settings
) -> None:
    settings.SESSION_IDLE_MINUTES = 100_000
    sign_in(client, owner)
    with after(hours=23):
        assert client.post("/profile/", {"theme": "dark", "time_zone": "UTC"}).status_code == 302
    with after(hours=25):
        assert client.get(PAGE).status_code == 302
