"""A small world for the engine's tests: an exchange that forgets, stands still, and one trader in it."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from demovenue.events import BookDelta, Event
from demovenue.exchange import Exchange
from demovenue.values import OrderResult, OrderWish

START = datetime(2026, 11, 22, 12, 0, 5, tzinfo=UTC)
BTC, ETH = "PF_XBTUSD", "PF_ETHUSD"


def D(text: str | int) -> Decimal:
    return Decimal(text)


def open_exchange(data: Path | None = None, seed: int = 7) -> Exchange:
    return Exchange(data, seed=seed, start=START, manual=True)


class World:
    def __init__(self, data: Path | None = None, seed: int = 7) -> None:
        self.exchange = open_exchange(data, seed)
        self.trader = self.exchange.sign_up().account.uid
        self.heard: list[Event] = []
        self.exchange.subscribe(self.heard.append)

    def send(
        self, order_type: str, side: str, size: str, limit: str | Decimal | None = None, **more: Any
    ) -> OrderResult:
        who = more.pop("who", self.trader)
        fault = more.pop("fault", None)
        wish = OrderWish(
            order_type=order_type,
            symbol=more.pop("symbol", BTC),
            side=side,
            size=D(size),
            limit_price=None if limit is None else Decimal(limit),
            **more,
        )
        return self.exchange.send_order(who, wish, fault=fault)

    def best(self, side: str, symbol: str = BTC) -> Decimal:
        book = self.exchange.book(symbol)
        return (book.bids if side == "buy" else book.asks)[0][0]

    def position(self, symbol: str = BTC, who: str | None = None) -> Decimal:
        held = self.exchange.positions(who or self.trader)
        return next((p.size for p in held if p.symbol == symbol), D(0))

    def far(self, side: str) -> str:
        """A price nobody will reach soon."""
        return "70000" if side == "buy" else "99000"

    def pass_seconds(self, seconds: int) -> None:
        for _ in range(seconds):
            self.exchange.advance(D(1))


def sums_by_currency(exchange: Exchange) -> dict[str, Decimal]:
    """Everybody's balances and the house's: nothing comes from nowhere."""
    totals: dict[str, Decimal] = {}
    for (_, _, currency), amount in exchange._parts.floor.balances.items():
        totals[currency] = totals.get(currency, D(0)) + amount
    return totals


def balances_of(exchange: Exchange, uid: str) -> dict[tuple[str, str], Decimal]:
    return {
        (wallet, currency): amount
        for (owner, wallet, currency), amount in exchange._parts.floor.balances.items()
        if owner == uid
    }


def balances_by_log(exchange: Exchange, uid: str) -> dict[tuple[str, str], Decimal]:
    """What the account log says: the sum of its changes, cash rows only."""
    found: dict[tuple[str, str], Decimal] = {}
    for entry in exchange.account_log(uid, ascending=True, limit=100_000):
        if entry.asset == entry.contract:
            continue
        key = (entry.margin_account, entry.asset)
        assert found.get(key, D(0)) == entry.old_balance
        parts = (entry.realized_pnl or 0) - (entry.fee or 0) + (entry.realized_funding or 0)
        if entry.realized_pnl is not None or entry.realized_funding is not None:
            assert entry.new_balance == entry.old_balance + parts
        found[key] = entry.new_balance
    return found


Sides = dict[bool, dict[Decimal, Decimal]]


def replay(heard: list[Event], symbol: str, books: Sides) -> Sides:
    """Applies the deltas of one market to a snapshot."""
    last: int | None = None
    for event in heard:
        if isinstance(event, BookDelta) and event.symbol == symbol:
            assert last is None or event.seq == last + 1
            last = event.seq
            side = books[event.side == "buy"]
            if event.size:
                side[event.price] = event.size
            else:
                del side[event.price]
    return books
