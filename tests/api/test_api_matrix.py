"""Every operation of the API × every role × a stranger × another desk × every set of scopes: what the table allows.

An operation without a row in `accounts/rights.py`, or without a sample here, fails.
"""

from __future__ import annotations

from itertools import chain, combinations, product
from typing import Any, NamedTuple
from uuid import uuid4

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.actions.tokens import make_token
from accounts.models import ApiToken, Desk, Membership, Role, Scope, User
from accounts.rights import ALLOWED, API, Right
from tests.api.calling import ORDER, Caller
from tests.conftest import person
from tests.trading.furnished import demo_account, furnish, list_instruments, order
from trading.api.document import ROOT, operations, schema

SECRETS = (b"Our secret desk", b"Our account label", b"trader@ours.test")
SCOPES = [list(some) for some in chain.from_iterable(combinations(Scope.values, size) for size in (1, 2))]
WHO = (*Role.values, "stranger", "viewer here, owner there")


class World(NamedTuple):
    desk: Desk
    people: dict[str, User]
    account: int
    order: str


@pytest.fixture
def world(db: None, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> World:
    settings.DEMO_URL = "http://127.0.0.1:9"  # nobody listens there
    monkeypatch.setattr("krakenfutures.io.rest.FIRST_PAUSE", 0.001)
    desk, theirs = Desk.objects.create(name="Our secret desk"), Desk.objects.create(name="Theirs")
    people = {role.value: person(f"{role.value}@ours.test", desk, role) for role in Role}
    people["stranger"] = person("stranger@theirs.test", theirs, Role.OWNER)
    people["viewer here, owner there"] = person("both@both.test", desk, Role.VIEWER)
    Membership.objects.create(desk=theirs, user=people["viewer here, owner there"], role=Role.OWNER)
    account = demo_account(desk, people["owner"], "Our account label")
    list_instruments(count=3)
    furnish(account, people["trader"])
    working = order(account, people["trader"], client_order_id=uuid4().hex)
    return World(desk, people, account.pk, str(working.pk))


def sample(world: World, name: str) -> tuple[str, Any]:
    """An address and a body for an operation, by its row in the table."""
    method, _, place = name.partition(" ")
    terms = {key: value for key, value in ORDER.items() if key != "account"}
    addresses = {
        "order": f"orders/{world.order}", "withdrawal": f"withdrawals/{uuid4()}", "orders_batch": "orders/batch",
        "orders_cancel_all": "orders/cancel-all",
    }  # fmt: skip
    bodies: dict[str, Any] = {
        "POST orders": {"account": world.account, **ORDER},
        "PATCH order": {"size": "0.2"},
        "DELETE order": None,
        "POST orders_batch": {"account": world.account, "orders": [terms]},
        "POST orders_cancel_all": {"account": world.account},
        "POST withdrawals": {"account": world.account, "currency": "USD", "amount": "1"},
    }
    assert method == "GET" or name in bodies, f"{name} needs a sample in {__file__}"
    return addresses.get(place, place), bodies.get(name)


def caller(world: World, who: str, scopes: list[str]) -> Caller:
    """On our desk; a stranger's token is of theirs, for they cannot make one of ours. Scopes beyond the role's too:
    the role may have changed since the token was made.
    """
    user = world.people[who]
    desk = Desk.objects.get(name="Theirs") if who == "stranger" else world.desk
    made = Caller(user, desk, ["read"])
    ApiToken.objects.filter(pk=made.token.pk).update(scopes=scopes)
    return made


def ask(world: World, made: Caller, name: str) -> Any:
    address, body = sample(world, name)
    with transaction.atomic():
        answer = made.ask(name.split()[0], address, body, **{"Idempotency-Key": str(uuid4())})
        transaction.set_rollback(True)
    return answer


def test_every_operation_has_a_row_and_every_row_an_operation() -> None:
    documented = {(method.upper(), path) for path, methods in schema()["paths"].items() for method in methods}
    assert {(one.method, one.path) for one in operations()} == documented
    assert len(documented) == len(API)


@pytest.mark.parametrize("who", WHO)
def test_an_operation_opens_for_what_the_table_says_and_nothing_else(world: World, who: str) -> None:
    wrong, callers = [], [(scopes, caller(world, who, scopes)) for scopes in SCOPES]
    for (scopes, made), (name, call) in product(callers, API.items()):
        role = Role(Membership.objects.get(user=world.people[who], desk=made.token.desk).role)
        answer = ask(world, made, name)
        held = call.scope in scopes and role in ALLOWED[call.right]
        if not held and answer.status_code != 403:
            wrong.append(f"{name}: {answer.status_code}, though not allowed")
        if held and answer.status_code in {401, 403, 405, 500}:
            wrong.append(f"{name}: {answer.status_code}, though allowed: {answer.content!r}")
        if who == "stranger" and name.split()[1] == "order" and held and answer.status_code != 404:
            wrong.append(f"{name}: {answer.status_code} for another desk's order")
        if who == "stranger" and any(secret in answer.content for secret in SECRETS):
            wrong.append(f"{name}: shows what is ours")
    assert wrong == []


def test_a_viewer_here_who_owns_another_desk_sees_nothing_of_the_first_through_a_token_of_the_second(
    world: World,
) -> None:
    made = Caller(world.people["viewer here, owner there"], Desk.objects.get(name="Theirs"))
    for name in API:
        answer = ask(world, made, name)
        assert not any(secret in answer.content for secret in SECRETS), name
        assert answer.status_code in {200, 404}, name
        if answer.status_code == 200:
            assert [row["action"] for row in answer.json()["items"]] == (["token.made"] if "audit" in name else []), (
                name
            )


def test_a_session_opens_nothing(world: World) -> None:
    client = Client(raise_request_exception=False)
    client.force_login(world.people["owner"])
    for name in API:
        address, _ = sample(world, name)
        answer = client.generic(name.split()[0], ROOT + address, content_type="application/json")
        assert (answer.status_code, answer.json()["error"]) == (401, "unauthorized"), name
        assert answer.headers["WWW-Authenticate"].startswith("Bearer"), name


@pytest.mark.parametrize("place", ["?token={}", "?access_token={}", "?Authorization=Bearer%20{}"])
def test_a_token_in_an_address_opens_nothing(world: World, place: str) -> None:
    text = Caller(world.people["owner"], world.desk).text
    answer = Client().get("/api/v1/accounts" + place.format(text))
    assert answer.status_code == 401
    assert text.encode() not in answer.content


def test_a_token_in_a_cookie_or_a_body_opens_nothing(world: World) -> None:
    text = Caller(world.people["owner"], world.desk).text
    client = Client()
    client.cookies["token"] = text
    answer = client.post("/api/v1/orders", {"token": text, "Authorization": f"Bearer {text}"})
    assert answer.status_code in {401, 415}


def end_by(world: World, how: str, made: Caller) -> None:
    member = Membership.objects.filter(user=made.token.user, desk=world.desk)
    now = timezone.now()
    if how == "suspended":
        member.update(suspended_at=now)
    elif how == "removed":
        member.delete()
    elif how == "inactive":
        User.objects.filter(pk=made.token.user_id).update(is_active=False)
    elif how == "the desk asks for a second factor":
        Desk.objects.filter(pk=world.desk.pk).update(second_factor_required=True)
    else:
        ApiToken.objects.filter(pk=made.token.pk).update(**{f"{how}_at": now})


@pytest.mark.parametrize(
    "how", ["suspended", "removed", "inactive", "the desk asks for a second factor", "revoked", "expires"]
)
def test_a_token_stops_at_once(world: World, how: str) -> None:
    made = Caller(world.people["trader"], world.desk)
    assert made.get("accounts").status_code == 200
    end_by(world, how, made)
    for name in API:
        assert ask(world, made, name).status_code == 401, name


def test_a_role_taken_away_takes_the_tokens_trading_with_it(world: World) -> None:
    made = Caller(world.people["trader"], world.desk)
    Membership.objects.filter(user=world.people["trader"]).update(role=Role.VIEWER)
    assert ask(world, made, "POST orders").status_code == 403
    assert ask(world, made, "GET orders").status_code == 200


def test_no_right_of_reviewing_people_or_keys_is_in_reach_of_any_token() -> None:
    assert {call.right for call in API.values()} == {Right.LOOK, Right.TRADE, Right.REQUEST_WITHDRAWAL}


def test_a_viewer_makes_no_token_that_trades(world: World) -> None:
    with pytest.raises(Exception, match="does not trade"):
        make_token(world.desk, of=world.people["viewer"], by=None, label="x", scopes=["trade"])
