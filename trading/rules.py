"""What the desk checks before an order is stored. What only the venue knows (margin, collars) it answers.

The contract's own rules are `krakenfutures.contracts`; here they become refusals that name the input to blame.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Protocol

from accounts.rules import NotAllowed
from krakenfutures import pnl
from krakenfutures.contracts import Violation, deviation_violation, order_violations, price_violation, size_violation
from krakenfutures.margin import max_leverage
from krakenfutures.numbers import plain
from krakenfutures.values import Change, ContractKind, Instrument, NewOrder

LIFT_WORD = "RESUME"  # typed by whoever lifts a halt
FLATTEN_WORD = "FLATTEN"  # typed by whoever closes everything


class Terms(Protocol):
    """What the rules look at in an order that is there already."""

    size: Decimal
    limit_price: Decimal | None
    stop_price: Decimal | None
    trailing_deviation: Decimal | None
    reduce_only: bool


class OffStep(NotAllowed):
    """A price off the tick or a size off the lot. `neighbours` are the legal values around it, smallest first."""

    def __init__(self, reason: str, *, field: str, neighbours: tuple[Decimal, ...]) -> None:
        super().__init__(reason, field=field, code="off_step")
        self.neighbours = neighbours


def refusals(order: NewOrder, instrument: Instrument) -> Iterator[NotAllowed]:
    """Everything that is wrong with an order by the rules of its instrument.

    Whether the market is open just now is not judged here: a listing is minutes old, and the venue knows.
    """
    if order.symbol != instrument.symbol:
        reason = f"{order.symbol} is not listed there; {instrument.symbol} is."
        yield NotAllowed(reason, field="symbol", code="unknown_symbol")
    if instrument.expired:
        yield NotAllowed(f"{instrument.symbol} has expired.", field="symbol", code="expired")
    for violation in order_violations(instrument, order):
        if violation.field not in {"symbol", "type"}:
            yield _refusal(violation)


def change_refusals(change: Change, instrument: Instrument, filled: Decimal) -> Iterator[NotAllowed]:
    """What is wrong with an edit. `filled` is what has been executed: the new total must be larger."""
    if (change.size, change.limit_price, change.stop_price, change.trailing_deviation) == (None,) * 4:
        yield NotAllowed("Nothing would change.", code="no_change")
    if change.size is not None:
        if violation := size_violation(instrument, change.size):
            yield _refusal(violation)
        elif change.size <= filled:
            reason = f"{plain(filled)} is filled already: the new size must be larger, or cancel the rest."
            yield NotAllowed(reason, field="size", code="below_filled")
    for field, price in (("limit_price", change.limit_price), ("stop_price", change.stop_price)):
        if price is not None and (violation := price_violation(instrument, price, field=field)):
            yield _refusal(violation)
    deviation = change.trailing_deviation
    if deviation is not None and (violation := deviation_violation(instrument, deviation, change.trailing_unit)):
        yield _refusal(violation)


def _refusal(violation: Violation) -> NotAllowed:
    neighbours = tuple(number for number in (violation.below, violation.above) if number is not None)
    if neighbours:
        return OffStep(violation.sentence, field=violation.field, neighbours=neighbours)
    return NotAllowed(violation.sentence, field=violation.field, code="contract")


def leverage_refusal(instrument: Instrument, cap: Decimal | None) -> NotAllowed | None:
    """Only the contracts of the multi-collateral wallet can be isolated, up to what their margin allows."""
    if instrument.kind is ContractKind.INVERSE:
        return NotAllowed(f"{instrument.symbol} is margined by its own account: it has no leverage to choose.")
    most = max_leverage(instrument)
    if cap is not None and (cap < 1 or (most is not None and cap > most)):
        to = f" and {plain(most)}" if most is not None else " and more"
        return NotAllowed(f"Between 1{to}.", field="max_leverage", code="leverage")
    return None


def pnl_currency_refusal(instrument: Instrument, currency: str) -> NotAllowed | None:
    if instrument.kind is ContractKind.INVERSE:
        return NotAllowed(f"{instrument.symbol} pays in {instrument.base}, always.")
    if currency not in pnl.CURRENCIES:
        return NotAllowed(f"One of {', '.join(pnl.CURRENCIES)}.", field="pnl_currency", code="pnl_currency")
    return None


def adds_risk(order: Terms, change: Change) -> bool:
    """Whether an edit could leave the desk with more at stake: by size, or by a price at which it may fill sooner."""
    if order.reduce_only:
        return False
    names = ("limit_price", "stop_price", "trailing_deviation")
    moved = any(getattr(change, name) not in {None, getattr(order, name)} for name in names)
    return moved or (change.size is not None and change.size > order.size)
