"""The sheets that take risk away: what they say they hit, what they ask for, and who may use them."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Account, Desk, User
from tests.trading.furnished import demo_account, furnish, list_instruments
from trading.models import DeadMan, Halt, Order

HTMX = {"HX-Request": "true"}
pytestmark = pytest.mark.usefixtures("collected")


@pytest.fixture
def shown(desk: Desk, owner: User) -> Account:
    list_instruments()
    account = demo_account(desk, owner)
    furnish(account, owner)
    return account


@pytest.fixture
def as_owner(client: Client, owner: User) -> Client:
    client.force_login(owner)
    return client


def text(client: Client, address: str, **query: str) -> str:
    answer = client.get(address, query, headers=HTMX)
    assert answer.status_code == 200
    return answer.content.decode().replace("\N{NARROW NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("/positions/PF_XBTUSD/close/", "Sell 0.25 PF_XBTUSD at market, reduce-only"),
        ("/positions/PI_XBTUSD/close/", "Buy 12 000 PI_XBTUSD at market, reduce-only"),
        ("/positions/PF_XBTUSD/reverse/", "Sell 0.5 PF_XBTUSD at market"),
        ("/positions/PF_SOLUSD/close/", "no open position"),
    ],
)
def test_the_button_is_the_sentence_it_will_do(as_owner: Client, shown: Account, address: str, sentence: str) -> None:
    assert sentence in re.sub(r"\s+", " ", text(as_owner, address))


def test_cancelling_many_says_how_many_and_whose(as_owner: Client, shown: Account, owner: User) -> None:
    html = text(as_owner, "/orders/cancel/")
    assert 'data-hit="3"' in html
    assert owner.email in html
    buys = Order.objects.filter(account=shown, side="buy").count()
    assert f'data-hit="{buys}"' in text(as_owner, "/orders/cancel/", side="buy")


def test_flatten_asks_for_the_word_and_does_nothing_without_it(as_owner: Client, shown: Account) -> None:
    assert 'data-hit-positions="3"' in text(as_owner, "/flatten/")
    answer = as_owner.post("/flatten/", {"intent": str(uuid4()), "word": "yes"}, headers=HTMX)
    assert answer.status_code == 422
    assert "Nothing was done" in answer.content.decode()
    assert Order.objects.filter(account=shown).count() == 3


def test_a_damaged_sheet_sends_nothing(as_owner: Client, shown: Account) -> None:
    answer = as_owner.post("/positions/PF_XBTUSD/close/", {"intent": "nonsense"}, headers=HTMX)
    assert answer.status_code == 422
    assert Order.objects.filter(account=shown).count() == 3


def test_a_halt_stands_in_the_frame_and_is_lifted_by_its_word(as_owner: Client, shown: Account) -> None:
    as_owner.post("/halt/", {"reason": "Odd prices"}, headers=HTMX)
    assert Halt.objects.standing().get().reason == "Odd prices"
    assert "■ Halted" in text(as_owner, "/parts/", want="switches")
    assert as_owner.post("/halt/lift/", {"word": "please"}, headers=HTMX).status_code == 422
    assert Halt.objects.standing().exists()
    as_owner.post("/halt/lift/", {"word": "resume"}, headers=HTMX)
    assert not Halt.objects.standing().exists()


def test_a_trader_halts_and_may_not_lift(client: Client, shown: Account, trader: User) -> None:
    client.force_login(trader)
    assert client.post("/halt/", headers=HTMX).status_code == 200
    assert "An admin or an owner lifts it" in text(client, "/halt/")
    assert client.post("/halt/lift/", {"word": "RESUME"}, headers=HTMX).status_code == 403


def test_the_switch_shows_its_owner_its_moment_and_its_trouble(as_owner: Client, shown: Account, owner: User) -> None:
    now = timezone.now()
    DeadMan.objects.create(
        account=shown, is_armed=True, seconds=60, by=owner, armed_at=now, tried_at=now,
        fires_at=now + timedelta(seconds=60), trouble="the exchange did not answer",
    )  # fmt: skip
    html = text(as_owner, "/dead-man/")
    assert owner.email in html
    assert "the exchange did not answer" in html
    assert f'data-fires-at="{int((now + timedelta(seconds=60)).timestamp() * 1000)}"' in html
    assert "data-armed" in text(as_owner, "/parts/", want="switches")
    assert as_owner.post("/dead-man/here/").status_code == 204
    assert DeadMan.objects.get().seen_by == owner


@pytest.mark.parametrize("seconds", ["5", "lots", ""])
def test_a_switch_of_an_impossible_time_is_refused(as_owner: Client, shown: Account, seconds: str) -> None:
    assert as_owner.post("/dead-man/", {"seconds": seconds}, headers=HTMX).status_code == 422
    assert not DeadMan.objects.exists()


def test_a_viewer_sees_and_touches_nothing(client: Client, shown: Account, viewer: User) -> None:
    client.force_login(viewer)
    assert "Traders, admins and owners" in text(client, "/halt/")
    assert "Arm the switch" not in text(client, "/dead-man/")
    for address in ("/halt/", "/dead-man/", "/dead-man/here/", "/flatten/", "/orders/cancel/"):
        assert client.post(address, headers=HTMX).status_code == 403, address


def test_without_a_script_a_sheet_is_a_page(as_owner: Client, shown: Account) -> None:
    for address in ("/halt/", "/dead-man/", "/flatten/", "/orders/cancel/", "/positions/PF_XBTUSD/close/"):
        assert "<html" in as_owner.get(address).content.decode(), address
