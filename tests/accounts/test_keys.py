"""A key is tried before it is kept, and each reason not to keep it has words of its own."""

from __future__ import annotations

import base64
import secrets
import threading
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from accounts import hooks, vault
from accounts.actions.keys import add_key, check_key, retire_key, try_demo
from accounts.models import Account, ApiKey, AuditRow, Desk, KeyState, User
from accounts.rights import NoRight
from accounts.rules import NotAllowed, key_facts
from accounts.store import store
from accounts.venues import _stamp, session_for
from tests.accounts.signing_in import sign_in
from tests.venue_process import DemoKey, DemoVenue, free_port

pytestmark = [pytest.mark.venue]


def random_text(length: int) -> str:
    return base64.b64encode(secrets.token_bytes(length)).decode()


def add(desk: Desk, by: User, key: DemoKey, **changes: Any) -> ApiKey:
    typed = {"label": "Mine", "environment": "demo", "public_key": key.public, "secret": key.private, **changes}
    return add_key(desk, by=by, **typed)


def refused(desk: Desk, by: User, key: DemoKey, **changes: Any) -> NotAllowed:
    with pytest.raises(NotAllowed) as caught:
        add(desk, by, key, **changes)
    assert key.private not in str(caught.value)
    assert not ApiKey.objects.usable().filter(account__desk=desk).exists()
    assert not Account.objects.filter(desk=desk, keys=None).exists()
    return caught.value


@pytest.fixture
def stored(venue: DemoVenue, desk: Desk, owner: User) -> ApiKey:
    return add(desk, owner, venue.signup().key)


def test_a_key_that_works_is_stored_with_what_it_may_do(venue: DemoVenue, desk: Desk, owner: User) -> None:
    signed_up = venue.signup()
    api_key = add(desk, owner, signed_up.key, label="  Mine  ")
    assert (api_key.label, api_key.state, api_key.trouble) == ("Mine", KeyState.ACTIVE, "")
    assert (api_key.may_trade, api_key.may_read, api_key.may_withdraw) == (True, True, False)
    assert api_key.account.venue_uid == signed_up.uid
    assert vault.unseal(ApiKey.objects.get()).secret == signed_up.key.private
    assert AuditRow.objects.get().action == "key.added"
    assert signed_up.key.public not in str(AuditRow.objects.values())
    with session_for(ApiKey.objects.get()) as session:
        assert session.account.wallets().flex is not None


def test_spaces_and_line_breaks_that_came_with_the_copy_are_forgiven(
    venue: DemoVenue, desk: Desk, owner: User
) -> None:
    key = venue.signup().key
    assert add(desk, owner, DemoKey(f" {key.public}\n", f"{key.private[:40]}\n{key.private[40:]} ")).may_trade


