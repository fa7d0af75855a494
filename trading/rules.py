"""What the desk checks before an order is stored. Plain functions over plain values.

What only the venue can know (margin, collars, a market that is closed) is left to the venue's answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from accounts.rules import NotAllowed
from krakenfutures.numbers import is_multiple, plain, step_above, step_below
from krakenfutures.values import Change, Instrument, NewOrder, OrderType


class OffStep(NotAllowed):
    """A price off the tick or a size off the lot. `neighbours` are the legal values around it, smallest first."""

    def __init__(self, reason: str, *, field: str, neighbours: tuple[Decimal, ...]) -> None:
        super().__init__(reason, field=field, code="off_step")
        self.neighbours = neighbours


def refusals(order: NewOrder, instrument: Instrument) -> Iterator[NotAllowed]:
    """Everything that is wrong with an order by the rules of its instrument, the most telling first."""
    if instrument.expired:
        yield NotAllowed(f"{instrument.symbol} has expired.", field="symbol", code="expired")
    yield from size_refusals(order.size, instrument)
    yield from _limit_price_refusals(order, instrument)
    yield from _stop_price_refusals(order, instrument)


def change_refusals(change: Change, instrument: Instrument, filled: Decimal) -> Iterator[NotAllowed]:
    """What is wrong with an edit. `filled` is what has been executed: the new total must be larger."""
    if change.size is None and change.limit_price is None and change.stop_price is None:
        yield NotAllowed("Nothing would change.", code="no_change")
    if change.size is not None:
        yield from size_refusals(change.size, instrument)
        if change.size <= filled:
            reason = f"{plain(filled)} is already filled: the new size must be larger, or cancel the rest."
            yield NotAllowed(reason, field="size", code="below_filled")
    for field, price in (("limit_price", change.limit_price), ("stop_price", change.stop_price)):
        if price is not None:
            yield from price_refusals(price, instrument, field)


def size_refusals(size: Decimal, instrument: Instrument) -> Iterator[NotAllowed]:
    if not size.is_finite() or size <= 0:
        yield NotAllowed("The size must be more than zero.", field="size", code="no_size")
    elif not is_multiple(size, instrument.lot):
        yield off_step("size", size, instrument.lot)
    elif size > instrument.max_position:
        largest = plain(instrument.max_position)
        yield NotAllowed(f"The largest position in {instrument.symbol} is {largest}.", field="size", code="too_large")


def price_refusals(price: Decimal, instrument: Instrument, field: str) -> Iterator[NotAllowed]:
    if not price.is_finite() or price <= 0:
        yield NotAllowed("The price must be more than zero.", field=field, code="no_price")
    elif not is_multiple(price, instrument.tick):
        yield off_step(field, price, instrument.tick)


def off_step(field: str, value: Decimal, step: Decimal) -> OffStep:
    below, above = step_below(value, step), step_above(value, step)
    neighbours = tuple(number for number in (below, above) if number > 0)
    choice = " or ".join(plain(number) for number in neighbours)
    what = "size" if field == "size" else "price"
    return OffStep(f"The {what} must be a multiple of {plain(step)}: {choice}.", field=field, neighbours=neighbours)


def _limit_price_refusals(order: NewOrder, instrument: Instrument) -> Iterator[NotAllowed]:
    if order.limit_price is not None:
        if order.type in {OrderType.MARKET, OrderType.TRAILING_STOP}:
            name = order.type.value.replace("_", " ")
            yield NotAllowed(f"A {name} order takes no limit price.", field="limit_price", code="unwanted")
        else:
            yield from price_refusals(order.limit_price, instrument, "limit_price")
    elif order.type.takes_limit_price:
        yield NotAllowed(f"A {order.type.value} order needs a price.", field="limit_price", code="missing")


def _stop_price_refusals(order: NewOrder, instrument: Instrument) -> Iterator[NotAllowed]:
    wanted = order.type in {OrderType.STOP, OrderType.TAKE_PROFIT}
    if wanted and order.stop_price is None:
        yield NotAllowed("This order needs a trigger price.", field="stop_price", code="missing")
    elif order.stop_price is not None and not wanted:
        yield NotAllowed("Only stops and take-profits take a trigger price.", field="stop_price", code="unwanted")
    elif order.stop_price is not None:
        yield from price_refusals(order.stop_price, instrument, "stop_price")
