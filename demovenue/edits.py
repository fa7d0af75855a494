"""Changing an open order. It keeps its id; it keeps its place in the queue only when nothing but its size shrinks."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from demovenue import checks
from demovenue.cancels import find_open
from demovenue.floor import Floor
from demovenue.market import Market
from demovenue.matching import Manner, Matching
from demovenue.orders import Orders
from demovenue.triggers import Triggers
from demovenue.values import EditWish, Order, OrderEvent, OrderResult


class Edits:
    def __init__(self, floor: Floor, matching: Matching, orders: Orders, triggers: Triggers) -> None:
        self._floor = floor
        self._matching = matching
        self._orders = orders
        self._triggers = triggers

    def edit(self, uid: str, wish: EditWish) -> OrderResult:
        floor = self._floor
        order = find_open(floor, uid, wish.order_id, wish.cli_ord_id)
        late = checks.timing(wish.process_before, floor.now)
        if late or order is None:
            return OrderResult(
                status=late or "orderForEditNotFound",
                received=floor.now,
                order_id=wish.order_id,
                cli_ord_id=wish.cli_ord_id,
            )
        market = floor.market(order.symbol)
        refusal = self._refusal(market, order, wish)
        if refusal:
            return self._refused(order, refusal)
        wanted = self._wanted(market, order, wish)
        if self._same(order, wanted) and wish.trailing_max_deviation is None:
            event = OrderEvent(type="REJECT", order=order, reason="EDIT_HAS_NO_EFFECT")
            return self._answer("edited", order, event)
        if order.is_trigger:
            return self._edit_trigger(order, wanted)
        return self._edit_plain(market, order, wanted)

    # --- what is asked for -------------------------------------------------------------------------------------

    def _refusal(self, market: Market, order: Order, wish: EditWish) -> str | None:
        closed = checks.market_open(market, "post", self._floor.now)
        if closed:
            return closed
        if wish.size is not None:
            wrong = checks.size(market, wish.size)
            # A total at or below what has filled already leaves no order.
            too_small = wish.qty_mode == "ABSOLUTE" and wish.size <= order.filled
            if wrong or too_small:
                return wrong or "invalidSize"
            if not checks.is_small(market, order.quantity):
                crowded = checks.small_ones(self._floor, order.account_uid, market, wish.size)
                if crowded:
                    return crowded
        if wish.limit_price is not None and not checks.on_tick(market, wish.limit_price):
            return "invalidPrice"
        if wish.stop_price is not None and not order.is_trigger:
            return "orderForEditNotAStop"
        if wish.stop_price is not None and not checks.on_tick(market, wish.stop_price):
            return "invalidPrice"
        if not order.is_trigger and wish.limit_price is not None:
            return checks.collar(market, order.side, wish.limit_price)
        return self._trailing_refusal(market, order, wish)

    @staticmethod
    def _trailing_refusal(market: Market, order: Order, wish: EditWish) -> str | None:
        if order.trigger_kind != "trailing_stop":
            return "orderForEditNotAStop" if wish.trailing_max_deviation is not None else None
        if wish.stop_price is not None:
            return "CANNOT_EDIT_TRIGGER_PRICE_OF_TRAILING_STOP"
        if wish.limit_price is not None:
            return "CANNOT_EDIT_LIMIT_PRICE_OF_TRAILING_STOP"
        if wish.trailing_max_deviation is not None:
            unit = wish.trailing_unit or order.trailing_unit
            return checks.trailing(market, wish.trailing_max_deviation, unit)
        return None

    def _wanted(self, market: Market, order: Order, wish: EditWish) -> Order:
        changes: dict[str, Any] = {}
        if wish.size is not None:
            changes["quantity"] = wish.size if wish.qty_mode == "ABSOLUTE" else order.filled + wish.size
        if wish.limit_price is not None:
            changes["limit_price"] = wish.limit_price
            changes["type"] = "lmt" if order.is_trigger else order.type
        if wish.stop_price is not None:
            changes["trigger_price"] = wish.stop_price
        if wish.trailing_max_deviation is not None:
            changes["trailing_max_deviation"] = wish.trailing_max_deviation
            changes["trailing_unit"] = wish.trailing_unit or order.trailing_unit
            changes["trigger_price"] = self._triggers.trail(
                market,
                order.trigger_above,
                order.trigger_signal or "mark",
                wish.trailing_max_deviation,
                changes["trailing_unit"],
            )
        return msgspec.structs.replace(order, **changes)

    @staticmethod
    def _same(order: Order, wanted: Order) -> bool:
        return (order.quantity, order.limit_price, order.trigger_price) == (
            wanted.quantity,
            wanted.limit_price,
            wanted.trigger_price,
        )

    # --- doing it ----------------------------------------------------------------------------------------------

    def _edit_trigger(self, order: Order, wanted: Order) -> OrderResult:
        floor = self._floor
        new = msgspec.structs.replace(wanted, updated=floor.now, update_reason="EDITED_BY_USER")
        floor.keep(new)
        floor.tell_order(new, "edited_by_user", gone=False)
        floor.record(
            order.account_uid,
            "triggers",
            "OrderTriggerUpdated",
            order.symbol,
            order=new,
            old=order,
            reason="edited_by_user",
        )
        return self._answer("edited", new, OrderEvent(type="EDIT", order=new, old=order))

    def _edit_plain(self, market: Market, order: Order, wanted: Order) -> OrderResult:
        reduced: Decimal | None = None
        room = self._matching.reducible(order.account_uid, order.symbol, order.side)
        if wanted.reduce_only and 0 < room < wanted.remaining:
            reduced = wanted.remaining - room
            wanted = msgspec.structs.replace(wanted, quantity=wanted.filled + room)
        failure = self._orders.would_fail(market, wanted, replaced=order)
        if failure:
            return self._refused(order, failure, wanted)
        floor = self._floor
        new = msgspec.structs.replace(wanted, updated=floor.now, update_reason="EDITED_BY_USER")
        floor.record(
            order.account_uid, "orders", "OrderUpdated", order.symbol, order=new, old=order, reason="edited_by_user"
        )
        events = [OrderEvent(type="EDIT", order=new, old=order, reduced_quantity=reduced)]
        assert new.limit_price is not None
        if new.limit_price == order.limit_price and new.quantity < order.quantity:
            market.book.shrink(order.id, market.lots(new.remaining))
            floor.keep(new)
            floor.tell_order(new, "edited_by_user", gone=False)
            return self._answer("edited", new, *events)
        market.book.cancel(order.id)
        manner = Manner("takerAfterEdit", taker_order_type=order.sent_type, prior_edit=order)
        self._orders.clear_own(market, new)
        done, executed = self._matching.take(market, new, new.limit_price, manner)
        floor.keep(done)
        if done.remaining > 0:
            self._matching.rest(market, done)
            floor.tell_order(done, "edited_by_user", gone=False)
        else:
            floor.tell_order(done, "full_fill", gone=True)
        return self._answer("edited", done, *events, *executed)

    def _refused(self, order: Order, status: str, wanted: Order | None = None) -> OrderResult:
        """The order stays as it is."""
        floor, (status, error) = self._floor, checks.named(status)
        family, key = ("triggers", "OrderTriggerEditRejected") if order.is_trigger else ("orders", "OrderEditRejected")
        floor.record(order.account_uid, family, key, order.symbol, order=wanted or order, old=order, error=error)
        return self._answer(status, order, OrderEvent(type="REJECT", order=order, reason=error))

    def _answer(self, status: str, order: Order, *events: OrderEvent) -> OrderResult:
        return OrderResult(
            status=status,
            received=self._floor.now,
            order_id=order.id,
            cli_ord_id=order.cli_ord_id,
            events=events,
        )
