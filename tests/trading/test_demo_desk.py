"""`manage.py demo_desk`: a desk that has really traded, built once however often it is run."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings

from accounts import vault
from accounts.models import Account, Balances, Membership, Role, User, Withdrawal
from accounts.withdrawal_rules import S
from krakenfutures.values import Permission
from tests.venue_process import DemoVenue, free_port, start_demovenue
from trading.models import Fill, LogEntry, Order, OrderStatus, Position, WalletLedger

pytestmark = pytest.mark.venue
PASSWORD = "a password for looking around"


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoVenue]:
    venue = start_demovenue(tmp_path_factory.mktemp("exchange"), seed=6)
    yield venue
    venue.stop()


@pytest.fixture
def venue(exchange: DemoVenue, settings: Settings, tmp_path: Path, transactional_db: None) -> DemoVenue:
    settings.DEMO_URL = exchange.url
    settings.DATA_DIR = tmp_path
    vault.prepare()
    return exchange


def run(*arguments: str) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    call_command("demo_desk", *arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_the_desk_is_built_once_and_tells_each_secret_once(venue: DemoVenue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KFWEB_DEMO_PASSWORD", PASSWORD)
    out, err = run("--json")
    told: dict[str, Any] = json.loads(out)
    assert PASSWORD not in out + err
    assert {person["role"] for person in told["people"]} == {"owner", "trader", "reviewer", "viewer"}
    assert Membership.objects.get(user__email="viewer@demo-desk.example").role == Role.VIEWER
    assert authenticate(None, email="trader@demo-desk.example", password=PASSWORD)
    assert len(told["accounts"]) == 2
    for row in told["accounts"]:
        looked_at(venue, row)

    orders, fills = Order.objects.count(), Fill.objects.count()
    again: dict[str, Any] = json.loads(run("--json")[0])
    assert (Order.objects.count(), Fill.objects.count()) == (orders, fills)
    assert User.objects.count() == 4
    assert [row["demo_private_key"] for row in again["accounts"]] == [None, None]
    for first, second in zip(told["accounts"], again["accounts"], strict=True):
        assert {**first, "demo_private_key": None} == second


def looked_at(venue: DemoVenue, row: dict[str, Any]) -> None:
    """The account holds positions, open orders and fills, and the exchange says the same."""
    account = Account.objects.get(pk=row["id"])
    assert row["demo_private_key"]
    assert account.keys.get().general == Permission.FULL
    truth = venue.session.get(f"{venue.url}/demo/ledger", auth=(row["demo_email"], row["demo_password"]), timeout=30)
    there = truth.json()
    assert Order.objects.filter(account=account).count() == len(there["orders"]) > 10
    assert Fill.objects.filter(account=account).count() == len(there["fills"]) > 10
    assert Position.objects.filter(account=account).count() >= 2
    assert Order.objects.filter(account=account, status=OrderStatus.OPEN).count() >= 6
    assert Balances.objects.filter(account=account).exists()


def test_a_password_that_nobody_gave_is_made_and_said_once(venue: DemoVenue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KFWEB_DEMO_PASSWORD", raising=False)
    _out, err = run()
    password = err.split("the password ")[1].split()[0]
    assert authenticate(None, email="owner@demo-desk.example", password=password)
    assert "The history begins today" in err
    assert set(Withdrawal.objects.values_list("status", flat=True)) == {state.value for state in S}
    assert "the password" not in run()[1]


def test_without_the_demo_exchange_it_says_what_is_missing(
    venue: DemoVenue, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DEMO_URL = f"http://127.0.0.1:{free_port()}"
    monkeypatch.setenv("KFWEB_DEMO_PASSWORD", PASSWORD)
    with pytest.raises(CommandError, match="must be running"):
        run()


def test_on_an_exchange_that_began_in_the_past_it_trades_until_now(
    settings: Settings, tmp_path: Path, transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = timezone.now() - timedelta(days=3)
    exchange = start_demovenue(tmp_path / "exchange", seed=6, start=began.isoformat())
    settings.DEMO_URL, settings.DATA_DIR = exchange.url, tmp_path
    monkeypatch.setenv("KFWEB_DEMO_PASSWORD", PASSWORD)
    vault.prepare()
    try:
        _out, err = run()
    finally:
        exchange.stop()
    assert "The history begins today" not in err
    first, last = (Fill.objects.order_by(at)[0].at for at in ("at", "-at"))
    assert first - began < timedelta(hours=2)
    assert abs(timezone.now() - last) < timedelta(minutes=5)
    assert LogEntry.objects.filter(category="funding").count() > 24
    assert not WalletLedger.objects.exclude(residual=0).exists()
    assert Position.objects.count() >= 4
