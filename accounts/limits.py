"""How far one member may go. Pure: values in, refusals out. Amounts are USD of notional value."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Self

from accounts.rules import NotAllowed

if TYPE_CHECKING:
    from accounts.models import Membership

WINDOW = timedelta(days=1)  # the daily limit looks back this far, it does not begin anew at midnight


@dataclass(frozen=True, slots=True)
class Limits:
    """None, and an empty set, mean no limit."""

    largest_order: Decimal | None = None
    daily_notional: Decimal | None = None
    instruments: frozenset[str] = frozenset()
    reduce_only: bool = False

    @classmethod
    def of(cls, membership: Membership) -> Self:
        return cls(
            membership.largest_order,
            membership.daily_notional,
            frozenset(membership.instruments),
            membership.reduce_only,
        )

    @property
    def ask_for_a_price(self) -> bool:
        """Whether they can be judged only with a notional value."""
        return self.largest_order is not None or self.daily_notional is not None


def limit_violations(
    limits: Limits, *, symbol: str, notional: Decimal | None, reduce_only: bool, used: Decimal
) -> Iterator[NotAllowed]:
    """Everything in an order that goes beyond the limits of whoever sends it.

    `notional` is the order's value at the worst price it may execute at, None where no price is known; `used` is what
    the member sent in the last 24 hours. An order that can only reduce a position is new risk for nobody, so the
    amounts do not hold it up.
    """
    if limits.instruments and symbol not in limits.instruments:
        allowed = ", ".join(sorted(limits.instruments))
        yield NotAllowed(f"You may trade only {allowed} on this desk.", field="symbol", code="limit_instrument")
    if reduce_only:
        return
    if limits.reduce_only:
        yield NotAllowed(
            "You may only reduce positions on this desk: mark the order reduce-only.",
            field="reduce_only",
            code="limit_reduce_only",
        )
    if not limits.ask_for_a_price:
        return
    if notional is None:
        yield NotAllowed(
            f"The price of {symbol} is not known just now, so your limits cannot be checked. Nothing was sent.",
            code="limit_no_price",
        )
        return
    yield from _amount_violations(limits, notional, used)


def _amount_violations(limits: Limits, notional: Decimal, used: Decimal) -> Iterator[NotAllowed]:
    if limits.largest_order is not None and notional > limits.largest_order:
        yield NotAllowed(
            f"Your largest order on this desk is {limits.largest_order:,.2f} USD; this one is worth {notional:,.2f}.",
            field="size",
            code="limit_largest_order",
        )
    if limits.daily_notional is not None and used + notional > limits.daily_notional:
        left = max(limits.daily_notional - used, Decimal(0))
        yield NotAllowed(
            f"You may send {limits.daily_notional:,.2f} USD in 24 hours on this desk, and {left:,.2f} are left; "
            f"this order is worth {notional:,.2f}.",
            field="size",
            code="limit_daily_notional",
        )
