"""The web process is killed with -9 between the commit of an intent and its answer, at random moments: what the desk
then says of every order is what the exchange's ledger says. None lost, none doubled, none wrongly called failed.

Shortened, unless it is told how many (the whole run takes 50):

    KFWEB_TEST_WEB_KILLS=50 python -m pytest tests/faults/test_web_dies_while_sending.py
"""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from decimal import Decimal as D
from threading import Thread
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
import requests

from tests.stack import ROOT, Stack, free_port

pytestmark = [pytest.mark.venue, pytest.mark.timeout(3600)]
KILLS = int(os.environ.get("KFWEB_TEST_WEB_KILLS", "6"))
WINDOW = 0.4  # seconds the exchange takes to answer an order, so that there is something to hit
OPEN_TO_DOUBT = {"draft", "sending", "uncertain"}
FATES = {"open": {"open", "partly_filled"}, "filled": {"filled"}, "cancelled": {"cancelled"}, "rejected": {"rejected"}}


class Web:
    """A web process of the desk, on a port of its own: the desk's own would be given up after a few deaths."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.start()

    def start(self) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "daphne", "-b", "127.0.0.1", "-p", str(self.port), "kfweb.asgi:application"],
            cwd=ROOT, env=self.stack.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def is_up(self) -> bool:
        if self.process.poll() is not None:  # somebody else's connection took the port meanwhile
            self.start()
        with suppress(requests.RequestException):
            return requests.get(f"{self.url}/healthz", timeout=5).ok
        return False

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)


@dataclass
class Party:
    """The desk's account, and the truth about it."""

    stack: Stack
    session: requests.Session
    basic: tuple[str, str]
    public: str
    answered: list[bool] = field(default_factory=list)

    def orders(self) -> dict[UUID, dict[str, Any]]:
        """What is written, read beside the desk."""
        sql = "SELECT id, status, filled, venue_order_id, reason_code FROM trading_order"
        if url := self.stack.environment.get("DATABASE_URL"):
            with psycopg.connect(url, row_factory=psycopg.rows.dict_row) as there:
                rows = [dict(row) for row in there.execute(sql)]
        else:
            address = f"file:{self.stack.folder / 'kfweb.sqlite3'}?mode=ro"
            with closing(sqlite3.connect(address, uri=True, timeout=20)) as here:
                here.row_factory = sqlite3.Row
                rows = [dict(row) for row in here.execute(sql)]
        return {UUID(str(row["id"])): row for row in rows}

    def status(self, intent: UUID) -> str:
        return str(self.orders().get(intent, {}).get("status", ""))

    def press(self, web: Web, intent: UUID, words: dict[str, str]) -> None:
        """What a browser sends; whether anybody answered is kept."""
        token = {"X-CSRFToken": self.session.cookies["kfweb_csrf"], "Referer": web.url, "HX-Request": "true"}
        data = {"intent": str(intent), "symbol": "PF_XBTUSD", "size": "0.01", **words}
        try:
            answer = requests.post(
                f"{web.url}/orders/", data=data, headers=token, cookies=self.session.cookies.get_dict(), timeout=30
            )
        except requests.RequestException:
            self.answered.append(False)
        else:
            assert answer.ok, answer.text[:500]
            self.answered.append(True)

    def ledger(self) -> list[dict[str, Any]]:
        answer = requests.get(f"{self.stack.demo_url}/demo/ledger", auth=self.basic, timeout=20)
        rows: list[dict[str, Any]] = answer.json()["orders"]
        return rows


@pytest.fixture
def party() -> Iterator[Party]:
    stack = Stack().start(180)
    demo = stack.demo_url
    person = requests.post(f"{demo}/demo/signup", json={"accept_terms": True}, timeout=20).json()
    basic = (person["email"], person["password"])
    key = requests.post(f"{demo}/demo/keys", json={"general": "full", "withdrawal": "none"}, auth=basic, timeout=20)
    public, private = key.json()["public_key"], key.json()["private_key"]
    session = stack.signed_in()
    typed = {"label": "Mine", "environment": "demo", "public_key": public, "secret": private}
    answer = stack.post(session, "/keys/add/", **typed)
    assert "works" in answer.text, answer.text[:2000]
    yield Party(stack, session, basic, public)
    stack.stop()


def until(question: Callable[[], object], seconds: float, what: str) -> None:
    end = time.monotonic() + seconds
    while not question():
        assert time.monotonic() < end, what
        time.sleep(0.003)


def test_an_intent_outlives_the_process_that_sent_it(party: Party) -> None:
    dice = random.Random(5)
    mark = price_of(party)
    slow = {"fault": "delay", "path": "sendorder", "seconds": WINDOW, "count": KILLS * 2, "key": party.public}
    assert requests.post(f"{party.stack.demo_url}/demo/faults", json=slow, timeout=20).ok
    found: Counter[str] = Counter()
    intents = []
    waiting = [Web(party.stack)]
    try:
        for _ in range(KILLS):
            waiting.append(Web(party.stack))  # the next one starts meanwhile
            web = waiting.pop(0)
            until(web.is_up, 120, "a web process came up")
            intent = uuid4()
            intents.append(intent)
            pressing = Thread(target=party.press, args=(web, intent, wish(dice, mark)))
            pressing.start()
            until(lambda intent=intent: party.status(intent), 30, "the intent was committed")
            time.sleep(dice.uniform(0, WINDOW))
            web.kill()
            found[party.status(intent)] += 1
            pressing.join(30)
    finally:
        for one in waiting:
            one.kill()
    print(f"\nkilled {KILLS} times; what stood there then: {dict(found)}; answered: {sum(party.answered)}")
    assert found["sending"] >= KILLS / 2  # else the kills came too late to say anything
    until(lambda: not doubtful(party, intents), 180, f"all is proven: {doubtful(party, intents)}")
    assert list(differences(party, intents)) == []


def price_of(party: Party) -> D:
    url = f"{party.stack.demo_url}/derivatives/api/v3/tickers/PF_XBTUSD"
    return D(str(requests.get(url, timeout=20).json()["ticker"]["markPrice"]))


def wish(dice: random.Random, mark: D) -> dict[str, str]:
    resting = str((mark * D("0.9")).quantize(D(1)))
    return dice.choice(
        [
            {"type": "limit", "side": "buy", "limit_price": resting},
            {"type": "market", "side": dice.choice(["buy", "sell"])},
            {"type": "ioc", "side": "buy", "limit_price": resting},
        ]
    )


def doubtful(party: Party, intents: list[UUID]) -> list[UUID]:
    return [intent for intent in intents if party.status(intent) in OPEN_TO_DOUBT]


def differences(party: Party, intents: list[UUID]) -> Iterator[str]:
    ledger = party.ledger()
    there = {UUID(row["cli_ord_id"]): row for row in ledger}
    if len(there) != len(ledger):
        yield "an order is at the exchange twice"
    if strangers := set(there) - set(intents):
        yield f"at the exchange and not with us: {strangers}"
    ours = party.orders()
    for intent in intents:
        order, row = ours[intent], there.get(intent)
        if row is None:
            if order["status"] not in {"rejected", "never_arrived"}:
                yield f"{order} is not at the exchange"
        elif order["status"] not in FATES[row["status"]] or D(str(order["filled"])) != D(row["filled"]):
            yield f"{order}, there {row['status']} filled {row['filled']}"
        elif order["venue_order_id"] != row["order_id"]:
            yield f"{order} is called {row['order_id']} there"
