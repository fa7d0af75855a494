"""Every address × every role, a stranger, and somebody with two desks: what the table allows, and nothing else.

A new address without a row in `accounts/rights.py`, or with an argument this file has no sample for, fails here.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone
from pytest_django import Settings

from accounts.actions.tokens import make_token
from accounts.doorkeeper import may_pass
from accounts.models import Desk, Invitation, Membership, Notice, Role, User, UserSession, Webhook
from accounts.rights import ALLOWED, DOORS, SOCKET, Door, Open, Right, Who
from tests.accounts.signing_in import sign_in
from tests.conftest import person
from tests.trading.furnished import demo_account, furnish, list_instruments, order
from trading.live import consumer, visibility
from trading.models import AlertRule, Export, LogFile, Order, SavedView

OBJECTS = frozenset(
    {
        "order_id",
        "key_id",
        "member_id",
        "invitation_id",
        "withdrawal_id",
        "version_id",
        "batch_id",
        "token_id",
        "rule_id",
    }
)
SECRETS = ("Our secret desk", "Our account label", "trader@ours.test")  # nobody else's page may hold these


class Place(NamedTuple):
    name: str
    arguments: tuple[str, ...]


def places(resolver: URLResolver | None = None, namespace: str = "", outer: tuple[str, ...] = ()) -> Iterator[Place]:
    for pattern in (resolver or get_resolver()).url_patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from places(pattern, inner, (*outer, *pattern.pattern.regex.groupindex))
        elif isinstance(pattern, URLPattern) and pattern.name:
            yield Place(f"{namespace}{pattern.name}", (*outer, *pattern.pattern.regex.groupindex))


def door_for(name: str) -> Door:
    space, colon, _ = name.partition(":")
    return DOORS[f"{space}:*" if colon else name]


SOME_OF_ADMIN = {
    "admin:index", "admin:accounts_user_changelist", "admin:accounts_auditrow_changelist", "admin:logout"
}  # fmt: skip
# What asks for a token has a matrix of its own: tests/api/test_api_matrix.py.
PLACES = [
    place for place in places()
    if place.name in SOME_OF_ADMIN or not place.name.startswith(("admin:", "api:", "api_unknown"))
]  # fmt: skip


class World(NamedTuple):
    desk: Desk
    people: dict[str, User]
    samples: dict[str, Any]
    bodies: dict[str, dict[str, Any]]


@pytest.fixture
def world(db: None, settings: Settings) -> World:
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}
    settings.DEMO_URL = "http://127.0.0.1:9"  # nobody listens there: an order that got so far fails, and is seen
    desk = Desk.objects.create(name=SECRETS[0])
    people = {role.value: person(f"{role.value}@ours.test", desk, role) for role in Role}
    people["stranger"] = person("stranger@theirs.test", Desk.objects.create(name="Theirs"), Role.OWNER)
    people["viewer here, owner there"] = person("both@both.test", desk, Role.VIEWER)
    Membership.objects.create(
        desk=Desk.objects.get(name="Theirs"), user=people["viewer here, owner there"], role=Role.OWNER
    )
    people["nobody's"] = User.objects.create_user("alone@nowhere.test", "correct horse battery")
    account = demo_account(desk, people["owner"], SECRETS[1])
    list_instruments(count=3)
    furnish(account, people["trader"])
    working = order(account, people["trader"], symbol="PF_XBTUSD", client_order_id=uuid4().hex)
    invitation = Invitation.objects.create(
        desk=desk, email="new@ours.test", role=Role.VIEWER, token_hash="x", made_by=people["owner"],
        expires_at=timezone.now() + timedelta(days=1),
    )  # fmt: skip
    session = UserSession.objects.create(user=people["owner"], session_key="k", seen_at=timezone.now())
    samples = {
        "symbol": "PF_XBTUSD", "resolution": "1h", "token": "nothing", "pk": 999_999, "uidb36": "1",
        "key": "set-password", "name": "positions", "url": "x", "app_label": "accounts", "object_id": "1",
        "order_id": working.pk, "key_id": account.keys.get().pk, "invitation_id": invitation.pk,
        "session_id": session.pk, "member_id": Membership.objects.get(user=people["reviewer"]).pk,
        "token_id": make_token(desk, of=people["owner"], by=people["owner"], label="bot", scopes=["read"])[0].pk,
        "withdrawal_id": uuid4(), "batch_id": uuid4(), "version_id": 999_999,
        "view_id": SavedView.objects.create(user=people["owner"], desk=desk, name=SECRETS[0], query="tab=log").pk,
        "file_id": LogFile.objects.create(account=account, by=people["owner"], name=SECRETS[0], state="done").pk,
        "notice_id": Notice.objects.create(user=people["owner"], desk=desk, text=SECRETS[0], at=timezone.now()).pk,
        "rule_id": AlertRule.objects.create(
            desk=desk, owner=people["owner"], kind="fill", on_since=timezone.now()
        ).pk,
        "export_id": Export.objects.create(
            account=account, by=people["owner"], format="csv", state="ready", asked_at=timezone.now()
        ).pk,
        "webhook_id": Webhook.objects.create(user=people["owner"], label=SECRETS[1], host="x.test").pk,
        "version": "old", "measure": "funding",
    }  # fmt: skip
    bodies = {
        "place_order": {
            "of": account.pk, "intent": uuid4(), "symbol": "PF_XBTUSD", "side": "buy", "type": "limit", "size": "0.1",
            "limit_price": "60000",
        },
        "edit_order": {"size": "0.2"},
        "invite": {"email": "somebody@ours.test", "role": "viewer"},
        "member": {"role": "trader", "instruments": ""},
        "desk_settings": {"name": "Renamed"},
    }  # fmt: skip
    return World(desk, people, samples, bodies)


def address(place: Place, world: World) -> str:
    missing = set(place.arguments) - world.samples.keys()
    assert not missing, f"{place.name} takes {missing}: give a sample in {__file__}"
    return reverse(place.name, kwargs={name: world.samples[name] for name in place.arguments})


def ask(world: World, user: User, place: Place, method: str, *, age: float = 0) -> tuple[int, str, bytes]:
    """Status, where to, and text of one answer; what it did to the database is undone."""
    client = Client(raise_request_exception=False)
    with transaction.atomic():
        sign_in(client, user, age=age)
        body = world.bodies.get(place.name, {}) if method == "post" else {}
        answer = getattr(client, method)(address(place, world), body)
        text = b"".join(answer.streaming_content) if answer.streaming else answer.content
        transaction.set_rollback(True)
    return answer.status_code, answer.headers.get("Location", ""), text


def allowed(who: Who | None, world: World, user: User, place: Place) -> bool:
    """By the table, for this desk's objects."""
    if who is None or who == Open.CLOSED:
        return False
    memberships = Membership.objects.filter(user=user)
    if OBJECTS & set(place.arguments) and isinstance(who, Right):
        memberships = memberships.filter(desk=world.desk)
    return may_pass(who, user, memberships)


