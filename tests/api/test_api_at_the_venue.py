"""The API before a real demo exchange: what it tells is what the exchange says, and what the pages show."""

from __future__ import annotations

from decimal import Decimal
from uuid import uuid4

import pytest

from accounts.models import User
from tests.api.calling import Caller, assert_problem
from tests.trading.risk_venue import There
from trading.models import Fill, Order
from trading.views.picture import Picture

pytestmark = [pytest.mark.venue]


@pytest.fixture
def bot(there: There, owner: User) -> Caller:
    return Caller(owner, there.account.desk)


def test_a_batch_answers_line_by_line_and_only_once(bot: Caller, there: There) -> None:
    line = {"symbol": "PF_XBTUSD", "side": "buy", "type": "limit", "size": "0.01"}
    lines = [{**line, "limit_price": str(there.price(share))} for share in ("0.7", "0.8", "0.9")]
    body, key = {"account": there.account.pk, "orders": lines}, {"Idempotency-Key": str(uuid4())}
    first, again = (bot.ask("POST", "orders/batch", body, **key) for _ in range(2))
    assert first.status_code == again.status_code == 201, first.content
    assert first.json()["id"] == again.json()["id"] == key["Idempotency-Key"]
    assert [one["limit_price"] for one in first.json()["items"]] == [one["limit_price"] for one in lines]
    assert len(there.ledger()) == Order.objects.count() == 3
    other = {"account": there.account.pk, "orders": lines[:2]}
    assert_problem(bot.ask("POST", "orders/batch", other, **key), 409, "key_reused", "Idempotency-Key")


def test_cancel_all_tells_what_became_of_each(bot: Caller, there: There) -> None:
    price = str(there.price("0.7"))
    ids = {bot.place(there.account.pk, limit_price=price).json()["id"] for _ in range(3)}
    answer = bot.ask("POST", "orders/cancel-all", {"account": there.account.pk})
    assert answer.status_code == 200, answer.content
    assert {one["order"]["id"] for one in answer.json()["items"]} == ids
    assert {(one["done"], one["order"]["state"]) for one in answer.json()["items"]} == {(True, "cancelled")}
    assert {row["status"] for row in there.ledger().values()} == {"cancelled"}


def test_the_figures_are_those_of_the_pages_and_of_the_exchange(bot: Caller, there: There) -> None:
    account = there.account.pk
    for size, side in (("0.02", "buy"), ("0.01", "sell")):
        placed = bot.place(account, type="mkt", limit_price=None, size=size, side=side)
        assert (placed.status_code, placed.json()["state"], placed.json()["filled"]) == (201, "filled", size)
    there.sync()

    fills = bot.items("fills?limit=1")
    assert {row["id"] for row in fills} == {row["fill_id"] for row in there.fills()}
    assert len(fills) == Fill.objects.count()

    raw = there.venue.v3(there.person.key, "GET", "accounts")["accounts"]["flex"]
    told = bot.items("wallets")[0]
    assert Decimal(told["flex"]["holdings"][0]["quantity"]) == Decimal(
        str(raw["currencies"][told["flex"]["holdings"][0]["currency"]]["quantity"])
    )
    picture = Picture(there.account)
    assert picture.totals is not None
    for name in ("equity", "available", "used", "maintenance"):
        assert Decimal(told["totals"][name]) == getattr(picture.totals, name)

    [position] = bot.items("positions")
    shown = picture.positions[0]
    assert (position["side"], Decimal(position["size"])) == ("long", abs(there.position("PF_XBTUSD")))
    assert Decimal(position["entry"]) == shown.position.entry
    assert position["unrealised_pnl"] == (None if shown.pnl is None else format(shown.pnl, "f"))
