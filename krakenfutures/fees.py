"""What a trade costs. A rate is a share of 1 (0.0005 is 0.05 %); a negative one is a rebate.

Inverse: size / price × rate in the coin, rounded up to 1e-11 as Kraken books it (5000/364.65 × 0.0005 =
0.00685588921). Linear: size × price × rate in USD, unrounded as in the feeds; the account log rounds to 4 decimals.
Since June 2026 the schedules of this API are informational: the fee that counts is the one on the fill.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal

from krakenfutures.values import ContractKind

BASE_MAKER = Decimal("0.0002")
BASE_TAKER = Decimal("0.0005")
COIN_STEP = Decimal("1E-11")
LOG_STEP = Decimal("0.0001")


def fee(kind: ContractKind, size: Decimal, price: Decimal, rate: Decimal) -> Decimal:
    """In the coin (inverse) or in USD (linear). Never estimates too little: a rebate is rounded towards zero."""
    if kind is ContractKind.INVERSE:
        return (abs(size) * rate / price).quantize(COIN_STEP, ROUND_CEILING)
    return abs(size) * price * rate


def booked_usd(amount: Decimal) -> Decimal:
    """A USD amount as the account log shows it: 4 decimals, half away from zero."""
    return amount.quantize(LOG_STEP, ROUND_HALF_UP)
