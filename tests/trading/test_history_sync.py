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
from krakenfutures.funds import LedgerRow
from krakenfutures.values import Permission
from krakenfutures.venue import Credentials
from tests.venue_process import ROOT, DemoAccount, DemoKey, DemoVenue, start_demovenue
from trading.actions.histories import sync_history
from trading.actions.keeping import keep_log
from trading.actions.ledgers import extend_ledger, rebuild_ledger
from trading.actions.log_files import compare_file, fetch_file
from trading.actions.syncing import sync_fills
from trading.models import Fill, HistoryEvent, LedgerEntry, LogEntry, LogFile, PositionEvent, Sync, WalletLedger

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


def test_everything_is_read_once_and_explained(lived: Lived, key: ApiKey, owner: User) -> None:
    read_all(key)
    agrees(lived, key.account_id)
    made_anew_it_is_the_same(key)
    the_exchanges_own_file_says_the_same(lived, key, owner)
    an_unknown_type_is_kept_and_flagged(lived, key)


def made_anew_it_is_the_same(key: ApiKey) -> None:
    said = list(LedgerEntry.objects.order_by("number").values_list("number", "amount", "balance", "residual"))
    assert rebuild_ledger(key.account_id) == len(said)
    assert list(LedgerEntry.objects.order_by("number").values_list("number", "amount", "balance", "residual")) == said


def the_exchanges_own_file_says_the_same(lived: Lived, key: ApiKey, owner: User) -> None:
    rest(key)
    compare_file(fetch_file(key.account, by=owner).pk)
    done = LogFile.objects.get()
    assert (done.state, done.problem) == ("done", "")
    assert (done.lines, done.equal) == (lived.told["entries"], lived.told["entries"])
    assert not done.found.exists()


def an_unknown_type_is_kept_and_flagged(lived: Lived, key: ApiKey) -> None:
    """Only the list of fills names the type; it costs the trading budget, so it comes a few pages at a time."""
    while not Fill.objects.filter(flagged=True).exists():
        rest(key)
        sync_fills(key.pk)
    odd = Fill.objects.get(flagged=True)
    assert odd.kind == odd.unknown["fillType"] == "novelFill"
    assert odd.fee is not None
    assert Fill.objects.count() == lived.told["fills"]


def test_a_row_heard_on_the_feed_is_proven_by_the_next_reading(lived: Lived, key: ApiKey) -> None:
    """Heard twice, out of order, before the request and after it: one row, with the request's figures."""
    read_all(key)
    newest = LogEntry.objects.order_by("-number")[:3]
    whole = {one.number: (one.new, one.booking) for one in newest}
    rows = [
        LedgerRow(
            id=one.number, at=one.at, asset=one.asset, wallet=one.wallet, kind=one.kind, old=one.old, new=one.new
        )
        for one in newest
    ]
    LogEntry.objects.filter(number__in=whole).delete()
    for _ in range(2):
        keep_log(key.account_id, rows, proven=False)
    assert LogEntry.objects.filter(proven=False).count() == 3
    read_again(key, min(whole), max(whole) + 1)
    keep_log(key.account_id, rows, proven=False)
    assert not LogEntry.objects.filter(proven=False).exists()
    assert {one.number: (one.new, one.booking) for one in LogEntry.objects.filter(number__in=whole)} == whole
    agrees(lived, key.account_id)


def read_again(key: ApiKey, since: int, before: int) -> None:
    """As if this stretch of the log had never been read."""
    gap = {"since": since, "before": before, "after": ""}
    cursor = json.dumps({"high": LogEntry.objects.order_by("-number")[0].number, "gaps": [gap]})
    Sync.objects.filter(stream="log").update(cursor=cursor, share=0.5)
    read_all(key)


def test_a_row_that_is_missing_is_named_and_gone_once_it_is_there(lived: Lived, key: ApiKey) -> None:
    read_all(key)
    lost = LogEntry.objects.filter(kind="admin transfer", wallet="cash").order_by("number")[5]
    LogEntry.objects.filter(pk=lost.pk).delete()
    rebuild_ledger(key.account_id)
    named = WalletLedger.objects.get(wallet="cash", currency="USD")
    after = LogEntry.objects.filter(wallet="cash", asset="USD", number__gt=lost.number).order_by("number")[0]
    assert (named.residual, named.first_difference) == (lost.change, after.number)
    assert named.why.startswith(f"Something is missing before #{after.number}")
    read_again(key, lost.number, lost.number + 1)
    rebuild_ledger(key.account_id)
    agrees(lived, key.account_id)


def test_while_the_past_is_missing_the_ledger_covers_the_newest_stretch(lived: Lived, key: ApiKey) -> None:
    read_all(key)
    high = lived.told["entries"]
    Sync.objects.filter(stream="ledger").delete()
    LedgerEntry.objects.all().delete()
    WalletLedger.objects.all().delete()
    cursor = json.dumps({"high": high, "gaps": [{"since": 1, "before": high - 50, "after": ""}]})
    Sync.objects.filter(stream="log").update(cursor=cursor, share=0.5)
    extend_ledger(key.account_id)
    assert LedgerEntry.objects.order_by("number")[0].number >= high - 50
    assert not LedgerEntry.objects.exclude(residual=0).exists()
    read_again(key, 1, 20)
    agrees(lived, key.account_id)


def test_a_word_the_exchange_no_longer_takes_is_left_and_the_page_found_by_time(lived: Lived, key: ApiKey) -> None:
    read_all(key)
    known = Sync.objects.get(stream="executions")
    newest = json.loads(known.cursor)["high"]
    Fill.objects.all().delete()
    gap = {"since": 0, "before": newest + 1, "after": "not of this exchange"}
    Sync.objects.filter(pk=known.pk).update(cursor=json.dumps({"high": newest, "gaps": [gap]}), share=0.5)
    read_all(key)
    assert Fill.objects.count() == lived.told["fills"]
