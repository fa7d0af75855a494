"""The whole history of an account, read from a demo exchange with a past: complete, each entry once, killed or not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from accounts import vault
from accounts.broker import Broker
from accounts.models import Account, ApiKey, Desk, User
from accounts.store import store
from krakenfutures.values import Permission
from krakenfutures.venue import Credentials
from tests.venue_process import ROOT, DemoAccount, DemoKey, DemoVenue, start_demovenue
from trading.actions.histories import sync_history
from trading.actions.syncing import sync_fills
from trading.models import Fill, HistoryEvent, LedgerEntry, LogEntry, PositionEvent, Sync, WalletLedger

pytestmark = pytest.mark.venue
FILLS = int(os.environ.get("KFWEB_TEST_HISTORY_FILLS", "700"))
ENTRIES = int(os.environ.get("KFWEB_TEST_HISTORY_ENTRIES", "3000"))


@dataclass(frozen=True)
class Lived:
    venue: DemoVenue
    person: DemoAccount
    told: dict[str, Any]


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    folder = tmp_path_factory.mktemp("past")
    command = [sys.executable, "-m", "tests.trading.past", str(folder), str(FILLS), str(ENTRIES)]
    told = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout)
    venue = start_demovenue(folder, seed=5)
    venue.control("POST", "/demo/clock", {"speed": 0})
    person = DemoAccount(told["email"], told["password"], told["uid"], DemoKey(told["public"], told["private"]))
    yield Lived(venue, person, told)
    venue.stop()


@pytest.fixture
def key(lived: Lived, desk: Desk, owner: User, settings: Settings, tmp_path: Path) -> ApiKey:
    settings.DEMO_URL = lived.venue.url
    vault.prepare()
    account = Account.objects.create(desk=desk, label="Lived", environment="demo", venue_uid=lived.person.uid)
    key = ApiKey.objects.create(
        account=account, label="Lived", hint="AbC=", fingerprint=vault.fingerprint(lived.person.key.public),
        general=Permission.FULL, added_by=owner,
    )  # fmt: skip
    vault.seal(key, Credentials(lived.person.key.public, lived.person.key.private))
    key.save()
    return key


def read_all(key: ApiKey) -> int:
    """Until every stream is complete."""
    runs = 0
    while not is_complete(key.account_id):
        rest(key)
        sync_history(key.pk)
        runs += 1
        assert runs < 50
    return runs


def rest(key: ApiKey) -> None:
    """Our own record of the budgets is whole again; the exchange's is as it was."""
    store().flushdb()
    Broker(key.pk, rested=True).enter(0)


def is_complete(account_id: int) -> bool:
    done = Sync.objects.filter(account_id=account_id, share=1).values_list("stream", flat=True)
    return {"log", "executions", "order_events", "trigger_events", "position_events"} <= set(done)


def agrees(lived: Lived, account_id: int) -> None:
    """Every row is here once, and the ledger explains every balance to the last digit."""
    told = lived.told
    assert Fill.objects.filter(account=account_id).count() == told["fills"]
    assert LogEntry.objects.filter(account=account_id).count() == told["entries"]
    assert Counter(LogEntry.objects.values_list("kind", flat=True)) == told["kinds"]
    assert PositionEvent.objects.filter(account=account_id).count() == told["events"]["positions"]
    for stream in ("orders", "triggers"):
        assert HistoryEvent.objects.filter(account=account_id, stream=stream).count() == told["events"][stream]
    wallets = WalletLedger.objects.filter(account=account_id)
    assert len(wallets) > 4
    assert {(one.residual, one.opening, one.first_difference) for one in wallets} == {(0, 0, None)}
    entries = LedgerEntry.objects.filter(account=account_id)
    assert entries.count() == sum(1 for one in LogEntry.objects.all() if not one.is_position)
    assert not entries.exclude(residual=0).exists()


def test_everything_is_read_once_and_explained(lived: Lived, key: ApiKey) -> None:
    read_all(key)
    agrees(lived, key.account_id)


def test_an_execution_of_an_unknown_type_is_kept_as_it_came_and_flagged(lived: Lived, key: ApiKey) -> None:
    read_all(key)
    while not Fill.objects.filter(flagged=True).exists():
        rest(key)
        sync_fills(key.pk)
    odd = Fill.objects.get(flagged=True)
    assert odd.kind == odd.unknown["fillType"] == "novelFill"
    assert Fill.objects.count() == lived.told["fills"]
