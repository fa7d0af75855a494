"""One sweep over the alert rules of a desk, against weighing each rule by itself, with reads of its own."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from decimal import Decimal

from tests.benchmarks.result import Result
from tests.benchmarks.served import Served

PEOPLE, POSITIONS, ROUNDS = 25, 20, 7
KINDS = {"margin": Decimal(100), "liquidation": Decimal("0.01"), "funding": Decimal(90), "stale": Decimal(10_000_000)}
TARGET = 3.0


def main() -> list[Result]:
    Served(positions=POSITIONS, instruments=120)
    from django.utils import timezone

    from accounts.models import Notice, User
    from trading.actions.alert_readings import Sources
    from trading.actions.alerting import sweep_alerts, weigh
    from trading.live.latest import latest_tickers, link_state
    from trading.models import AlertRule

    rules = make_rules()

    def each_by_itself() -> None:
        for rule in AlertRule.objects.filter(is_on=True).select_related("desk", "owner", "account"):
            weigh(rule, Sources(latest_tickers, link_state, timezone.now()))

    def together() -> None:
        sweep_alerts(latest_tickers, link_state)

    together()
    alone, ours = alternately(each_by_itself, together)
    assert not Notice.objects.exists(), "nothing was to fire, or the two would not do the same"
    ratio = alone / ours
    return [
        Result(
            what=f"a sweep over {rules} alert rules of {User.objects.count()} people",
            measured=f"{ratio:.1f}× as fast as rule by rule",
            target=f"≥ {TARGET:.0f}×",
            ok=ratio >= TARGET,
            detail=f"{ours * 1000:.0f} ms against {alone * 1000:.0f} ms; {POSITIONS} positions, every three seconds.",
        )
    ]


def make_rules() -> int:
    from django.utils import timezone

    from accounts.models import Desk, Membership, Role, User
    from trading.models import AlertRule

    desk = Desk.objects.get()
    for number in range(PEOPLE):
        person = User.objects.create_user(f"person{number}@example.test")
        Membership.objects.create(desk=desk, user=person, role=Role.TRADER)
        for kind, threshold in KINDS.items():
            AlertRule.objects.create(
                desk=desk, owner=person, kind=kind, threshold=threshold, rearm=threshold, on_since=timezone.now()
            )
    return AlertRule.objects.count()


def alternately(*actions: Callable[[], None]) -> list[float]:
    """The median seconds of each, measured in turn, so that whatever else the machine does meets all."""
    found: list[list[float]] = [[] for _ in actions]
    for _ in range(ROUNDS):
        for into, action in zip(found, actions, strict=True):
            began = time.perf_counter()
            action()
            into.append(time.perf_counter() - began)
    return [statistics.median(one) for one in found]
