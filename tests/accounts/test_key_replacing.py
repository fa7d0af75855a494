"""A key is replaced without losing anything of its account, or nothing is changed at all."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts import hooks, vault
from accounts.actions.keys import add_key, replace_key
from accounts.models import ApiKey, AuditRow, Desk, KeyState, User
from accounts.rights import NoRight
from accounts.rules import NotAllowed
from accounts.venues import _stamp, session_for
from tests.accounts.signing_in import sign_in
from tests.venue_process import DemoAccount, DemoKey, DemoVenue

pytestmark = pytest.mark.venue


def add(desk: Desk, by: User, key: DemoKey) -> ApiKey:
    return add_key(desk, by=by, label="First", environment="demo", public_key=key.public, secret=key.private)


def replace(old: ApiKey, by: User, key: DemoKey, **changes: Any) -> ApiKey:
    return replace_key(old, by=by, **{"label": "Second", "public_key": key.public, "secret": key.private, **changes})


@pytest.fixture
def signed_up(venue: DemoVenue) -> DemoAccount:
    return venue.signup()


@pytest.fixture
def old(signed_up: DemoAccount, desk: Desk, owner: User) -> ApiKey:
    return add(desk, owner, signed_up.key)


def as_it_was(old: ApiKey) -> bool:
    before = bytes(old.sealed)
    old.refresh_from_db()
    return old.state == KeyState.ACTIVE and bytes(old.sealed) == before and ApiKey.objects.stored().count() == 1


def test_the_new_key_takes_the_place_of_the_old_in_one_moment(
    venue: DemoVenue, signed_up: DemoAccount, old: ApiKey, owner: User, monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:  # fmt: skip
    heard: list[int] = []
    monkeypatch.setattr(hooks, "after_key_added", [heard.append])
    pair = venue.new_key(signed_up, general="read")
    with django_capture_on_commit_callbacks(execute=True):
        fresh = replace(old, owner, pair)
    old.refresh_from_db()
    assert (old.state, bytes(old.sealed)) == (KeyState.RETIRED, b"")
    assert (fresh.account, fresh.label, fresh.state, fresh.may_trade) == (old.account, "Second", "active", False)
    assert vault.unseal(fresh).secret == pair.private
    with session_for(fresh) as session:
        assert session.account.wallets().flex is not None
    row = AuditRow.objects.filter(action="key.replaced").get()
    assert (row.actor, row.details["replaces"], row.details["was"]) == (owner, old.hint, old.pk)
    assert pair.public not in str(row.details)
    assert heard == [fresh.pk]


def test_a_key_of_another_account_is_refused_and_the_old_one_stays(venue: DemoVenue, old: ApiKey, owner: User) -> None:
    with pytest.raises(NotAllowed) as refusal:
        replace(old, owner, venue.signup().key)
    assert refusal.value.code == "other_account"
    assert as_it_was(old)


def test_a_key_that_does_not_work_is_refused_and_the_old_one_stays(
    venue: DemoVenue, signed_up: DemoAccount, old: ApiKey, owner: User
) -> None:
    pair = venue.new_key(signed_up)
    with pytest.raises(NotAllowed):
        replace(old, owner, DemoKey(pair.public, venue.new_key(signed_up).private))
    with pytest.raises(NotAllowed) as same:
        replace(old, owner, signed_up.key)
    assert same.value.code == "duplicate"
    with pytest.raises(NotAllowed):
        replace(old, owner, venue.new_key(signed_up, general="none"))
    assert as_it_was(old)


def test_only_a_manager_replaces_and_only_what_is_still_there(
    venue: DemoVenue, signed_up: DemoAccount, old: ApiKey, owner: User, trader: User
) -> None:
    with pytest.raises(NoRight):
        replace(old, trader, venue.new_key(signed_up))
    assert as_it_was(old)
    replace(old, owner, venue.new_key(signed_up))
    with pytest.raises(NotAllowed):
        replace(old, owner, venue.new_key(signed_up))
    assert ApiKey.objects.stored().count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_who_replace_together_leave_one_key(
    venue: DemoVenue, signed_up: DemoAccount, old: ApiKey, owner: User
) -> None:
    pairs = [venue.new_key(signed_up) for _ in range(4)]

    def work(pair: DemoKey) -> bool:
        try:
            replace(ApiKey.objects.get(pk=old.pk), owner, pair)
        except NotAllowed:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(work, pairs)) == 1
    assert ApiKey.objects.stored().count() == 1
    assert AuditRow.objects.filter(action="key.replaced").count() == 1


def test_the_page_keeps_what_was_typed_but_the_secret(
    venue: DemoVenue, signed_up: DemoAccount, old: ApiKey, owner: User, client: Client
) -> None:
    sign_in(client, owner)
    address = reverse("replace_key", args=[old.pk])
    assert old.hint in client.get(address).content.decode()
    other = venue.signup().key
    typed = {"label": "Typed", "public_key": other.public, "secret": other.private}
    refused = client.post(address, typed)
    assert refused.status_code == 422
    text = refused.content.decode()
    assert "another account" in text
    assert 'value="Typed"' in text
    assert other.private not in text
    pair = venue.new_key(signed_up)
    page = client.post(address, {**typed, "public_key": pair.public, "secret": pair.private}, follow=True)
    assert "Delete it at the exchange too" in page.content.decode()


def test_the_page_says_who_used_a_key_last_and_for_what(
    old: ApiKey, owner: User, trader: User, client: Client
) -> None:
    key = ApiKey.objects.get(pk=old.pk)
    key.in_hands_of = trader
    _stamp(key)
    client.force_login(owner)
    assert f"for trading by {trader}" in client.get(reverse("keys")).content.decode()
    key = ApiKey.objects.get(pk=old.pk)
    key.in_hands_of, key.in_use_for = trader, "a withdrawal"
    _stamp(key)  # within the minute, by the same person, and yet something else
    page = client.get(reverse("keys")).content.decode()
    assert f"for a withdrawal by {trader}" in page
    assert "points left" in page
