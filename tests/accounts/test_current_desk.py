"""Which account a page is about: what may be seen, asked for, and remembered."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.signed_cookies import SessionStore
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.context import frame
from accounts.middleware import CurrentDesk
from accounts.models import Account, Desk, Membership, Role, User


def run(user: User | AnonymousUser, path: str = "/", session: SessionStore | None = None) -> HttpRequest:
    request = RequestFactory().get(path)
    request.user, request.session = user, session or SessionStore()
    CurrentDesk(lambda _: HttpResponse())(request)
    return request


@pytest.fixture
def accounts(desk: Desk) -> list[Account]:
    return [Account.objects.create(desk=desk, label=f"A{n}", environment="demo", venue_uid=str(n)) for n in range(2)]


@pytest.fixture
def theirs(stranger: User) -> Account:
    desk = Desk.objects.get(name="Another desk")
    return Account.objects.create(desk=desk, label="theirs", environment="production", venue_uid="9")


def test_nobody_signed_in_has_no_desk() -> None:
    request = run(AnonymousUser())
    assert (request.desk, request.account, request.accounts, request.membership) == (None, None, [], None)


def test_the_first_account_is_shown_until_another_is_asked_for_and_then_that(
    owner: User, accounts: list[Account]
) -> None:
    session = SessionStore()
    assert run(owner, "/", session).account == accounts[0]
    assert run(owner, f"/?account={accounts[1].pk}", session).account == accounts[1]
    assert run(owner, "/", session).account == accounts[1]


@pytest.mark.parametrize("asked", ["theirs", "0", "-1", "x", "", "99999999999999999999", "1%20OR%201"])
def test_an_account_of_another_desk_cannot_be_asked_for(
    owner: User, accounts: list[Account], theirs: Account, asked: str
) -> None:
    session = SessionStore()
    path = f"/?account={theirs.pk if asked == 'theirs' else asked}"
    assert run(owner, path, session).account == accounts[0]
    assert "account" not in session


def test_a_remembered_account_is_forgotten_with_the_membership(owner: User, theirs: Account) -> None:
    session = SessionStore()
    membership = Membership.objects.create(desk=theirs.desk, user=owner, role=Role.VIEWER)
    assert run(owner, f"/?account={theirs.pk}", session).account == theirs
    membership.delete()
    request = run(owner, "/", session)
    assert request.account is None
    assert request.desk.name == "Main desk"


def test_the_desk_and_the_role_follow_the_account(owner: User, accounts: list[Account], theirs: Account) -> None:
    Membership.objects.create(desk=theirs.desk, user=owner, role=Role.VIEWER)
    ours, other = run(owner), run(owner, f"/?account={theirs.pk}")
    assert (ours.membership.role, ours.accounts) == (Role.OWNER, accounts)
    assert (other.membership.role, other.accounts, other.desk) == (Role.VIEWER, [theirs], theirs.desk)


def test_it_takes_two_queries_whatever_the_number_of_accounts(
    owner: User, accounts: list[Account], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(2):
        frame(run(owner))


def test_the_frame_names_the_environment_and_survives_a_bare_request(owner: User, accounts: list[Account]) -> None:
    assert frame(run(owner))["environment"] == "demo"
    bare = frame(HttpRequest())
    assert (bare["environment"], bare["account"], bare["theme"], bare["budget"]()) == ("", None, "system", None)


def test_times_are_shown_in_the_persons_zone_and_in_no_other_after(owner: User) -> None:
    owner.time_zone = "Asia/Tokyo"
    seen: list[str] = []

    def page(_request: HttpRequest) -> HttpResponse:
        seen.append(timezone.get_current_timezone_name())
        return HttpResponse()

    request = RequestFactory().get("/")
    request.user, request.session = owner, SessionStore()
    CurrentDesk(page)(request)
    assert seen == ["Asia/Tokyo"]
    assert timezone.get_current_timezone() == ZoneInfo("UTC")
