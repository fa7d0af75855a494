"""What each call costs of a key's budget: 500 points, refilled at 50 a second. Public calls cost nothing.

Cancels and reductions are urgent: they may use the part of the budget that is kept in reserve for them.
Reading history is paid from a pool of its own: 100 points that take ten minutes to come back.
"""

from __future__ import annotations

from typing import NamedTuple

CAPACITY = 500
REFILL_PER_SECOND = 50


class Cost(NamedTuple):
    points: int
    urgent: bool = False
    history: bool = False  # paid from the history pool


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
PREFERENCE = Cost(10)
UNWIND_QUEUE = Cost(200)
WITHDRAW = Cost(100)
EVENTS = Cost(1, history=True)  # a page of executions, orders, triggers or positions, however long
LEDGER_FILE = Cost(6, history=True)
DEAD_MAN = Cost(25, urgent=True)
LEDGER_STEPS = ((25, 1), (50, 2), (1000, 3), (5000, 6))  # a page of so many rows costs so much; a longer one 10


def batch(elements: int, *, urgent: bool = False) -> Cost:
    """9 for the batch and 1 for each element."""
    return Cost(9 + elements, urgent)


def ledger(rows: int, *, urgent: bool = False) -> Cost:
    """A page of the account log, by the length asked for."""
    return Cost(next((cost for most, cost in LEDGER_STEPS if rows <= most), 10), urgent, history=True)
