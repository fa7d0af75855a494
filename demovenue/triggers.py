"""Dormant orders: when they wake, and how a trailing one follows the price."""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import msgspec

from demovenue import checks
from demovenue.checks import TRIGGERS
from demovenue.floor import Floor
from demovenue.market import Market
from demovenue.values import Order, OrderWish

DEFAULT_SIGNAL = "mark"  # the reference does not say
Activate = Callable[[Market, Order], None]


class Triggers:
    def __init__(self, floor: Floor) -> None:
        self._floor = floor
        self._activate: Activate = _nobody

    def fire_with(self, activate: Activate) -> None:
        """Who turns a woken trigger into an order."""
        self._activate = activate

    def options(self, market: Market, wish: OrderWish) -> dict[str, Any]:
        """The trigger part of a new order."""
        kind = TRIGGERS[wish.order_type]
        signal = wish.trigger_signal or DEFAULT_SIGNAL
        above = (wish.side == "buy") != (kind == "take_profit")
        price = wish.stop_price
        if kind == "trailing_stop":
            price = self.trail(market, above, signal, wish.trailing_max_deviation, wish.trailing_unit)
        return {
            "status": "TRIGGER_PLACED",
            "trigger_kind": kind,
            "trigger_price": price,
            "trigger_above": above,
            "trigger_signal": signal,
            "trailing_max_deviation": wish.trailing_max_deviation,
            "trailing_unit": wish.trailing_unit,
            "limit_offset_value": wish.limit_offset_value,
            "limit_offset_unit": wish.limit_offset_unit,
        }

    @staticmethod
    def refusal(market: Market, order: Order) -> str | None:
        """When the trigger cannot be placed. Reduce-only ones need no position."""
        if order.trigger_kind == "trailing_stop":
            wrong = checks.trailing(market, order.trailing_max_deviation, order.trailing_unit)
            if wrong:
                return wrong
        if order.trigger_signal not in {"mark", "index", "last"} or not order.trigger_price or order.trigger_price < 0:
            return "invalidPrice"
        return checks.limit_offset(market, order)

    @staticmethod
    def trail(market: Market, above: bool, signal: str, deviation: Decimal | None, unit: str | None) -> Decimal | None:
        reference = market.signal(signal) or market.mark
        if deviation is None:
            return None
        distance = reference * deviation / 100 if unit == "PERCENT" else deviation
        return _to_tick(market, reference + distance if above else reference - distance)

    def limit_of(self, market: Market, trigger: Order) -> Decimal | None:
        """The limit of the order to be created; None for a market order."""
        if trigger.limit_offset_value is None or trigger.trigger_price is None:
            return trigger.limit_price
        offset = trigger.limit_offset_value
        if trigger.limit_offset_unit == "PERCENT":
            offset = trigger.trigger_price * offset / 100
        return _to_tick(market, trigger.trigger_price + offset)

    # --- watching ----------------------------------------------------------------------------------------------

    def check(self, market: Market) -> None:
        """Wakes what the prices of now reach; trailing ones follow first."""
        for order in list(self._floor.triggers[market.symbol].values()):
            value = market.signal(order.trigger_signal or DEFAULT_SIGNAL)
            if value is None or order.trigger_price is None:
                continue
            if order.trigger_kind == "trailing_stop":
                order = self._follow(market, order)
            assert order.trigger_price is not None
            reached = value >= order.trigger_price if order.trigger_above else value <= order.trigger_price
            if reached:
                self._activate(market, order)

    def any_reached(self, market: Market) -> bool:
        """Would `check` wake anybody, as the trailing ones stand?"""
        for order in self._floor.triggers[market.symbol].values():
            value = market.signal(order.trigger_signal or DEFAULT_SIGNAL)
            if value is None or order.trigger_price is None:
                continue
            if value >= order.trigger_price if order.trigger_above else value <= order.trigger_price:
                return True
        return False

    def _follow(self, market: Market, order: Order) -> Order:
        """Only towards the price, never away from it."""
        price = self.trail(
            market,
            order.trigger_above,
            order.trigger_signal or DEFAULT_SIGNAL,
            order.trailing_max_deviation,
            order.trailing_unit,
        )
        assert order.trigger_price is not None
        if price is None or (price >= order.trigger_price if order.trigger_above else price <= order.trigger_price):
            return order
        moved = msgspec.structs.replace(
            order, trigger_price=price, updated=self._floor.now, update_reason="TRAILING_STOP_PRICE_UPDATED"
        )
        self._floor.keep(moved)
        self._floor.tell_order(moved, "edited_by_user", gone=False)
        return moved


def _to_tick(market: Market, price: Decimal) -> Decimal:
    tick = market.instrument.tick
    return (price / tick).to_integral_value(ROUND_HALF_UP) * tick


def _nobody(market: Market, order: Order) -> None:
    raise RuntimeError(f"nobody takes {order.id} on {market.symbol}")
