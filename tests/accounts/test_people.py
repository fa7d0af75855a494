"""The first person comes in by the environment or by a link that works once; nobody else comes in at all."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.contrib.auth import authenticate
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.actions.people import create_owner, first_start, is_open_link, make_setup_link, set_preferences, set_up
from accounts.models import AuditRow, Desk, Membership, Role, SetupLink, User
from accounts.rules import NotAllowed

PASSWORD = "correct horse battery"


def test_the_first_start_makes_the_owner_of_the_environment(db: None, settings: Settings) -> None:
    settings.OWNER_EMAIL, settings.OWNER_PASSWORD = "Owner@Example.test", PASSWORD
    assert first_start() is None
    membership = Membership.objects.get()
    assert (membership.user.email, membership.role, membership.desk.name) == (
        "owner@example.test",
        Role.OWNER,
        "Main desk",
    )
    assert authenticate(None, email="OWNER@example.test", password=PASSWORD) == membership.user
    assert not membership.user.is_staff
    assert AuditRow.objects.get().action == "desk.created"


def test_later_starts_change_nothing(owner: User, settings: Settings) -> None:
    settings.OWNER_EMAIL, settings.OWNER_PASSWORD = "second@example.test", PASSWORD
    assert first_start() is None
    assert User.objects.count() == 1


@pytest.mark.parametrize(
    ("email", "password", "why"),
    [
        ("a@example.test", "", "both"),
        ("nobody", PASSWORD, "KFWEB_OWNER_EMAIL"),
        ("a@example.test", "short", "at least 12"),
    ],
)
def test_an_impossible_owner_stops_the_first_start(
    db: None, settings: Settings, email: str, password: str, why: str
) -> None:
    settings.OWNER_EMAIL, settings.OWNER_PASSWORD = email, password
    with pytest.raises(ImproperlyConfigured, match=why):
        first_start()
    assert not User.objects.exists()


def test_without_an_owner_the_first_start_gives_a_link_that_works_once(db: None) -> None:
    path = first_start()
    assert path
    token = path.split("/")[2]
    assert token not in str(list(SetupLink.objects.values()))
    set_up(token, "owner@example.test", PASSWORD)
    assert not is_open_link(token)
    with pytest.raises(NotAllowed):
        set_up(token, "second@example.test", PASSWORD)
    assert User.objects.count() == 1


def test_a_second_start_voids_the_first_link(db: None) -> None:
    first, second = make_setup_link(), make_setup_link()
    assert not is_open_link(first)
    assert is_open_link(second)


def test_an_expired_link_and_a_guess_are_refused(db: None) -> None:
    token = make_setup_link()
    SetupLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    for attempt in (token, "guess", ""):
        assert not is_open_link(attempt)
        with pytest.raises(NotAllowed):
            set_up(attempt, "owner@example.test", PASSWORD)


def test_a_refused_password_does_not_use_up_the_link(db: None) -> None:
    token = make_setup_link()
    with pytest.raises(NotAllowed) as caught:
        set_up(token, "owner@example.test", "short")
    assert caught.value.field == "password"
    assert is_open_link(token)


@pytest.mark.django_db(transaction=True)
def test_two_people_following_the_link_together_make_one_owner() -> None:
    token = make_setup_link()
    outcomes: list[str] = []

    def follow(email: str) -> None:
        try:
            set_up(token, email, PASSWORD)
            outcomes.append("in")
        except NotAllowed:
            outcomes.append("out")
        finally:
            connection.close()

    people = [threading.Thread(target=follow, args=(f"{n}@example.test",)) for n in range(2)]
    for person in people:
        person.start()
    for person in people:
        person.join()
    assert sorted(outcomes) == ["in", "out"]
    assert User.objects.count() == 1


def test_there_is_only_one_owner_by_this_way(owner: User) -> None:
    with pytest.raises(NotAllowed):
        create_owner("second@example.test", PASSWORD)


def test_preferences_are_kept_and_nonsense_refused(owner: User) -> None:
    set_preferences(owner, theme="dark", time_zone="Europe/Berlin")
    owner.refresh_from_db()
    assert (owner.theme, owner.time_zone) == ("dark", "Europe/Berlin")
    for wrong in ({"theme": "pink"}, {"time_zone": "Mars/Base"}):
        with pytest.raises(NotAllowed):
            set_preferences(owner, **wrong)


def test_the_set_up_page_makes_the_owner_and_signs_in(db: None, client: Client) -> None:
    page = f"/setup/{make_setup_link()}/"
    assert b"Create the owner" in client.get(page).content
    refused = client.post(page, {"email": "owner@example.test", "password": PASSWORD, "again": "something else"})
    assert refused.status_code == 422
    assert b"differ" in refused.content
    assert b"owner@example.test" in refused.content
    assert PASSWORD.encode() not in refused.content
    answer = client.post(page, {"email": "owner@example.test", "password": PASSWORD, "again": PASSWORD})
    assert answer.status_code == 302
    assert int(client.session["_auth_user_id"]) == User.objects.get().pk
    assert client.get(page).status_code == 410


def test_a_wrong_set_up_link_says_so(db: None, client: Client) -> None:
    answer = client.get("/setup/guess/")
    assert answer.status_code == 410
    assert b"no longer works" in answer.content


def test_sign_in_by_e_mail(owner: User, client: Client) -> None:
    page = client.get("/account/login/")
    assert page.status_code == 200
    assert b"sign up" not in page.content.lower()
    wrong = client.post("/account/login/", {"login": owner.email, "password": "wrong"})
    assert wrong.status_code == 200
    assert "_auth_user_id" not in client.session
    answer = client.post("/account/login/", {"login": owner.email.upper(), "password": PASSWORD})
    assert answer.status_code == 302
    assert "_auth_user_id" in client.session


def test_nobody_signs_up(db: None, client: Client) -> None:
    assert b"by invitation" in client.get("/account/signup/").content
    client.post("/account/signup/", {"email": "me@example.test", "password1": PASSWORD})
    assert not User.objects.exists()


@pytest.mark.parametrize("page", ["/keys/", "/keys/add/", "/profile/", "/activity/", "/account/password/change/"])
def test_pages_want_a_login(db: None, client: Client, page: str) -> None:
    answer = client.get(page)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/account/login/")


@pytest.mark.parametrize("page", ["/account/login/", "/account/password/reset/", "/account/signup/"])
def test_public_pages_are_ours_and_hold_nothing_inline(db: None, client: Client, page: str) -> None:
    answer = client.get(page)
    assert answer.status_code == 200
    assert b'class="bar"' in answer.content
    assert b"style=" not in answer.content
    assert b"<script>" not in answer.content


def test_a_person_without_a_desk_is_told(db: None, client: Client) -> None:
    client.force_login(User.objects.create_user("alone@example.test", PASSWORD))
    assert client.get("/activity/").status_code == 403
    assert client.get("/profile/").status_code == 200


def test_the_profile_is_kept(owner: User, client: Client) -> None:
    client.force_login(owner)
    assert client.post("/profile/", {"theme": "light", "time_zone": "Asia/Tokyo"}).status_code == 302
    assert client.post("/profile/", {"theme": "light", "time_zone": "nowhere"}).status_code == 422
    owner.refresh_from_db()
    assert (owner.theme, owner.time_zone) == ("light", "Asia/Tokyo")


def test_the_activity_page_shows_this_desks_rows_only(owner: User, stranger: User, client: Client) -> None:
    from accounts.actions.audit import record

    record(owner, "desk.renamed", None, desk=Desk.objects.get(name="Main desk"), name="ours")
    record(stranger, "desk.renamed", None, desk=Desk.objects.get(name="Another desk"), name="theirs")
    client.force_login(owner)
    page = client.get("/activity/?before=junk").content
    assert b"ours" in page
    assert b"theirs" not in page
