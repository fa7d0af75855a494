"""Every kind of account-log row that the reference lists comes about by what people do, and the log still adds up."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal as D

import pytest

from demovenue.values import Participant
from tests.demovenue.engine_world import BTC, World, balances_by_log, balances_of, sums_by_currency

KINDS = {
    "futures trade",
    "futures liquidation",
    "futures partial liquidation",
    "futures assignor",
    "futures assignee",
    "futures unwind counterparty",
    "futures unwind bankrupt",
    "covered liquidation",
    "funding rate change",
    "conversion",
    "interest payment",
    "transfer",
    "cross-exchange transfer",
    "kfee applied",
    "subaccount transfer",
    "settlement",
    "admin transfer",
    "tax withheld",
    "tax refund",
}


def by_hand(world: World) -> None:
    for kind, amount in (("admin transfer", 5), ("tax refund", 5), ("tax withheld", -5), ("interest payment", 5)):
        world.exchange.adjust(world.trader, kind=kind, wallet="cash", currency="usd", amount=D(amount))
    world.exchange.adjust(world.trader, kind="admin transfer", wallet="flex", currency="fee", amount=D(300))
    world.send("mkt", "buy", "0.01")


def between_wallets(world: World) -> None:
    exchange, me = world.exchange, world.trader
    child = exchange.open_subaccount(me).account.uid
    exchange.transfer(me, source="flex", target="cash", unit="usd", amount=D(10))
    exchange.transfer_subaccount(
        me, from_user=me, to_user=child, source="cash", target="cash", unit="usd", amount=D(10)
    )
    exchange.withdraw(me, currency="usd", amount=D(10), source="cash")


def holding_on(world: World) -> None:
    """An hour of a perpetual, a profit in another currency, and a contract until its end."""
    exchange = world.exchange
    exchange.set_pnl_currency(world.trader, BTC, "ETH")
    exchange.set_mark(BTC, price=D(84000))
    world.send("mkt", "buy", "0.1")
    dated = min((i for i in exchange.instruments() if i.maturity), key=lambda i: i.maturity)
    world.send("mkt", "buy", "10" if dated.inverse else "0.01", symbol=dated.symbol)
    exchange.advance(D(3600))
    exchange.set_mark(BTC, price=D(84500))
    world.send("mkt", "sell", "0.1")
    exchange.release_mark()
    exchange.advance(D((dated.maturity - exchange.now()).total_seconds()) + 60)


def strip(world: World, who: str, keep: str) -> None:
    for currency, held in world.exchange.wallets(who).flex.currencies.items():
        amount = held.quantity - (D(keep) if currency == "USD" else 0)
        if amount > 0:
            world.exchange.transfer(who, source="flex", target="cash", unit=currency.lower(), amount=amount)


def into_parts(world: World) -> None:
    """Too little margin, and a book that takes what must go."""
    world.exchange.set_mark(BTC, price=D(84000))
    strip(world, world.trader, "3000")
    world.send("mkt", "buy", "2")
    threshold = world.exchange.positions(world.trader)[0].liquidation_price
    world.exchange.set_mark(BTC, price=threshold.quantize(D(1)) - 20)
    other = world.exchange.sign_up().account.uid
    world.send("mkt", "buy", "400000", symbol="PI_XBTUSD", who=other)
    trigger = world.exchange.wallets(other).margin["fi_xbtusd"].triggers["mm"]
    world.exchange.set_mark("PI_XBTUSD", price=trigger.quantize(D(1)) - 200)


def crash(world: World) -> None:
    """A volunteer takes a part, the other side the rest."""
    volunteer, short = (world.exchange.sign_up().account.uid for _ in range(2))
    wish = {"contract_type": "flex", "accept_long": True, "accept_short": False, "time_frame": "ALL", "enabled": True}
    world.exchange.assignment_add(Participant(account_uid=volunteer, contract=BTC, max_size=D("0.3"), **wish))
    world.send("mkt", "sell", "0.5", who=short)
    strip(world, world.trader, "1000")
    world.send("mkt", "buy", "0.9")
    world.exchange.set_mark(BTC, percent=D(-30))


def fees_on_top(world: World) -> None:
    """Somebody takes the position just above the bankruptcy price, and the fee is more than what is left."""
    world.send("mkt", "buy", "400000", symbol="PI_XBTUSD")
    worth = world.exchange.wallets(world.trader).margin["fi_xbtusd"].pv
    size = world.position("PI_XBTUSD")
    near = (size / (worth + size / world.exchange.ticker("PI_XBTUSD").mark)).quantize(D(1))
    rich = world.exchange.sign_up().account.uid
    world.exchange.fund(rich, wallet="fi_xbtusd", currency="xbt", amount=D(10))
    world.send("lmt", "buy", "400000", str(near + 5), symbol="PI_XBTUSD", who=rich)
    world.exchange.set_mark("PI_XBTUSD", price=near + 10)


STORIES: dict[Callable[[World], None], set[str]] = {
    by_hand: {"admin transfer", "tax refund", "tax withheld", "interest payment", "kfee applied", "futures trade"},
    between_wallets: {"transfer", "subaccount transfer", "cross-exchange transfer"},
    holding_on: {"funding rate change", "conversion", "settlement"},
    into_parts: {"futures partial liquidation", "futures liquidation"},
    crash: {"futures assignor", "futures assignee", "futures unwind bankrupt", "futures unwind counterparty"},
    fees_on_top: {"covered liquidation"},
}


def test_the_stories_tell_of_every_kind():
    assert set.union(*STORIES.values()) == KINDS


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_every_kind_of_row_comes_about_and_the_log_adds_up(story):
    world = World()
    try:
        story(world)
        people = [uid for uid in world.exchange._parts.floor.accounts if uid]
        found = {entry.info for uid in people for entry in world.exchange.account_log(uid, limit=10_000)}
        assert found >= STORIES[story]
        assert found <= KINDS
        for uid in people:
            assert balances_by_log(world.exchange, uid) == balances_of(world.exchange, uid)
        assert set(sums_by_currency(world.exchange).values()) == {D(0)}
    finally:
        world.exchange.close()
