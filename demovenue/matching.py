"""Where an incoming order meets the book: who trades with whom, and what both are told."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

import msgspec

from demovenue.book import Resting
from demovenue.executions import Executions, Share
from demovenue.floor import HOUSE, Floor
from demovenue.market import Market
from demovenue.values import Order, OrderEvent, TradePrint

ZERO = Decimal(0)


class Manner(NamedTuple):
    """How an execution is to be called."""

    fill_type: str = "taker"
    kind: str = "fill"  # on the tape
    taker_order_type: str = "lmt"
    prior_edit: Order | None = None
    taker_reduced: Decimal | None = None


class Matching:
    def __init__(self, floor: Floor, executions: Executions) -> None:
        self._floor = floor
        self._executions = executions

    # --- people ------------------------------------------------------------------------------------------------

    def take(self, market: Market, order: Order, limit: Decimal, manner: Manner) -> tuple[Order, list[OrderEvent]]:
        """Trades what can be traded within `limit`; (the order afterwards, its EXECUTION events)."""
        events: list[OrderEvent] = []
        buy, ticks = order.side == "buy", market.ticks(limit)
        while order.remaining > 0:
            maker = self._next_maker(market, buy, ticks)
            if maker is None:
                break
            lots = min(maker.size, market.lots(order.remaining))
            market.book.take(buy, ticks, lots)
            order, event = self._trade(market, order, maker, lots, manner)
            events.append(event)
        self._executions.settle_debt(order.account_uid, market)
        self.tidy_reduce_only(order.account_uid, market)
        return order, events

    def _trade(
        self, market: Market, order: Order, maker: Resting, lots: int, manner: Manner
    ) -> tuple[Order, OrderEvent]:
        price, size = market.price(maker.price), market.size(lots)
        buy = order.side == "buy"
        trade = self._floor.print_trade(market, buy, manner.kind, price, size, maker=maker, taker=order)
        share = Share(order, manner.fill_type, manner.taker_order_type)
        after = self._executions.settle(market, share, price, size, trade)
        if maker.owner != HOUSE:
            self._fill_maker(market, maker, price, size, trade, manner.taker_order_type)
        return after, OrderEvent(
            type="EXECUTION",
            order=order,
            execution_id=trade.uid,
            price=price,
            amount=size,
            order_prior_edit=manner.prior_edit,
            reduced_quantity=manner.taker_reduced,
        )

    def _fill_maker(
        self, market: Market, maker: Resting, price: Decimal, size: Decimal, trade: TradePrint, taker_type: str
    ) -> None:
        floor = self._floor
        before = floor.orders[maker.owner][maker.id]
        after = self._executions.settle(market, Share(before, "maker", taker_type), price, size, trade)
        floor.keep(after)
        done = after.remaining == 0
        floor.tell_order(after, "full_fill" if done else "partial_fill", gone=done)
        self._executions.settle_debt(maker.owner, market)
        self.tidy_reduce_only(maker.owner, market)

    def _next_maker(self, market: Market, buy: bool, limit: int) -> Resting | None:
        """The first in line within the limit. A reduce-only maker that has nothing left to reduce steps aside."""
        while True:
            first = next(market.book.reachable(buy, limit, 1), None)
            if first is None:
                return None
            maker = first[0]
            if maker.owner == HOUSE:
                return maker
            order = self._floor.orders[maker.owner][maker.id]
            if not order.reduce_only or self._fit(market, order) is not None:
                return maker

    # --- reduce-only -------------------------------------------------------------------------------------------

    def reducible(self, uid: str, symbol: str, side: str) -> Decimal:
        """How much an order of this side could take off the position."""
        held = self._floor.position_size(uid, symbol)
        return max(ZERO, -held if side == "buy" else held)

    def tidy_reduce_only(self, uid: str, market: Market) -> None:
        """After the position moved: orders that no longer reduce leave, larger ones than the position shrink."""
        for order in list(self._floor.plain[uid][market.symbol].values()):
            if order.reduce_only:
                self._fit(market, order)

    def _fit(self, market: Market, order: Order) -> Order | None:
        room = self.reducible(order.account_uid, market.symbol, order.side)
        if room <= 0:
            self.withdraw(market, order, "would_not_reduce_position", "WOULD_NOT_REDUCE_POSITION")
            return None
        if order.remaining <= room:
            return order
        order = msgspec.structs.replace(order, quantity=order.filled + room, updated=self._floor.now)
        market.book.shrink(order.id, market.lots(room))
        self._floor.keep(order)
        self._floor.tell_order(order, "edited_by_user", gone=False)
        return order

    # --- the book ----------------------------------------------------------------------------------------------

    def rest(self, market: Market, order: Order) -> None:
        """Puts what is left of a plain order into the book; the caller has made sure that it does not cross."""
        assert order.limit_price is not None
        market.book.add(
            Resting(
                order.id,
                order.account_uid,
                order.side == "buy",
                market.ticks(order.limit_price),
                market.lots(order.remaining),
            )
        )

    def withdraw(self, market: Market, order: Order, reason: str, update_reason: str) -> Order:
        """An open order or trigger leaves: `reason` for the socket and the history, `update_reason` for its status."""
        market.book.cancel(order.id)
        floor = self._floor
        cancelled = msgspec.structs.replace(order, status="CANCELLED", update_reason=update_reason, updated=floor.now)
        floor.keep(cancelled)
        floor.tell_order(cancelled, reason, gone=True)
        family, key = ("triggers", "OrderTriggerCancelled") if order.is_trigger else ("orders", "OrderCancelled")
        floor.record(order.account_uid, family, key, order.symbol, order=order, reason=reason, closed=True)
        return cancelled

    # --- the house ---------------------------------------------------------------------------------------------

    def house_takes(self, market: Market, buy: bool, limit: int, lots: int) -> int:
        """The house's takers; returns the lots traded. Against its own makers there is only the print."""
        left = lots
        while left > 0:
            maker = self._next_maker(market, buy, limit)
            if maker is None:
                break
            amount = min(left, maker.size)
            market.book.take(buy, limit, amount)
            left -= amount
            price, size = market.price(maker.price), market.size(amount)
            trade = self._floor.print_trade(market, buy, "fill", price, size, maker=maker)
            if maker.owner != HOUSE:
                self._fill_maker(market, maker, price, size, trade, "ioc")
        return lots - left

    def house_hits(self, market: Market, order: Order, size: Decimal) -> Order:
        """A resting order is filled at its own price, past the queue: a fault of the demo exchange."""
        assert order.limit_price is not None
        resting = market.book.orders[order.id]
        trade = self._floor.print_trade(market, order.side != "buy", "fill", order.limit_price, size)
        if market.lots(size) == resting.size:
            market.book.cancel(order.id)
        else:
            market.book.shrink(order.id, resting.size - market.lots(size))
        self._fill_maker(market, resting, order.limit_price, size, trade, "ioc")
        return self._floor.orders[order.account_uid].get(order.id) or self._floor.finished[order.id][1]