def test_every_address_has_a_row_and_every_row_an_address() -> None:
    names = {f"{name.partition(':')[0]}:*" if ":" in name else name for name, _ in places()}
    assert names - DOORS.keys() == set(), "without a row in accounts/rights.py"
    assert DOORS.keys() - names == set(), "rows without an address"


def test_every_right_is_held_by_the_owner_and_the_viewer_only_looks() -> None:
    assert ALLOWED.keys() == set(Right)
    assert all(Role.OWNER in roles for roles in ALLOWED.values())
    assert [right for right, roles in ALLOWED.items() if Role.VIEWER in roles] == [Right.LOOK]
    assert Role.REVIEWER not in ALLOWED[Right.TRADE]


TWO_DESKS = "viewer here, owner there"  # and looking at ours: what is theirs alone is refused until they switch
WHO = (*Role.values, "stranger", TWO_DESKS, "nobody's")


@pytest.mark.parametrize("who", WHO)
def test_what_the_table_does_not_allow_answers_403_or_404(world: World, who: str) -> None:
    user, wrong = world.people[who], []
    for place in PLACES:
        door = door_for(place.name)
        for method, right in (("get", door.read), ("post", door.write)):
            status, _, text = ask(world, user, place, method)
            refused = status in {403, 404, 405}  # 405: nothing is read at an address that only takes writing
            if status >= 500:
                wrong.append(f"{method} {place.name}: {status}")
            if not allowed(right, world, user, place) and not refused:
                wrong.append(f"{method} {place.name}: {status}, though not allowed")
            if status == 403 and who != TWO_DESKS and allowed(right, world, user, place):
                wrong.append(f"{method} {place.name}: 403, though allowed")
            if who in {"stranger", "nobody's"} and any(secret.encode() in text for secret in SECRETS):
                wrong.append(f"{method} {place.name}: shows what is ours")
    assert wrong == []


