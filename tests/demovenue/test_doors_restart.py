"""What was answered survives: a clean stop, a kill, and a kill in the middle of it all."""

from __future__ import annotations

import threading
import time
import uuid
from pathlib import Path

import pytest
import requests

from demovenue.doors.house import Answered
from tests.venue_process import DemoAccount, DemoVenue, start_demovenue

pytestmark = pytest.mark.venue
SYMBOL = "PF_XBTUSD"


def _place(venue: DemoVenue, account: DemoAccount, session: requests.Session | None = None) -> str:
    wish = {"orderType": "lmt", "symbol": SYMBOL, "side": "buy", "size": "0.001", "limitPrice": _price(venue)}
    path = "/derivatives/api/v3/sendorder"
    params = wish | {"cliOrdId": uuid.uuid4().hex}
    answer = venue.call(account.key, "POST", path, params, session=session, timeout=5).json()
    return str(answer["sendStatus"]["order_id"])


def _price(venue: DemoVenue) -> int:
    cached = getattr(venue, "low", None)
    if cached is None:
        cached = int(venue.ticker(SYMBOL)["markPrice"] * 0.9)
        venue.low = cached  # type: ignore[attr-defined]
    return int(cached)


def test_it_starts_in_two_seconds_and_stops_cleanly(tmp_path: Path) -> None:
    start_demovenue(tmp_path).stop()
    started = time.monotonic()
    venue = start_demovenue(tmp_path)
    took = time.monotonic() - started
    assert venue.stop() == 0
    assert took < 2.5
    assert "Traceback" not in venue.log.read_text()


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_people_keys_orders_and_money_survive(tmp_path: Path, end: str) -> None:
    venue = start_demovenue(tmp_path)
    account = venue.signup(withdrawal="full")
    order_id = _place(venue, account)
    venue.order(account.key, orderType="mkt", symbol=SYMBOL, side="buy", size="0.01")
    venue.v3(account.key, "POST", "withdrawal", currency="usd", amount="1")
    cash = venue.v3(account.key, "GET", "accounts")["accounts"]["cash"]["balances"]
    ledger = venue.ledger(account)
    getattr(venue, end)()
    again = start_demovenue(tmp_path)
    try:
        assert again.v3(account.key, "GET", "accounts")["accounts"]["cash"]["balances"] == cash
        assert [one["order_id"] for one in again.v3(account.key, "GET", "openorders")["openOrders"]] == [order_id]
        assert len(again.v3(account.key, "GET", "openpositions")["openPositions"]) == 1
        after = again.ledger(account)
        assert after["fills"] == ledger["fills"]
        assert after["withdrawals"] == ledger["withdrawals"]
        assert {one["order_id"]: one["answered"] for one in after["orders"]} == {
            one["order_id"]: one["answered"] for one in ledger["orders"]
        }
        before = venue.log.read_text()
        assert "Traceback" not in before
    finally:
        again.stop()


def test_a_kill_under_load_loses_nothing_that_was_answered(tmp_path: Path) -> None:
    venue = start_demovenue(tmp_path)
    accounts = [venue.signup() for _ in range(4)]
    _price(venue)
    answered: dict[str, list[str]] = {account.uid: [] for account in accounts}

    def load(account: DemoAccount) -> None:
        with requests.Session() as session:
            try:
                while True:
                    answered[account.uid].append(_place(venue, account, session))
                    time.sleep(0.2)
            except requests.RequestException:
                return  # the venue is gone, as meant

    threads = [threading.Thread(target=load, args=(account,)) for account in accounts]
    for thread in threads:
        thread.start()
    time.sleep(3)
    venue.kill()
    for thread in threads:
        thread.join(timeout=10)
    again = start_demovenue(tmp_path)
    try:
        for account in accounts:
            truth = {one["order_id"]: one["answered"] for one in again.ledger(account)["orders"]}
            assert len(answered[account.uid]) > 3
            assert [one for one in answered[account.uid] if not truth.get(one)] == []
            assert len(truth) - len(answered[account.uid]) <= 1
    finally:
        again.stop()


def test_what_was_answered_is_remembered_and_a_line_cut_short_is_not(tmp_path: Path) -> None:
    file, ids = tmp_path / "answered.log", [str(uuid.uuid4()) for _ in range(60_000)]
    first = Answered(file)
    for number in range(0, len(ids), 3):
        first.add(ids[number : number + 3])
    second = Answered(file)  # the first was never closed, as after a kill
    assert all(one in second for one in ids)
    second.add(["later"])
    second.close()
    first.close()
    whole = file.read_bytes().rstrip(b"\0")
    file.write_bytes(whole + b"cut-sho")
    third = Answered(file)
    assert "later" in third
    assert "cut-sho" not in third
    third.add(["last"])
    third.close()
    assert "last" in Answered(file)
