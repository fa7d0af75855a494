"""What each call costs of a key's budget: 500 points, refilled at 50 a second. Public calls cost nothing.

Cancels and reductions are urgent: they may use the part of the budget that is kept in reserve for them.
"""

from __future__ import annotations

from typing import NamedTuple

CAPACITY = 500
REFILL_PER_SECOND = 50


class Cost(NamedTuple):
    points: int
    urgent: bool = False


FREE = Cost(0)  # everything public
LOOKUP = Cost(1)
READ = Cost(2)
PAST_FILLS = Cost(25)
CHECK = Cost(0)  # the key check belongs to another service and is in no table
PLACE = Cost(10)
REDUCE = Cost(10, urgent=True)
AMEND = Cost(10)
CANCEL = Cost(10, urgent=True)
CANCEL_ALL = Cost(25, urgent=True)
TRANSFER = Cost(10)
WITHDRAW = Cost(100)
HISTORY = Cost(0)  # has a pool of its own, which this budget knows nothing of


DEAD_MAN = Cost(25, urgent=True)


def batch(elements: int, *, urgent: bool = False) -> Cost:
    """9 for the batch and 1 for each element."""
    return Cost(9 + elements, urgent)