def test_a_viewers_every_write_on_the_desk_answers_403(world: World) -> None:
    """By name, so that a slip in the table itself shows: what a viewer may send is about nobody but themselves."""
    own = {
        "setup", "invitation", "account_login", "account_logout", "account_signup", "account_reset_password",
        "account_reset_password_from_key", "mfa_authenticate", "profile", "preferences", "end_session",
        "end_other_sessions", "account_change_password", "account_reauthenticate", "mfa_reauthenticate",
        "mfa_reauthenticate_webauthn", "mfa_activate_totp", "mfa_deactivate_totp", "mfa_add_webauthn",
        "mfa_edit_webauthn", "mfa_remove_webauthn", "mfa_view_recovery_codes", "mfa_generate_recovery_codes",
        "mfa_download_recovery_codes", "choose_desk", "favourite", "mark_read", "inbox_settings", "test_notice",
        "add_webhook", "renew_webhook", "switch_webhook", "remove_webhook", "add_alert", "test_alert",
        "make_token", "revoke_token", "save_view", "forget_view",
        "workspace", "market_workspace",
    }  # fmt: skip
    answers = {place.name: ask(world, world.people["viewer"], place, "post")[0] for place in PLACES}
    assert {name for name, status in answers.items() if status not in {403, 404}} <= own


def test_without_signing_in_only_the_public_addresses_answer(world: World) -> None:
    open_to_all = {name for name, door in DOORS.items() if door.read == Open.PUBLIC}
    for place in PLACES:
        for method in ("get", "post"):
            answer = getattr(Client(raise_request_exception=False), method)(address(place, world))
            sent_away = answer.status_code in {403, 404} or "/login/" in answer.headers.get("Location", "")
            assert place.name in open_to_all or sent_away, f"{method} {place.name}: {answer.status_code}"


def test_a_stale_proof_opens_no_door_that_asks_for_a_fresh_one(world: World) -> None:
    for place in PLACES:
        door = door_for(place.name)
        for method, right in (("get", door.read), ("post", door.write)):
            if door.fresh and allowed(right, world, world.people["owner"], place):
                status, target, _ = ask(world, world.people["owner"], place, method, age=10_000)
                assert status == 302, f"{method} {place.name}"
                assert "/reauthenticate/" in target, f"{method} {place.name}"


def test_a_suspended_member_is_a_stranger(world: World) -> None:
    member = Membership.objects.get(user=world.people["trader"])
    Membership.objects.filter(pk=member.pk).update(suspended_at=timezone.now())
    for place in PLACES:
        for method in ("get", "post"):
            status, _, text = ask(world, world.people["trader"], place, method)
            door = door_for(place.name)
            if isinstance(door.read if method == "get" else door.write, Right):
                assert status in {403, 404}, f"{method} {place.name}"
            assert SECRETS[1].encode() not in text


def test_every_socket_message_has_a_row() -> None:
    assert {wish.__name__.lower() for wish in consumer.Wish.__subclasses__()} == SOCKET.keys()


@pytest.mark.parametrize("who", WHO)
def test_an_accounts_stream_opens_for_members_only(world: World, who: str) -> None:
    account = Order.objects.get(pk=UUID(str(world.samples["order_id"]))).account
    user = world.people[who]
    member = Membership.objects.filter(user=user, desk=world.desk)
    assert visibility.may_see(user.pk, account.pk) == member.exists()
    assert visibility.pairs_allowed({user.pk}, {account.pk}) == ({(user.pk, account.pk)} if member else set())
    member.update(suspended_at=timezone.now())
    assert not visibility.may_see(user.pk, account.pk)
    assert visibility.pairs_allowed({user.pk}, {account.pk}) == set()
