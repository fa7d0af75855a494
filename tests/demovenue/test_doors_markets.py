"""The switches of a market and the venue's own bookings, over the wire: what a client of the protocol sees of them."""

from __future__ import annotations

import csv
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.demovenue.listener import Listener
from tests.venue_process import DemoAccount, DemoVenue, start_demovenue

pytestmark = pytest.mark.venue
SYMBOL, HELD = "PF_SOLUSD", 1.0  # seconds


@pytest.fixture
def protected(venue: DemoVenue) -> Any:
    venue.control("POST", "/demo/market", {"symbol": SYMBOL, "maker_protection_ms": int(HELD * 1000)})
    yield venue
    venue.control("POST", "/demo/market", {"symbol": SYMBOL, "maker_protection_ms": 0})


def _wish(venue: DemoVenue, **more: Any) -> dict[str, Any]:
    price = round(venue.ticker(SYMBOL)["markPrice"] * 0.97, 2)
    return {"orderType": "lmt", "symbol": SYMBOL, "side": "buy", "size": "1", "limitPrice": price} | more


def test_a_protected_market_says_so_and_holds_what_is_not_post_only(
    protected: DemoVenue, account: DemoAccount
) -> None:
    listed = protected.get("/derivatives/api/v3/instruments").json()["instruments"]
    assert {one["symbol"]: one.get("makerProtectionMillis") for one in listed}[SYMBOL] == HELD * 1000
    began = time.monotonic()
    assert protected.order(account.key, **_wish(protected, orderType="post"))["status"] == "placed"
    assert time.monotonic() - began < HELD * 0.8
    began = time.monotonic()
    assert protected.order(account.key, **_wish(protected))["status"] == "placed"
    assert time.monotonic() - began >= HELD * 0.95


def test_a_held_order_is_seen_nowhere_and_a_cancel_lets_it_go_as_ioc(
    protected: DemoVenue, account: DemoAccount
) -> None:
    answers: list[dict[str, Any]] = []
    with Listener(protected) as ear:
        ear.subscribe_private(account.key, "open_orders")
        ear.feed("open_orders_snapshot")
        wish = _wish(protected, cliOrdId="held-one")
        sender = threading.Thread(target=lambda: answers.append(_in_its_own_session(protected, account, wish)))
        sender.start()
        time.sleep(HELD / 3)
        assert protected.v3(account.key, "GET", "openorders")["openOrders"] == []
        assert protected.v3(account.key, "POST", "orders/status", cliOrdIds="held-one")["orders"] == []
        assert (
            protected.v3(account.key, "PUT", "leveragepreferences", symbol=SYMBOL, maxLeverage=5)["result"] == "error"
        )
        taken_back = protected.v3(account.key, "POST", "cancelorder", cliOrdId="held-one")["cancelStatus"]
        assert taken_back["status"] == "cancelled"
        sender.join()
        assert answers[0]["sendStatus"]["status"] == "iocWouldNotExecute"
        with pytest.raises((AssertionError, TimeoutError)):
            ear.feed("open_orders", timeout=0.5)


def _in_its_own_session(venue: DemoVenue, account: DemoAccount, wish: dict[str, Any]) -> dict[str, Any]:
    with requests.Session() as session:
        answer = venue.call(account.key, "POST", "/derivatives/api/v3/sendorder", wish, session=session)
        return dict(answer.json())


def test_what_the_venue_books_by_hand_is_in_the_log(venue: DemoVenue, account: DemoAccount) -> None:
    for kind, amount in (
        ("admin transfer", "50"),
        ("tax withheld", "-5"),
        ("tax refund", "2"),
        ("interest payment", "-1"),
    ):
        body = {"kind": kind, "wallet": "flex", "currency": "usd", "amount": amount}
        assert venue.control("POST", "/demo/adjust", body, account)["info"] == kind
    log = venue.call(account.key, "GET", "/api/history/v3/account-log", {"count": 25}).json()["logs"]
    assert [row["info"] for row in log[:4]] == ["interest payment", "tax refund", "tax withheld", "admin transfer"]


def test_a_recorded_index_is_played(tmp_path: Path) -> None:
    with (tmp_path / "prices.csv").open("w") as file:
        rows = csv.writer(file)
        rows.writerow(("time", "price"))
        rows.writerows((1_700_000_000 + 60 * minute, 50_000 + 10 * minute) for minute in range(600))
    venue = start_demovenue(tmp_path / "data", options=("--replay", str(tmp_path / "prices.csv")))
    try:
        assert venue.ticker("PF_XBTUSD")["indexPrice"] == pytest.approx(50_000, rel=0.001)
        venue.control("POST", "/demo/clock", {"advance": 3600})
        assert venue.ticker("PF_XBTUSD")["indexPrice"] == pytest.approx(50_600, rel=0.001)
    finally:
        venue.stop()


@pytest.mark.parametrize("text", ["time,price\nsoon,1\n", "", "a,b\n1,2\n"])
def test_a_recording_that_is_none_ends_the_start_with_a_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "prices.csv").write_text(text)
    with pytest.raises(RuntimeError) as ended:
        start_demovenue(tmp_path / "data", options=("--replay", str(tmp_path / "prices.csv")))
    assert "Traceback" not in str(ended.value)
    assert "error:" in str(ended.value)
