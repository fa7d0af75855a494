"""How much margin positions and orders need, and what an account has left.

Levels are brackets: margin(N) = Σ rateᵢ × max(0, min(N, startᵢ₊₁) − startᵢ), like tax. N is in contracts (inverse:
the result is USD, divided by a price for the coin) or in USD of notional (linear). Linear positions are margined at
their entry, inverse ones at the mark, open orders at their limit price.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Literal

import msgspec

from krakenfutures.pnl import notional_usd
from krakenfutures.values import ContractKind, Instrument, MarginLevel, Side, Value

ZERO = Decimal(0)
Kind = Literal["initial", "maintenance"]


class Requirement(Value, frozen=True):
    """In the coin if inverse, else in USD."""

    initial: Decimal = ZERO
    maintenance: Decimal = ZERO


class Exposure(Value, frozen=True):
    """One position or order to be margined, at the price that counts for it."""

    instrument: Instrument
    side: Side
    size: Decimal  # unsigned
    price: Decimal
    max_leverage: Decimal | None = None  # isolated: at least notional ÷ this


class FlexSums(Value, frozen=True):
    """The multi-collateral wallet, in USD."""

    balance_value: Decimal
    collateral_value: Decimal
    total_unrealised: Decimal
    portfolio_value: Decimal
    margin_equity: Decimal
    available_margin: Decimal


class SingleSums(Value, frozen=True):
    """A single-collateral account, in its coin."""

    portfolio_value: Decimal
    available: Decimal


def bracketed(levels: Iterable[MarginLevel], amount: Decimal, kind: Kind) -> Decimal:
    """The USD that `amount` (contracts, or USD of notional) needs. Zero for an instrument without levels."""
    ladder = sorted(levels, key=lambda level: level.start)
    needed = ZERO
    for level, following in pairwise([*ladder, None]):
        if level is None or amount <= level.start:
            break
        end = amount if following is None else min(amount, following.start)
        needed += getattr(level, kind) * (end - level.start)
    return needed


def required(exposures: Sequence[Exposure], kind: Kind) -> Decimal:
    """The margin of one side of one contract, position and orders together; in the coin if inverse, else in USD.

    The slices are stacked in the order given, so the position comes first: each coin amount is at its own price.
    """
    total, needed = ZERO, ZERO
    for one in exposures:
        instrument, notional = one.instrument, notional_usd(one.instrument.kind, one.size, one.price)
        below = bracketed(instrument.margin_levels, total, kind)
        slice_usd = bracketed(instrument.margin_levels, total + notional, kind) - below
        if kind == "initial" and one.max_leverage:
            slice_usd = max(slice_usd, notional / one.max_leverage)
        needed += slice_usd / one.price if instrument.kind is ContractKind.INVERSE else slice_usd
        total += notional
    return needed


def requirement(exposures: Sequence[Exposure]) -> Requirement:
    return Requirement(initial=required(exposures, "initial"), maintenance=required(exposures, "maintenance"))


def netted(exposures: Iterable[Exposure]) -> Requirement:
    """Of everything that nets: one margin account (inverse) or one underlying in cross mode (linear).

    Each contract by itself through its brackets, the contracts of a side added up, then the larger side.
    """
    markets: dict[tuple[Side, str], list[Exposure]] = {}
    for exposure in exposures:
        markets.setdefault((exposure.side, exposure.instrument.symbol), []).append(exposure)
    long, short = (
        [requirement(rows) for (of, _), rows in markets.items() if of is side] for side in (Side.BUY, Side.SELL)
    )
    return Requirement(
        initial=max(_sum(one.initial for one in long), _sum(one.initial for one in short)),
        maintenance=max(_sum(one.maintenance for one in long), _sum(one.maintenance for one in short)),
    )


def opening(position: Decimal, orders: Iterable[Exposure]) -> list[Exposure]:
    """The part of a contract's open orders that would open something, the first to be filled first.

    `position` is signed. Orders against it close it before they open anything, and closing needs no margin.
    """
    left = {Side.BUY: max(ZERO, -position), Side.SELL: max(ZERO, position)}
    opened: list[Exposure] = []
    for order in sorted(orders, key=lambda one: -one.price * one.side.sign):
        closes = min(left[order.side], order.size)
        left[order.side] -= closes
        if order.size > closes:
            opened.append(msgspec.structs.replace(order, size=order.size - closes))
    return opened


def wallet_requirement(positions: Iterable[Exposure], orders: Iterable[Exposure] = ()) -> Requirement:
    """Of everything one wallet margins; in its currency. Orders count for the initial margin alone.

    What has one underlying nets, an isolated contract (`max_leverage`) with nothing but itself.
    """
    held, waiting = list(positions), list(orders)
    by_symbol = {one.instrument.symbol: one.side.sign * one.size for one in held}
    opened: list[Exposure] = []
    for symbol in dict.fromkeys(one.instrument.symbol for one in waiting):
        rows = [one for one in waiting if one.instrument.symbol == symbol]
        opened += opening(by_symbol.get(symbol, ZERO), rows)
    initial = [netted(group).initial for group in _groups([*held, *opened])]
    maintenance = [netted(group).maintenance for group in _groups(held)]
    return Requirement(initial=_sum(initial), maintenance=_sum(maintenance))


def _groups(exposures: Iterable[Exposure]) -> Iterable[list[Exposure]]:
    groups: dict[str, list[Exposure]] = {}
    for one in exposures:
        name = one.instrument.symbol if one.max_leverage else f"all of {one.instrument.base}"
        groups.setdefault(name, []).append(one)
    return groups.values()


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, ZERO)


def flex_sums(
    holdings: Iterable[tuple[Decimal, Decimal]],
    *,
    pnl: Decimal,
    unrealised_funding: Decimal,
    initial_margin: Decimal,
    unrealised_as_margin: Decimal | None = None,
) -> FlexSums:
    """From (value in USD, haircut as a share) of each currency.

    `initial_margin` counts open orders too. `unrealised_as_margin` is the unrealised result after the haircut and
    conversion cost of its currency; in USD it is unchanged, which is what None means.
    """
    rows = list(holdings)
    balance = sum((value for value, _ in rows), ZERO)
    collateral = sum((value * (1 - haircut) for value, haircut in rows), ZERO)
    unrealised = pnl + unrealised_funding
    equity = collateral + (unrealised if unrealised_as_margin is None else unrealised_as_margin)
    return FlexSums(
        balance_value=balance,
        collateral_value=collateral,
        total_unrealised=unrealised,
        portfolio_value=balance + unrealised,
        margin_equity=equity,
        available_margin=equity - initial_margin,
    )


def available_in_currency(quantity: Decimal, collateral: Decimal, available_margin: Decimal) -> Decimal:
    """How much of a currency may leave: min(quantity, available margin ÷ collateral per unit), never below zero."""
    if quantity <= 0 or collateral <= 0:
        return max(ZERO, quantity)
    return max(ZERO, min(quantity, available_margin / (collateral / quantity)))


def single_sums(balance: Decimal, *, pnl: Decimal, unrealised_funding: Decimal, initial_margin: Decimal) -> SingleSums:
    """pv = balance + pnl + unrealised funding; af = pv − im."""
    value = balance + pnl + unrealised_funding
    return SingleSums(portfolio_value=value, available=value - initial_margin)


def effective_leverage(position_value: Decimal, portfolio_value: Decimal) -> Decimal | None:
    """None without a positive portfolio value: no number would be true."""
    return position_value / portfolio_value if portfolio_value > 0 else None


def max_leverage(instrument: Instrument) -> Decimal | None:
    """1 ÷ the first initial margin: what tickers call "100x"."""
    first = min(instrument.margin_levels, key=lambda level: level.start, default=None)
    return 1 / first.initial if first and first.initial > 0 else None
