"""What perpetuals pay each other, hour by hour. A positive rate: longs pay shorts.

Relative rate: the hour's average premium ÷ coefficient, held within ± the cap. Absolute rate: relative ÷ index for
inverse contracts (coin per contract and hour), relative × index for linear ones (USD per coin and hour).
Tickers and the account log carry absolute rates, `relative_…` fields relative ones.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from krakenfutures.values import ContractKind

HOUR = timedelta(hours=1)


def relative_rate(average_premium: Decimal, coefficient: Decimal, cap: Decimal) -> Decimal:
    """Per hour, as a share of 1."""
    return max(-cap, min(cap, average_premium / coefficient))


def absolute_rate(kind: ContractKind, relative: Decimal, index: Decimal) -> Decimal:
    return relative / index if kind is ContractKind.INVERSE else relative * index


def relative_of(kind: ContractKind, absolute: Decimal, index: Decimal) -> Decimal:
    """The other way round, for tickers that tell only the absolute rate."""
    return absolute * index if kind is ContractKind.INVERSE else absolute / index


def payment(size: Decimal, absolute: Decimal, hours: Decimal = Decimal(1)) -> Decimal:
    """What the holder of a position of signed `size` gets (positive) or pays (negative), in the coin or in USD."""
    return -size * absolute * hours


def next_payment_at(now: datetime) -> datetime:
    """The end of the running hour."""
    return now.replace(minute=0, second=0, microsecond=0) + HOUR


def yearly_percent(relative: Decimal) -> Decimal:
    """A relative hourly rate as percent a year, without compounding: what people compare."""
    return relative * 24 * 365 * 100
