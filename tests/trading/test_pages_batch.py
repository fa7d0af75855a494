"""The page of many orders together: mistakes by line, a ladder as lines, one batch for one intent."""

from __future__ import annotations

from hashlib import sha256
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from accounts.models import Account, User
from tests.trading.risk_venue import There
from trading.models import Batch, Order

pytestmark = pytest.mark.usefixtures("collected")
LINES = "PF_XBTUSD,buy,limit,0.01,59000\nPF_XBTUSD,sell,limit,0.02,99000"
CHECKED = sha256(LINES.encode()).hexdigest()


@pytest.fixture
def as_owner(client: Client, owner: User) -> Client:
    client.force_login(owner)
    return client


def write(client: Client, do: str, **typed: str) -> Any:
    return client.post("/batch/", {"do": do, "intent": str(uuid4()), **typed})


def test_a_mistake_is_told_at_its_line_and_nothing_is_sent(as_owner: Client, account: Account) -> None:
    answer = write(as_owner, "send", lines=LINES + "\nPF_XBTUSD,buy,limit,lots,59000\nPF_XBTUSD,up,limit,1,1")
    html = answer.content.decode()
    assert answer.status_code == 422
    assert 'data-line="3"' in html
    assert 'data-line="4"' in html
    assert "Send 2" not in html
    assert not Order.objects.exists()


def test_off_the_tick_is_told_before_anything_is_sent(as_owner: Client, account: Account) -> None:
    answer = write(as_owner, "check", lines="PF_XBTUSD,buy,limit,0.01,59000.4")
    assert "multiple of 1" in answer.content.decode()


def test_checked_lines_may_be_sent(as_owner: Client, account: Account) -> None:
    html = write(as_owner, "check", lines=LINES).content.decode()
    assert "Send 2 orders together" in html
    assert not Order.objects.exists()


def test_lines_changed_since_the_check_are_not_sent(as_owner: Client, account: Account) -> None:
    answer = write(as_owner, "send", lines=LINES + "\nPF_XBTUSD,buy,limit,0.5,59000", checked=CHECKED)
    assert answer.status_code == 422
    assert "not those that were checked" in answer.content.decode()
    assert not Order.objects.exists()


def test_a_ladder_becomes_lines_that_can_still_be_changed(as_owner: Client, account: Account) -> None:
    rungs = {"symbol": "PF_XBTUSD", "side": "buy", "type": "post", "size": "0.4", "first": "58000", "last": "59000"}
    html = write(as_owner, "ladder", lines=LINES, **rungs, count="4", shape="flat").content.decode()
    assert "PF_XBTUSD,buy,post,0.1,58000" in html
    assert "PF_XBTUSD,buy,post,0.1,59000" in html
    assert "Send 6 orders together" in html


@pytest.mark.venue
def test_a_batch_is_sent_once_for_its_intent(as_owner: Client, there: There) -> None:
    intent = str(uuid4())
    for _ in range(2):
        answer = as_owner.post("/batch/", {"do": "send", "intent": intent, "lines": LINES, "checked": CHECKED})
        assert answer.status_code == 302
    assert str(Batch.objects.get().pk) == intent
    assert Order.objects.count() == 2
    assert len(there.ledger()) == 2
    assert 'data-line="2"' in as_owner.get(answer["Location"]).content.decode()


@pytest.mark.venue
def test_nothing_is_retried_that_may_have_arrived(as_owner: Client, there: There) -> None:
    answer = as_owner.post("/batch/", {"do": "send", "intent": str(uuid4()), "lines": LINES, "checked": CHECKED})
    before = Order.objects.count()
    as_owner.post(answer["Location"], {"intent": str(uuid4())})
    assert Order.objects.count() == before


def test_a_viewer_and_a_stranger_get_no_batch(
    client: Client, account: Account, owner: User, viewer: User, stranger: User
) -> None:
    batch = Batch.objects.create(account=account, by=owner, size=1)
    for person, page, own in ((viewer, 403, 200), (stranger, 404, 404)):
        client.force_login(person)
        assert client.post("/batch/", {"do": "send", "lines": LINES, "checked": CHECKED}).status_code == page
        assert client.get(f"/batch/{batch.pk}/").status_code == own
    assert not Order.objects.exists()
