"""Taking orders: sent, edited, cancelled. Every outcome is one of Kraken's status words."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from demovenue import checks
from demovenue.checks import TRIGGERS
from demovenue.events import OrderChanged
from demovenue.floor import HOUSE, Floor
from demovenue.margin import Margin
from demovenue.market import Market
from demovenue.matching import Manner, Matching
from demovenue.needs import Wanted
from demovenue.sums import is_sane, market_limit, profit
from demovenue.triggers import Triggers
from demovenue.values import Order, OrderEvent, OrderResult, OrderWish, Refused

ZERO = Decimal(0)
REJECT_REASONS = {
    "postWouldExecute": "post_order_failed_because_it_would_filled",
    "iocWouldNotExecute": "ioc_order_failed_because_it_would_not_be_executed",
    "selfFill": "would_execute_self",
    "wouldNotReducePosition": "would_not_reduce_position",
    "insufficientAvailableFunds": "not_enough_margin",
}
UNKNOWN_FILL_TYPE = "novelFill"


class Orders:
    def __init__(self, floor: Floor, margin: Margin, matching: Matching, triggers: Triggers) -> None:
        self._floor = floor
        self._margin = margin
        self._matching = matching
        self._triggers = triggers
        triggers.fire_with(self.activate)
        self.own_yields = False  # while a held order is released: the owner's resting orders make way for it

    # --- send --------------------------------------------------------------------------------------------------

    def send(self, uid: str, wish: OrderWish, fault: str | None = None, *, at_once: bool = False) -> OrderResult:
        """`at_once`: what does not trade now is dropped, whatever was asked for."""
        turned_away = self.turned_away(uid, wish)
        if turned_away is not None:
            return turned_away
        market = self._floor.market(wish.symbol)
        order = self._new_order(uid, market, wish)
        if at_once and order.type == "lmt":
            order = msgspec.structs.replace(order, type="ioc")
        if order.is_trigger:
            return self._place_trigger(market, order)
        room = self._matching.reducible(uid, order.symbol, order.side)
        reduced = None
        if order.reduce_only and 0 < room < order.quantity:
            reduced = order.quantity - room
            order = msgspec.structs.replace(order, quantity=room)
        refusal = self.would_fail(market, order)
        if refusal:
            return self._reject(order, refusal)
        return self._execute(market, order, reduced, fault)

    def turned_away(self, uid: str, wish: OrderWish) -> OrderResult | None:
        """The answer to what cannot be an order, whatever the book and the margin are. Refused `accountInactive`,
        `invalidArgument` (no such market)."""
        floor = self._floor
        if not floor.account(uid).trading_enabled:
            raise Refused("accountInactive")
        if wish.symbol in floor.expired:
            return OrderResult(status="marketInactive", received=floor.now, cli_ord_id=wish.cli_ord_id)
        refusal = self._refusal(uid, floor.market(wish.symbol), wish)
        if refusal:
            return OrderResult(status=checks.named(refusal)[0], received=floor.now, cli_ord_id=wish.cli_ord_id)
        return None

    def _refusal(self, uid: str, market: Market, wish: OrderWish) -> str | None:
        """The checks that need no order object, in the order a venue makes them."""
        floor = self._floor
        found = (
            checks.form(wish)
            or checks.timing(wish.process_before, floor.now)
            or checks.market_open(market, wish.order_type, floor.now)
            or checks.size(market, wish.size)
            or checks.prices(market, wish)
        )
        if not found and wish.trailing_max_deviation is not None and not is_sane(wish.trailing_max_deviation):
            found = "invalidPrice"
        if not found and wish.cli_ord_id is not None and (uid, wish.cli_ord_id) in floor.client_ids:
            found = "clientOrderIdAlreadyExist"
        return found or checks.counts(floor, uid, market, wish)

    def _new_order(self, uid: str, market: Market, wish: OrderWish) -> Order:
        now = self._floor.now
        type_, limit = wish.order_type, wish.limit_price
        extra: dict[str, Any] = {}
        if type_ == "mkt":
            type_, limit = "ioc", self._market_limit(market, wish.side == "buy")
        elif type_ in TRIGGERS:
            type_ = "lmt" if limit is not None or wish.limit_offset_value is not None else "ioc"
            extra = self._triggers.options(market, wish)
        return Order(
            id=self._floor.ids.order(self._floor.micros),
            account_uid=uid,
            symbol=market.symbol,
            side=wish.side,
            type=type_,
            sent_type=wish.order_type,
            quantity=wish.size,
            filled=ZERO,
            limit_price=limit,
            created=now,
            updated=now,
            cli_ord_id=wish.cli_ord_id,
            reduce_only=wish.reduce_only,
            algo_id=wish.algo_id,
            **extra,
        )

    def _market_limit(self, market: Market, buy: bool) -> Decimal:
        reference = market.best(not buy) or market.last or market.mark
        return market_limit(buy, reference, market.instrument.tick)

    def _place_trigger(self, market: Market, order: Order) -> OrderResult:
        floor = self._floor
        refusal = self._triggers.refusal(market, order)
        if refusal:
            return self._reject(order, refusal)
        floor.keep(order)
        floor.tell_order(order, "new_placed_order_by_user", gone=False)
        floor.record(
            order.account_uid,
            "triggers",
            "OrderTriggerPlaced",
            order.symbol,
            order=order,
            reason="new_user_order",
            opened=True,
        )
        return self._answer("placed", order, OrderEvent(type="PLACE", order=order))

    # --- what an order would run into --------------------------------------------------------------------------

    def would_fail(self, market: Market, order: Order, replaced: Order | None = None) -> str | None:
        """Everything that depends on the book and the account. `replaced` is the order being edited."""
        uid, buy = order.account_uid, order.side == "buy"
        assert order.limit_price is not None
        if order.reduce_only and self._matching.reducible(uid, order.symbol, order.side) <= 0:
            return "wouldNotReducePosition"
        limit = market.ticks(order.limit_price)
        crosses = market.book.crosses(buy, limit)
        if order.type == "post" and crosses:
            return "postWouldExecute"
        met = list(market.book.reachable(buy, limit, market.lots(order.remaining))) if crosses else []
        if order.type == "ioc" and not met:
            return "iocWouldNotExecute"
        if order.type == "fok" and sum(amount for _, amount in met) < market.lots(order.remaining):
            return "iocWouldNotExecute"
        if any(maker.owner == uid for maker, _ in met) and self._strategy(uid) == "REJECT_TAKER":
            return "selfFill"
        if order.reduce_only:
            return None
        if met and market.status.dislocation == ("ABOVE_UPPER_BOUND" if buy else "BELOW_LOWER_BOUND"):
            return "wouldIncreasePriceDislocation"
        already = replaced.remaining if replaced else ZERO
        wanted = self._margin.waiting(uid, market, order.side) + order.remaining - already
        over = checks.position_limit(self._floor, uid, market, order.side, wanted)
        return over or self._cannot_afford(market, order, met, replaced)

    def _cannot_afford(
        self, market: Market, order: Order, met: list[tuple[Any, int]], replaced: Order | None
    ) -> str | None:
        assert order.limit_price is not None
        uid, buy = order.account_uid, order.side == "buy"
        # A taker pays the makers' prices, not its limit: only what rests is reckoned at the limit.
        lots = sum(amount for _, amount in met)
        price = order.limit_price
        if lots and (order.type == "ioc" or lots == market.lots(order.remaining)):
            price = market.price(1) * sum(maker.price * amount for maker, amount in met) / lots
        size = market.size(lots) if order.type == "ioc" else order.remaining
        wanted = Wanted(order.symbol, buy, size, price)
        if self._margin.leverage_too_high(uid, wanted):
            return "fixedLeverageTooHigh"
        loss = profit(market.instrument.inverse, size if buy else -size, price, market.mark) if lots else ZERO
        without = replaced.id if replaced else None
        return self._margin.objection(uid, wanted, loss, without=without, adds=self._adds(uid, order))

    def _adds(self, uid: str, order: Order) -> bool:
        return self._matching.reducible(uid, order.symbol, order.side) < order.remaining

    def _reject(self, order: Order, status: str) -> OrderResult:
        """Remembered for orders/status; not kept, as it never was in the book."""
        floor, now = self._floor, self._floor.now
        status, error = checks.named(status)
        rejected = msgspec.structs.replace(order, status="REJECTED", error=error)
        floor.remember_rejected(rejected)
        reason = REJECT_REASONS.get(status, "")
        family, key = ("triggers", "OrderTriggerCancelled") if order.is_trigger else ("orders", "OrderRejected")
        floor.record(order.account_uid, family, key, order.symbol, order=rejected, reason=reason, error=error)
        if status == "insufficientAvailableFunds":
            return OrderResult(status=status, received=now, cli_ord_id=order.cli_ord_id)
        if status == "postWouldExecute":
            floor.tell(
                OrderChanged(
                    account_uid=order.account_uid, order=rejected, gone=True, reason=reason, verbose_only=True
                )
            )
        return self._answer(status, order, OrderEvent(type="REJECT", order=order, reason=error))

    # --- execution ---------------------------------------------------------------------------------------------

    def _execute(self, market: Market, order: Order, reduced: Decimal | None, fault: str | None) -> OrderResult:
        self.clear_own(market, order)
        assert order.limit_price is not None
        fill_type = UNKNOWN_FILL_TYPE if fault == "unknown_fill_type" else "taker"
        manner = Manner(fill_type, taker_order_type=order.sent_type, taker_reduced=reduced)
        floor = self._floor
        floor.record(
            order.account_uid,
            "orders",
            "OrderPlaced",
            order.symbol,
            order=order,
            reason="new_user_order",
            reduced=reduced,
            opened=True,
        )
        order, events = self._matching.take(market, order, order.limit_price, manner)
        if order.remaining == 0:
            floor.keep(order)
            floor.tell_order(order, "full_fill", gone=True)
        elif order.type in {"ioc", "fok"}:
            self._drop_rest(order)
        else:
            self._rest(market, order)
            events.append(OrderEvent(type="PLACE", order=order, reduced_quantity=reduced))
            self._fault(market, order, fault)
        return self._answer("placed", order, *events)

    def _rest(self, market: Market, order: Order) -> None:
        order = msgspec.structs.replace(order, update_reason=order.update_reason or "NEW_USER_ORDER")
        self._floor.keep(order)
        self._matching.rest(market, order)
        self._floor.tell_order(order, "new_placed_order_by_user", gone=False)

    def _drop_rest(self, order: Order) -> None:
        floor = self._floor
        dropped = msgspec.structs.replace(
            order, status="CANCELLED", update_reason="IOC_WOULD_NOT_EXECUTE_REASON", updated=floor.now
        )
        floor.keep(dropped)
        reason = "ioc_order_failed_because_it_would_not_be_executed"
        floor.tell_order(dropped, reason, gone=True)
        floor.record(
            order.account_uid, "orders", "OrderCancelled", order.symbol, order=order, reason=reason, closed=True
        )

    def _fault(self, market: Market, order: Order, fault: str | None) -> None:
        """The house hits the order that has just come to rest."""
        if fault == "fill_at_once":
            self._matching.house_hits(market, order, order.remaining)
        elif fault == "partial_fill" and market.lots(order.remaining) > 1:
            self._matching.house_hits(market, order, market.size(market.lots(order.remaining) // 2))

    def clear_own(self, market: Market, order: Order) -> None:
        """Self-trade strategies that cancel the maker: own orders in the way go, then those of the family."""
        account, strategy = self._floor.accounts[order.account_uid], self._strategy(order.account_uid)
        if strategy == "REJECT_TAKER" or order.limit_price is None:
            return
        family = {account.uid}
        if strategy in {"CANCEL_MAKER_CHILD", "CANCEL_MAKER_ANY"}:
            family |= {a.uid for a in self._floor.accounts.values() if a.master_uid == account.uid}
        if strategy == "CANCEL_MAKER_ANY" and account.master_uid:
            siblings = {a.uid for a in self._floor.accounts.values() if a.master_uid == account.master_uid}
            family |= {account.master_uid, *siblings}
        limit, lots = market.ticks(order.limit_price), market.lots(order.remaining)
        while own := [
            maker
            for maker, _ in market.book.reachable(order.side == "buy", limit, lots)
            if maker.owner in family and maker.owner != HOUSE
        ]:
            for maker in own:
                mine = self._floor.orders[maker.owner][maker.id]
                self._matching.withdraw(market, mine, "would_execute_self", "CANCELLED_BY_SELF_TRADE")

    def _strategy(self, uid: str) -> str:
        chosen = self._floor.accounts[uid].self_trade
        return "CANCEL_MAKER_SELF" if self.own_yields and chosen == "REJECT_TAKER" else chosen

    def activate(self, market: Market, trigger: Order) -> None:
        """A trigger has fired: the same id becomes a plain order and goes the way of every order."""
        floor, now = self._floor, self._floor.now
        floor.tell_order(trigger, "stop_order_triggered", gone=True)
        limit = self._triggers.limit_of(market, trigger)
        plain = msgspec.structs.replace(
            trigger,
            trigger_kind=None,
            status="ENTERED_BOOK",
            update_reason="LIMIT_FROM_STOP",
            limit_price=limit or self._market_limit(market, trigger.side == "buy"),
            triggered_at=now,
            updated=now,
        )
        floor.record(
            trigger.account_uid, "triggers", "OrderTriggerActivated", trigger.symbol, order=trigger, closed=True
        )
        room = self._matching.reducible(plain.account_uid, plain.symbol, plain.side)
        if plain.reduce_only and 0 < room < plain.quantity:
            plain = msgspec.structs.replace(plain, quantity=room)
        self._floor.orders[trigger.account_uid].pop(trigger.id, None)  # its own margin must not stand in its way
        failure = checks.market_open(market, plain.type, now) or self.would_fail(market, plain)
        if failure:
            failed = msgspec.structs.replace(
                plain, status="TRIGGER_ACTIVATION_FAILURE", error=checks.named(failure)[1]
            )
            floor.keep(failed)
            floor.record(
                plain.account_uid,
                "orders",
                "OrderRejected",
                plain.symbol,
                order=failed,
                reason=REJECT_REASONS.get(failure, ""),
                error=failed.error,
            )
            return
        if plain.type != "ioc":
            floor.tell_order(plain, "limit_order_from_stop", gone=False)
        self._execute(market, plain, None, None)

    def _answer(self, status: str, order: Order, *events: OrderEvent) -> OrderResult:
        return OrderResult(
            status=status,
            received=self._floor.now,
            order_id=order.id,
            cli_ord_id=order.cli_ord_id,
            events=events,
        )
