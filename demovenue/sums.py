"""The exchange's arithmetic, written out from the contract rules: profit, fees, margin, funding, liquidation prices.

Signed sizes: long above zero. Inverse contracts are worth 1 USD each and pay in the coin; linear ones are sized in
the coin and pay in USD. Nothing here rounds unless its name or its docstring says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_DOWN, ROUND_HALF_UP, ROUND_UP, Decimal

from demovenue.values import MarginLevel

ZERO = Decimal(0)
ONE = Decimal(1)
USD_STEP = Decimal("0.0001")  # what the account log keeps of USD
COIN_STEP = Decimal("1E-14")
FEE_STEP = Decimal("1E-11")
CENT = Decimal("0.01")


def profit(inverse: bool, size: Decimal, entry: Decimal, price: Decimal) -> Decimal:
    """Coin if inverse, USD if linear."""
    if inverse:
        return size / entry - size / price
    return size * (price - entry)


def average_entry(inverse: bool, size: Decimal, entry: Decimal, added: Decimal, price: Decimal) -> Decimal:
    """Of a position that grows: arithmetic if linear, harmonic in price if inverse. Sizes of one sign."""
    if inverse:
        return (size + added) / (size / entry + added / price)
    return (size * entry + added * price) / (size + added)


def notional_usd(inverse: bool, size: Decimal, price: Decimal) -> Decimal:
    return abs(size) if inverse else abs(size) * price


def fee(inverse: bool, size: Decimal, price: Decimal, percent: Decimal) -> Decimal:
    """Inverse: in coin, rounded up to 1e-11. Linear: USD, unrounded (the log keeps four decimals)."""
    rate = percent / 100
    if inverse:
        return (abs(size) / price * rate).quantize(FEE_STEP, ROUND_UP)
    return abs(size) * price * rate


def booked(currency: str, amount: Decimal) -> Decimal:
    """What the account log keeps: USD to four decimals, coins to fourteen, halves away from zero."""
    return amount.quantize(USD_STEP if currency == "usd" else COIN_STEP, ROUND_HALF_UP)


def bracket(levels: Sequence[MarginLevel], amount: Decimal, *, maintenance: bool = False) -> Decimal:
    """Each level's rate applies to the slice inside it. USD; `amount` is contracts or USD of notional."""
    total = ZERO
    for number, level in enumerate(levels):
        if amount <= level.start:
            break
        end = levels[number + 1].start if number + 1 < len(levels) else amount
        total += (min(amount, end) - level.start) * (level.maintenance if maintenance else level.initial)
    return total


def absolute_rate(inverse: bool, relative: Decimal, index: Decimal) -> Decimal:
    """Coin per contract and hour, or USD per unit of the coin and hour."""
    return (relative / index if inverse else relative * index).quantize(Decimal("1E-18"), ROUND_HALF_UP)


def funding_due(size: Decimal, absolute: Decimal, seconds: Decimal) -> Decimal:
    """What the holder receives (negative: pays). A positive rate makes longs pay."""
    return -size * absolute * seconds / 3600


def inverse_trigger(requirement_usd: Decimal, contracts: Decimal, over_entry: Decimal, balance: Decimal) -> Decimal:
    """The price at which an inverse wallet's value equals `requirement_usd` ÷ price; 0 when there is none.

    `contracts` is Σ size, `over_entry` is Σ size ÷ entry, both signed; `balance` includes unrealised funding.
    """
    below = balance + over_entry
    above = contracts + requirement_usd
    if below == 0 or (above > 0) != (below > 0):
        return ZERO
    return above / below


def linear_threshold(mark: Decimal, size: Decimal, equity: Decimal, maintenance: Decimal) -> Decimal:
    """The mark at which equity has shrunk to maintenance, all else equal; 0 when it would be negative."""
    if size == 0:
        return ZERO
    return max(ZERO, mark - (equity - maintenance) / size)


def market_limit(buy: bool, reference: Decimal, tick: Decimal) -> Decimal:
    """The 1 % limit of a market order, rounded to the tick towards the reference."""
    if buy:
        return (reference * Decimal("1.01") / tick).to_integral_value(ROUND_DOWN) * tick
    return (reference * Decimal("0.99") / tick).to_integral_value(ROUND_UP) * tick


def is_sane(amount: Decimal) -> bool:
    """Finite, and of a magnitude that 28 digits can reckon with; what is not would raise instead of being refused."""
    return amount.is_finite() and (not amount or -16 < amount.adjusted() < 13)


def is_multiple(amount: Decimal, step: Decimal) -> bool:
    return is_sane(amount) and amount % step == 0
