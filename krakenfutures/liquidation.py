"""At which price an account can no longer meet its maintenance margin. Estimates: the venue's own figure wins.

Single-collateral, one inverse position of N contracts from entry e, balance B, margin M in USD (N × rate in the
first level): the value of the account equals the margin at P = (N + M) / (B + N/e) long, (N − M) / (N/e − B) short.
Multi-collateral: the margin is fixed by the entry, so the equity above it is used up at P = p − (equity − M) / q.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from krakenfutures.margin import Kind, bracketed
from krakenfutures.values import MarginLevel

ZERO = Decimal(0)


def single_collateral_price(
    levels: Iterable[MarginLevel],
    size: Decimal,
    entry: Decimal,
    balance: Decimal,
    kind: Kind = "maintenance",
) -> Decimal | None:
    """In USD. `size` is signed contracts, `balance` the coin including realised results. None: no price does it."""
    return single_threshold(size, entry, balance, bracketed(levels, abs(size), kind))


def single_threshold(size: Decimal, entry: Decimal, balance: Decimal, margin_usd: Decimal) -> Decimal | None:
    """The price at which the account's value equals a margin of `margin_usd`; 0 gives the bankruptcy price."""
    contracts = abs(size)
    if not contracts:
        return None
    coins = contracts / entry
    if size > 0:
        above, below = contracts + margin_usd, balance + coins
    else:
        above, below = contracts - margin_usd, coins - balance
    # A short that holds as much coin as it sold cannot be liquidated by any price.
    return above / below if above > 0 and below > 0 else None


def flex_price(size: Decimal, price: Decimal, margin_equity: Decimal, maintenance: Decimal) -> Decimal | None:
    """In USD, all else unchanged. `size` is signed, `margin_equity` and `maintenance` are those of the whole account
    (or of the position alone when it is isolated) while the contract is marked at `price`.

    None when the price would not be above zero: no fall can liquidate it.
    """
    if not size:
        return None
    threshold = price - (margin_equity - maintenance) / size
    return threshold if threshold > 0 else None


def distance(price: Decimal, threshold: Decimal | None) -> Decimal | None:
    """How far away, as a share of the price; negative is below it. None when there is nothing to be far from."""
    if threshold is None or price <= 0:
        return None
    return threshold / price - 1
