"""Many hands at once: one payment a request, one vote a person, and never beyond a limit. SQLite and PostgreSQL."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal as D
from functools import partial
from pathlib import Path
from threading import Thread

import pytest
import time_machine
from django.utils import timezone
from pytest_django import Settings

from accounts import vault
from accounts.actions.withdrawal_evidence import look
from accounts.actions.withdrawal_execution import execute
from accounts.actions.withdrawal_reviews import reject_withdrawal
from accounts.actions.withdrawals import cancel_withdrawal
from accounts.models import Approval, Desk, Role, Withdrawal
from accounts.policy_rules import Policy, Tier
from accounts.rules import NotAllowed
from tests.accounts.withdrawing import (
    LIGHT,
    Team,
    forked,
    fresh,
    make_team,
    person,
    reread,
    set_policy,
    sweep,
    together,
)
from tests.venue_process import DemoVenue, free_port, start_demovenue

pytestmark = [pytest.mark.venue, pytest.mark.django_db(transaction=True)]
ROUNDS = int(os.environ.get("KFWEB_TEST_ROUNDS", "3"))  # 50 for the long run
KILLS = int(os.environ.get("KFWEB_TEST_KILLS", "6"))  # 200 for the long run


@pytest.fixture
def team(desk: Desk, venue: DemoVenue) -> Team:
    return make_team(desk, venue)


def test_twenty_parallel_approvals_and_two_workers_make_one_payment(venue: DemoVenue) -> None:
    for number in range(ROUNDS):
        house = f"house{number}.test"  # an account of its own each time: the venue's budgets are an account's
        team = make_team(Desk.objects.create(name=house), venue, Policy(tiers=(Tier(D(0), 5),)), house=house)
        reviewers = [person(f"r{one}@{house}", team.desk, Role.REVIEWER) for one in range(20)]
        asked = team.ask("9")
        votes = [partial(team.approve, asked, one) for one in reviewers]
        outcomes = together([*votes, sweep, sweep])
        together([partial(execute, asked.pk), partial(execute, asked.pk), sweep])
        assert reread(asked).status == "confirmed", outcomes
        assert 5 <= Approval.objects.filter(withdrawal=asked).count() <= 20
        assert [D(one["amount"]) for one in team.sent()] == [D(9)]


def test_one_person_clicking_ten_times_has_one_vote(team):
    asked = team.ask("5000")
    together([partial(team.approve, asked, team.alice)] * 10)
    assert (Approval.objects.count(), reread(asked).status) == (1, "pending")


def test_requests_made_at_once_do_not_exceed_the_velocity_together(team):
    set_policy(team.desk, replace(LIGHT, desk_day=D(300)))
    outcomes = together([partial(patiently, partial(team.ask, "100"))] * 8)
    assert Withdrawal.objects.count() == 3, [getattr(one, "reason", one) for one in outcomes]


def patiently(ask: Callable[[], Withdrawal]) -> Withdrawal:
    """Again while the exchange cannot be asked: on a busy machine it may be late."""
    for _ in range(20):
        try:
            return ask()
        except NotAllowed as refusal:
            if refusal.code != "venue":
                raise
        time.sleep(0.5)
    return ask()


def test_a_cancel_and_a_worker_at_once_leave_one_truth(team):
    for number in range(min(ROUNDS, 3)):  # each may spend a fifth of the venue's budget
        asked = team.ready(D(number + 1))
        together([
            partial(execute, asked.pk),
            partial(cancel_withdrawal, asked.pk, by=team.trader),
            partial(reject_withdrawal, asked.pk, by=team.bob, reason="no", factor=fresh()),
        ])  # fmt: skip
        paid = [one for one in team.sent() if D(one["amount"]) == number + 1]
        assert len(paid) == (1 if reread(asked).status == "confirmed" else 0)


def test_killed_at_random_moments_the_venue_and_the_desk_agree(venue: DemoVenue) -> None:
    """Whatever moment the worker dies: at most one payment, and the row says so or says that it does not know."""
    dice = random.Random(7)
    for number in range(KILLS):
        house = f"house{number}.test"  # an account of its own each time: the venue's budgets are an account's
        team = make_team(Desk.objects.create(name=house), venue, house=house)
        asked = team.ready("9")
        if number % 2:
            venue.fault("delay", seconds=0.3, path="withdrawal", count=1)
        child = forked(partial(execute, asked.pk))
        time.sleep(dice.uniform(0, 0.5))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        time.sleep(0.4)
        venue.clear_faults()
        with time_machine.travel(timezone.now() + timedelta(seconds=70), tick=True):
            sweep()
            sweep()
            settled = reread(asked)
        assert len(team.sent()) <= 1
        assert settled.status in {"confirmed", "uncertain"}, settled.remark
        if settled.status == "confirmed":
            assert len(team.sent()) == 1
        else:
            assert settled.evidence["finding"] == ("sent" if team.sent() else "too_early")


def test_an_exchange_killed_while_it_pays_is_asked_again_when_it_is_back(
    desk: Desk, tmp_path: Path, settings: Settings
) -> None:
    """Before the payment or after it: the desk says uncertain until the exchange's own book is there again."""
    vault.prepare()
    port, folder = free_port(), tmp_path / "exchange"
    exchange = start_demovenue(folder, port=port)
    settings.DEMO_URL = exchange.url
    try:
        for number, fault in enumerate(("delay", "drop_response")):
            house = f"house{number}.test"
            team = make_team(Desk.objects.create(name=house), exchange, house=house)
            asked = team.ready("9")
            exchange.fault(fault, seconds=1, path="withdrawal", count=1)
            worker = Thread(target=partial(together, [partial(execute, asked.pk)]))
            worker.start()
            time.sleep(0.5 if fault == "delay" else 0.8)
            exchange.kill()
            worker.join()
            assert reread(asked).status == "uncertain"
            look(asked.pk)
            assert "trouble" in reread(asked).evidence
            exchange = team.venue = start_demovenue(folder, port=port)
            with time_machine.travel(timezone.now() + timedelta(minutes=12), tick=True):
                found = look(asked.pk)
            assert found.evidence["finding"] == ("sent" if team.sent() else "not_sent")
            assert len(team.sent()) == (0 if fault == "delay" else 1)
    finally:
        exchange.stop()
