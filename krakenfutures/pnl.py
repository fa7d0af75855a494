"""Profit, loss and average prices. Sizes are signed (long is positive); nothing is rounded here.

Linear contracts: size in the coin, result in the quote currency, q · (p − e).
Inverse contracts: size in contracts of 1 USD, result in the coin, q · (1/e − 1/p).
Sources: Kraken's contract specifications; checked against the recorded figures in tests/krakenfutures.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from krakenfutures.values import ContractKind, Value

ZERO = Decimal(0)

# What the profit of a linear contract may be paid out in, as an account chooses.
CURRENCIES = ("USD", "EUR", "GBP", "USDC", "USDT", "BTC", "ETH")


class Holding(Value, frozen=True):
    """A position after a trade: signed size, average entry (None when flat) and what the trade realised."""

    size: Decimal
    entry: Decimal | None
    realised: Decimal = ZERO


def profit(kind: ContractKind, size: Decimal, entry: Decimal, price: Decimal) -> Decimal:
    """Of a position of signed `size` from `entry` to `price`; in the coin if inverse, else in the quote currency."""
    if kind is ContractKind.INVERSE:
        return size * (price - entry) / (entry * price)  # q·(1/e − 1/p) with one rounding instead of three
    return size * (price - entry)


def value_at(kind: ContractKind, size: Decimal, price: Decimal) -> Decimal:
    """What a position is worth, unsigned; in the coin if inverse, else in the quote currency."""
    return abs(size) / price if kind is ContractKind.INVERSE else abs(size) * price


def notional_usd(kind: ContractKind, size: Decimal, price: Decimal) -> Decimal:
    """Unsigned, in the quote currency: an inverse contract is worth 1 USD at any price."""
    return abs(size) if kind is ContractKind.INVERSE else abs(size) * price


def average_price(kind: ContractKind, trades: Iterable[tuple[Decimal, Decimal]]) -> Decimal | None:
    """Of (size, price) pairs: arithmetic for linear contracts, harmonic for inverse ones. None without trades."""
    rows = [(abs(size), price) for size, price in trades if size]
    total = sum((size for size, _ in rows), ZERO)
    if not total:
        return None
    if len({price for _, price in rows}) == 1:
        return rows[0][1]  # as it was, without the digits that dividing adds
    if kind is ContractKind.INVERSE:
        return total / sum((size / price for size, price in rows), ZERO)
    return sum((size * price for size, price in rows), ZERO) / total


def after_trade(kind: ContractKind, size: Decimal, entry: Decimal | None, traded: Decimal, price: Decimal) -> Holding:
    """The position after a trade of signed size `traded`. Reducing leaves the average; crossing zero starts anew."""
    if not size or entry is None:
        return Holding(size=traded, entry=price if traded else None)
    if (size > 0) == (traded > 0) or not traded:
        average = average_price(kind, [(size, entry), (traded, price)])
        return Holding(size=size + traded, entry=average)
    closed = min(abs(traded), abs(size)).copy_sign(size)
    left = size + traded
    realised = profit(kind, closed, entry, price)
    if not left:
        return Holding(size=ZERO, entry=None, realised=realised)
    crossed = (left > 0) != (size > 0)
    return Holding(size=left, entry=price if crossed else entry, realised=realised)
