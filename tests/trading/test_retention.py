"""Old detail goes, figures stay."""

from __future__ import annotations

import io
from datetime import timedelta
from decimal import Decimal as D

import pytest
from django.core.management import call_command
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Account, Desk, User
from tests.trading.furnished import demo_account
from trading.actions.retention import Retained, retain
from trading.models import EquityPoint, HistoryEvent, LogEntry, Sync

pytestmark = pytest.mark.django_db
NOW = timezone.now().replace(minute=0, second=0, microsecond=0)


@pytest.fixture
def account(desk: Desk, owner: User, settings: Settings) -> Account:
    settings.KEEP_ORDER_EVENTS_DAYS, settings.KEEP_FINE_EQUITY_DAYS = 30, 90
    made = demo_account(desk, owner)
    for number, (days, stream, flagged) in enumerate(
        [(31, "orders", False), (29, "orders", False), (31, "orders", True), (31, "triggers", False)]
    ):
        HistoryEvent.objects.create(
            account=made, source="derivatives", stream=stream, venue_id=f"h{number}", at=NOW - timedelta(days=days),
            kind="placed", symbol="PF_XBTUSD", flagged=flagged,
        )  # fmt: skip
    LogEntry.objects.create(
        account=made, source="derivatives", number=1, at=NOW - timedelta(days=900), wallet="flex", asset="USD",
        kind="futures trade", category="trade", old=D(0), new=D(1),
    )  # fmt: skip
    for days in (91, 89):
        for minutes in (0, 5, 55):
            EquityPoint.objects.create(
                account=made, at=NOW - timedelta(days=days) + timedelta(minutes=minutes), equity=D(minutes),
                available=D(0), used=D(0), maintenance=D(0), unrealised=D(0), exposure=D(0),
            )  # fmt: skip
    Sync.objects.create(account=made, stream="order_events", share=1)
    Sync.objects.create(account=made, stream="trigger_events", share=0.5)
    return made


def test_it_tells_before_it_does_and_leaves_what_a_figure_is_made_of(account: Account) -> None:
    out = io.StringIO()
    call_command("retain", "--dry-run", stdout=out)
    assert out.getvalue() == "1 order events and 2 equity points would go.\n"
    assert retain() == Retained(1, 2)
    assert retain() == Retained(0, 0)
    assert set(HistoryEvent.objects.values_list("venue_id", flat=True)) == {"h1", "h2", "h3"}
    assert LogEntry.objects.count() == 1
    old = EquityPoint.objects.filter(at__lt=NOW - timedelta(days=90))
    assert [point.equity for point in old] == [D(55)], "the last of the hour is left"
    assert EquityPoint.objects.count() == 4


def test_without_an_age_everything_stays(account: Account, settings: Settings) -> None:
    settings.KEEP_ORDER_EVENTS_DAYS = settings.KEEP_FINE_EQUITY_DAYS = 0
    assert retain() == Retained(0, 0)
