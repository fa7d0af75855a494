"""What a contract allows: prices on the tick, sizes on the step, positions below the largest.

Every refusal names the legal neighbours, so that a person can correct a number instead of guessing.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from krakenfutures.numbers import is_multiple, plain, step_above, step_below
from krakenfutures.values import Instrument, NewOrder, OrderType, Value

ZERO = Decimal(0)


class Violation(Value, frozen=True):
    """What is wrong with one field, and the legal values around it where there are any."""

    field: str
    sentence: str
    below: Decimal | None = None
    above: Decimal | None = None


def price_violation(instrument: Instrument, price: Decimal, *, field: str = "limit_price") -> Violation | None:
    """None when the price is above zero and a multiple of the tick."""
    if not price.is_finite() or price <= 0:
        return Violation(field=field, sentence="The price must be above zero.", above=instrument.tick)
    return _off_step(field, "price", price, instrument.tick)


def size_violation(instrument: Instrument, size: Decimal, *, field: str = "size") -> Violation | None:
    """None when the size is above zero, a multiple of the step, and no larger than the largest position."""
    if not size.is_finite() or size <= 0:
        return Violation(field=field, sentence="The size must be above zero.", above=instrument.lot)
    largest = instrument.max_position
    if largest and size > largest:
        sentence = f"The size must not be above {plain(largest)}, the largest position of {instrument.symbol}."
        return Violation(field=field, sentence=sentence, below=step_below(largest, instrument.lot))
    return _off_step(field, "size", size, instrument.lot)


def deviation_violation(instrument: Instrument, deviation: Decimal, unit: str | None) -> Violation | None:
    """Of a trailing stop: percent between 0.1 and 50; in the quote currency a multiple of the tick."""
    field = "trailing_deviation"
    if unit == "quote":
        return price_violation(instrument, deviation, field=field)
    if Decimal("0.1") <= deviation <= 50:
        return None
    sentence = "The deviation must be between 0.1 and 50 percent."
    return Violation(field=field, sentence=sentence, below=Decimal("0.1"), above=Decimal(50))


def order_violations(instrument: Instrument, order: NewOrder) -> Iterator[Violation]:
    """Everything in an order that the venue would refuse without looking at the account."""
    if violation := size_violation(instrument, order.size):
        yield violation
    yield from _limit_violations(instrument, order)
    yield from _trigger_violations(instrument, order)
    if not instrument.tradeable or instrument.expired:
        yield Violation(field="symbol", sentence=f"{instrument.symbol} cannot be traded now.")
    elif instrument.post_only and order.type is not OrderType.POST and not order.type.is_trigger:
        yield Violation(field="type", sentence=f"{instrument.symbol} takes only post-only orders now.")


def round_price(instrument: Instrument, price: Decimal) -> Decimal:
    """The nearest legal price, upwards when both are equally near; never below one tick."""
    below, above = step_below(price, instrument.tick), step_above(price, instrument.tick)
    nearest = below if price - below < above - price else above
    return max(nearest, instrument.tick)


def round_size_down(instrument: Instrument, size: Decimal) -> Decimal:
    """The largest legal size that is not above `size`; zero when even one step is too much."""
    return max(ZERO, step_below(size, instrument.lot))


def _limit_violations(instrument: Instrument, order: NewOrder) -> Iterator[Violation]:
    if order.type.takes_limit_price and order.limit_price is None:
        yield Violation(field="limit_price", sentence="This type of order needs a limit price.")
    elif order.limit_price is not None and order.type in {OrderType.MARKET, OrderType.TRAILING_STOP}:
        yield Violation(field="limit_price", sentence="This type of order takes no limit price.")
    elif order.limit_price is not None and (violation := price_violation(instrument, order.limit_price)):
        yield violation


def _trigger_violations(instrument: Instrument, order: NewOrder) -> Iterator[Violation]:
    if order.type in {OrderType.STOP, OrderType.TAKE_PROFIT}:
        if order.stop_price is None:
            yield Violation(field="stop_price", sentence="This type of order needs a trigger price.")
        elif violation := price_violation(instrument, order.stop_price, field="stop_price"):
            yield violation
    elif order.stop_price is not None:
        yield Violation(field="stop_price", sentence="This type of order takes no trigger price.")
    if order.type is not OrderType.TRAILING_STOP:
        return
    if order.trailing_deviation is None:
        yield Violation(field="trailing_deviation", sentence="A trailing stop needs a deviation.")
    elif violation := deviation_violation(instrument, order.trailing_deviation, order.trailing_unit):
        yield violation


def _off_step(field: str, noun: str, value: Decimal, step: Decimal) -> Violation | None:
    if is_multiple(value, step):
        return None
    below, above = step_below(value, step), step_above(value, step)
    near = f"{plain(below)} or {plain(above)}" if below > 0 else plain(above)
    sentence = f"The {noun} must be a multiple of {plain(step)}: {near}."
    return Violation(field=field, sentence=sentence, below=below if below > 0 else None, above=above)
