"""Weeks of history for the demo desk, on an exchange that was told to begin in the past."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import timedelta

from django.utils import timezone

from accounts.models import Account, Environment, User
from accounts.venues import base_url
from krakenfutures.io import demo
from krakenfutures.values import OrderType, Side
from trading import clock
from trading.actions.demo_desk import DESK, PLANS, place

SHORTEST_PAST, MOST_STEPS = 0.5, 60  # days; stretches between trades


def days_behind() -> float:
    """How far the exchange's clock is behind ours: it was told to begin in the past (KFWEB_DEMO_PAST_DAYS)."""
    behind = timezone.now() - demo.time_of(base_url(Environment.DEMO))
    return max(behind / timedelta(days=1), 0.0)


def live_until_now(accounts: Sequence[Account], *, by: User, tell: Callable[[str], None]) -> None:
    """Trade in every account, let the exchange's clock run on, and so on until it is at now.

    Only an exchange that is behind is moved: its clock is everybody's.
    """
    behind = days_behind()
    if behind < SHORTEST_PAST:
        return
    steps = min(max(int(behind * 2), 1), MOST_STEPS)
    chance = random.Random(DESK)
    for step in range(steps):
        for account, plan in zip(accounts, PLANS, strict=True):
            symbol = chance.choice(list(plan.positions))
            side, size = chance.choice(list(Side)), abs(plan.positions[symbol])
            place(account, by, symbol, side, OrderType.MARKET, size)
            if step % 3:  # every third stays open for a while
                place(account, by, symbol, side.opposite, OrderType.MARKET, size)
        left = timezone.now() - demo.time_of(base_url(Environment.DEMO))
        demo.advance(base_url(Environment.DEMO), max(int(left.total_seconds() / (steps - step)), 0))
        clock.forget(Environment.DEMO)
        if step % 10 == 9:
            tell(f"  lived through {step + 1} of {steps} stretches of the past …")
