"""How much an account may ask for. A guess the reference leaves open: both budgets leak, they do not jump.

The clock is the wall's, not the market's: a market at a thousandfold speed does not make its clients faster.
"""

from __future__ import annotations

import time
from collections.abc import Callable

TRADING_CAPACITY, TRADING_REFILL = 500.0, 50.0  # points, points a second
HISTORY_CAPACITY, HISTORY_REFILL = 100.0, 100.0 / 600


class Bucket:
    """Points that flow back at a steady rate."""

    def __init__(self, capacity: float, refill: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.capacity = capacity
        self.refill = refill
        self._clock = clock
        self._level = capacity
        self._at = clock()

    def take(self, cost: float) -> bool:
        """Spend `cost` if there is so much; a refused call costs nothing."""
        self._flow()
        if cost > self._level:
            return False
        self._level -= cost
        return True

    def wait(self, cost: float) -> float:
        """Seconds until `cost` points will be there."""
        self._flow()
        return max(0.0, cost - self._level) / self.refill

    def _flow(self) -> None:
        now = self._clock()
        self._level = min(self.capacity, self._level + (now - self._at) * self.refill)
        self._at = now


class Budgets:
    """One trading budget and one history pool for every account."""

    def __init__(self) -> None:
        self._trading: dict[str, Bucket] = {}
        self._history: dict[str, Bucket] = {}

    def trading(self, account: str) -> Bucket:
        return self._trading.setdefault(account, Bucket(TRADING_CAPACITY, TRADING_REFILL))

    def history(self, account: str) -> Bucket:
        return self._history.setdefault(account, Bucket(HISTORY_CAPACITY, HISTORY_REFILL))


def account_log_cost(count: int) -> int:
    """What one page of the account log costs, by its length."""
    for limit, cost in ((25, 1), (50, 2), (1000, 3), (5000, 6)):
        if count <= limit:
            return cost
    return 10