def test_whoever_listens_hears_of_the_key_after_the_commit(
    venue: DemoVenue, desk: Desk, owner: User, monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:  # fmt: skip
    heard: list[int] = []

    def broken(_api_key_id: int) -> None:
        raise RuntimeError("a listener's trouble is not the key's")

    monkeypatch.setattr(hooks, "after_key_added", [broken, heard.append])
    with django_capture_on_commit_callbacks(execute=True):
        api_key = add(desk, owner, venue.signup().key)
        assert heard == []
    assert heard == [api_key.pk]


def test_a_wrong_secret(venue: DemoVenue, desk: Desk, owner: User) -> None:
    refusal = refused(desk, owner, DemoKey(venue.signup().key.public, random_text(64)))
    assert (refusal.code, refusal.field) == ("wrong_secret", "secret")
    assert "does not belong to the public key" in refusal.reason


# Fixed, because the parts of a parallel run must agree on what the tests are called.
PUBLIC, SECRET = base64.b64encode(bytes(range(42))).decode(), base64.b64encode(bytes(range(64))).decode()


@pytest.mark.parametrize(
    ("public", "secret", "code", "field"),
    [
        ("", SECRET, "missing", "public_key"),
        (PUBLIC, " ", "missing", "secret"),
        (PUBLIC, "*not base64*", "unlike_a_key", "secret"),
        ("schlüssel", SECRET, "unlike_a_key", "public_key"),
        (SECRET, PUBLIC, "exchanged", "public_key"),
        ("c2FtZQ==", "c2FtZQ==", "same", "secret"),
    ],
)
def test_what_cannot_be_a_key_is_refused_before_anybody_is_asked(
    desk: Desk, owner: User, settings: Settings, public: str, secret: str, code: str, field: str
) -> None:
    vault.prepare()
    settings.DEMO_URL = "http://127.0.0.1:1"
    with pytest.raises(NotAllowed) as caught:
        add(desk, owner, DemoKey(public, secret))
    assert (caught.value.code, caught.value.field) == (code, field)


def test_a_key_without_permission(venue: DemoVenue, desk: Desk, owner: User) -> None:
    refusal = refused(desk, owner, venue.signup(general="none").key)
    assert (refusal.code, refusal.field) == ("no_permission", "public_key")


def test_a_read_only_key_is_kept_and_may_not_trade(venue: DemoVenue, desk: Desk, owner: User, client: Client) -> None:
    sign_in(client, owner)
    key = venue.signup(general="read").key
    answer = client.post("/keys/add/", typed(key), follow=True)
    assert b"places no orders" in answer.content
    assert (ApiKey.objects.get().may_read, ApiKey.objects.get().may_trade) == (True, False)


def test_a_key_that_may_withdraw_is_kept_and_said_so(venue: DemoVenue, desk: Desk, owner: User) -> None:
    assert add(desk, owner, venue.signup(withdrawal="full").key).may_withdraw
    live = [fact for fact in key_facts("full", "full", [], play_money=False) if fact.level == "warning"]
    assert "take money out" in live[0].sentence
    assert all(fact.level != "warning" for fact in key_facts("full", "full", [], play_money=True))


def test_the_same_key_twice_on_a_desk_names_the_first(
    stored: ApiKey, venue: DemoVenue, desk: Desk, owner: User
) -> None:
    pair = vault.unseal(stored)
    with pytest.raises(NotAllowed, match="“Mine”") as caught:
        add(desk, owner, DemoKey(pair.key, pair.secret), label="Again")
    assert caught.value.code == "duplicate"


def test_another_key_of_an_account_that_has_one_names_it(venue: DemoVenue, desk: Desk, owner: User) -> None:
    signed_up = venue.signup()
    add(desk, owner, signed_up.key)
    with pytest.raises(NotAllowed, match="“Mine” already") as caught:
        add(desk, owner, venue.new_key(signed_up), label="Second")
    assert caught.value.code == "account_taken"


def test_a_key_of_another_desk_is_refused_without_telling_of_that_desk(
    stored: ApiKey, venue: DemoVenue, stranger: User
) -> None:
    theirs, pair = Desk.objects.get(name="Another desk"), vault.unseal(stored)
    refusal = refused(theirs, stranger, DemoKey(pair.key, pair.secret))
    assert refusal.code == "duplicate"
    assert "Mine" not in refusal.reason and "Main desk" not in refusal.reason
    guessed = refused(theirs, stranger, DemoKey(pair.key, random_text(64)))
    assert guessed.code == "wrong_secret"  # knowing the public half proves nothing and learns nothing


def test_a_demo_key_entered_as_production_is_recognised(
    venue: DemoVenue, production: str, desk: Desk, owner: User
) -> None:
    refusal = refused(desk, owner, venue.signup().key, environment="production")
    assert (refusal.code, refusal.field) == ("wrong_environment", "environment")


def test_a_key_that_no_exchange_knows(venue: DemoVenue, production: str, desk: Desk, owner: User) -> None:
    refusal = refused(desk, owner, DemoKey(random_text(42), random_text(64)), environment="production")
    assert (refusal.code, production in refusal.reason) == ("wrong_secret", True)


def test_an_exchange_that_is_down(venue: DemoVenue, desk: Desk, owner: User, settings: Settings) -> None:
    key = venue.signup().key
    settings.DEMO_URL = f"http://127.0.0.1:{free_port()}"
    refusal = refused(desk, owner, key)
    assert (refusal.code, refusal.field) == ("unreachable", None)
    assert settings.DEMO_URL in refusal.reason


def test_without_the_store_a_key_is_neither_tried_nor_kept(
    venue: DemoVenue, desk: Desk, owner: User, settings: Settings
) -> None:
    key = venue.signup().key
    settings.REDIS_URL = "unix:///nonexistent/store.sock"
    store.cache_clear()
    try:
        assert refused(desk, owner, key).code == "store"
        with pytest.raises(NotAllowed, match="store does not answer"):
            try_demo(desk, by=owner)
    finally:
        store.cache_clear()


def test_another_program_that_counts_ahead(venue: DemoVenue, desk: Desk, owner: User) -> None:
    key = venue.signup().key
    venue.call(key, "GET", "/api/auth/v1/api-keys/v3/check", nonce="9" * 19)
    assert refused(desk, owner, key).code == "nonce"


def test_clocks_that_differ_are_said_and_do_not_stop_the_key(venue: DemoVenue, desk: Desk, owner: User) -> None:
    venue.fault("clock_skew", seconds=90)
    api_key = add(desk, owner, venue.signup().key)
    assert "90 s behind" in api_key.trouble
    venue.clear_faults()
    assert check_key(api_key).trouble == ""


def test_only_admins_and_owners_add_and_retire(stored: ApiKey, desk: Desk, trader: User, stranger: User) -> None:
    for person in (trader, stranger):
        for attempt in (
            lambda by=person: try_demo(desk, by=by),
            lambda by=person: retire_key(stored, by=by),
            lambda by=person: add(desk, by, DemoKey(random_text(42), random_text(64))),
        ):
            with pytest.raises(NoRight):
                attempt()
    assert ApiKey.objects.get().state == KeyState.ACTIVE


def test_trying_the_demo_makes_an_account_a_key_and_once_per_intent(venue: DemoVenue, desk: Desk, owner: User) -> None:
    first = try_demo(desk, by=owner, intent="one")
    assert try_demo(desk, by=owner, intent="one") == first
    second = try_demo(desk, by=owner, intent="two")
    assert [account.label for account in Account.objects.all()] == ["Demo", "Demo 2"]
    assert first.account.demo_email and second.account.demo_email != first.account.demo_email


@pytest.mark.django_db(transaction=True)
def test_a_double_click_on_try_the_demo_makes_one_account(venue: DemoVenue, desk: Desk, owner: User) -> None:
    def click() -> None:
        try_demo(desk, by=owner, intent="one")
        connection.close()

    clicks = [threading.Thread(target=click) for _ in range(3)]
    for thread in clicks:
        thread.start()
    for thread in clicks:
        thread.join()
    assert ApiKey.objects.count() == 1


def test_the_demo_cannot_be_tried_when_it_is_down_or_switched_off(desk: Desk, owner: User, settings: Settings) -> None:
    vault.prepare()
    settings.DEMO_URL = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(NotAllowed, match="does not answer"):
        try_demo(desk, by=owner)
    settings.DEMO_ENABLED = False
    with pytest.raises(NotAllowed, match="switched off"):
        try_demo(desk, by=owner)
    assert not Account.objects.exists()


def test_a_retired_key_is_destroyed_and_its_account_can_have_another(
    stored: ApiKey, venue: DemoVenue, desk: Desk, owner: User
) -> None:
    pair = vault.unseal(stored)
    retire_key(stored, by=owner)
    row = ApiKey.objects.get()
    assert (bytes(row.sealed), bytes(row.wrapped_key), row.master_key_id) == (b"", b"", "")
    with pytest.raises(vault.VaultError, match="retired"):
        vault.unseal(row)
    with pytest.raises(NotAllowed, match="already"):
        retire_key(row, by=owner)
    again = add(desk, owner, DemoKey(pair.key, pair.secret))
    assert again.account == stored.account
    assert Account.objects.count() == 1


def test_a_key_deleted_at_the_exchange_is_found_failing_and_heals(venue: DemoVenue, desk: Desk, owner: User) -> None:
    signed_up = venue.signup()
    api_key = add(desk, owner, signed_up.key)
    venue.control("DELETE", f"/demo/keys/{signed_up.key.public.replace('/', '%2F')}", None, signed_up)
    assert check_key(api_key, by=owner).state == KeyState.FAILING
    assert api_key.trouble
    check_key(api_key, by=owner)
    assert AuditRow.objects.filter(action="key.checked").count() == 1  # only what changed is written down


def test_silence_says_nothing_about_a_key(stored: ApiKey, settings: Settings) -> None:
    settings.DEMO_URL = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(NotAllowed, match="does not answer"):
        check_key(stored)
    assert ApiKey.objects.get().state == KeyState.ACTIVE


def test_a_use_is_noted_at_most_once_a_minute(stored: ApiKey) -> None:
    with time_machine.travel("2030-01-01T00:00:00Z", tick=False) as clock:
        for seconds, expected in ((0, 0), (59, 0), (2, 61)):
            clock.shift(seconds)
            _stamp(ApiKey.objects.get())
            assert ApiKey.objects.get().last_used_at.timestamp() == 1893456000 + expected


# Pages


def typed(key: DemoKey, **changes: str) -> dict[str, str]:
    return {"label": "Mine", "environment": "demo", "public_key": key.public, "secret": key.private, **changes}


def test_a_refused_form_keeps_what_was_typed_but_never_the_secret(
    venue: DemoVenue, owner: User, client: Client
) -> None:
    sign_in(client, owner)
    key = DemoKey(venue.signup().key.public, random_text(64))
    answer = client.post("/keys/add/", typed(key))
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "does not belong to the public key" in page
    assert 'value="Mine"' in page
    assert key.public.replace("+", "&#x2B;") in page or key.public in page
    assert key.private not in page and key.private.replace("+", "&#x2B;") not in page


def test_no_page_shows_a_stored_secret(stored: ApiKey, owner: User, client: Client) -> None:
    pair = vault.unseal(stored)
    sign_in(client, owner)
    for page in ("/keys/", "/keys/add/", f"/keys/{stored.pk}/retire/", "/activity/"):
        answer = client.get(page)
        assert answer.status_code == 200
        assert pair.secret[:20] not in answer.content.decode()
        assert pair.key[:20] not in answer.content.decode()


def test_one_click_opens_a_demo_account_and_goes_to_it(venue: DemoVenue, owner: User, client: Client) -> None:
    sign_in(client, owner)
    answer = client.post("/keys/try-demo/", {"intent": "one"})
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert client.session["account"] == Account.objects.get().pk


def test_a_viewer_and_a_stranger_change_nothing(stored: ApiKey, viewer: User, stranger: User, client: Client) -> None:
    paths = ["/keys/try-demo/", "/keys/add/", f"/keys/{stored.pk}/check/", f"/keys/{stored.pk}/retire/"]
    sign_in(client, viewer)
    assert [client.post(path, {}).status_code for path in paths] == [403] * 4
    assert b"Retire" not in client.get("/keys/").content
    sign_in(client, stranger)
    assert [client.post(path, {}).status_code for path in paths[2:]] == [404] * 2
    assert b"Mine" not in client.get("/keys/").content
    assert ApiKey.objects.get().state == KeyState.ACTIVE


def test_retiring_asks_first_and_checking_answers_in_a_sentence(stored: ApiKey, owner: User, client: Client) -> None:
    sign_in(client, owner)
    assert "works." in client.post(f"/keys/{stored.pk}/check/", follow=True).content.decode()
    assert b"cannot be brought back" in client.get(f"/keys/{stored.pk}/retire/").content
    assert ApiKey.objects.get().state == KeyState.ACTIVE
    assert b"Both halves were destroyed" in client.post(f"/keys/{stored.pk}/retire/", follow=True).content
    assert client.post(f"/keys/{stored.pk}/check/").status_code == 404
