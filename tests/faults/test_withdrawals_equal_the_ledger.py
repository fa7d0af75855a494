"""A whole desk whose processes are killed while money leaves it: what it says of every request is what the exchange
paid. People go on as people do: they look, and press the button again where nothing came of it.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal as D
from threading import Thread
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
import requests

from tests.stack import ROOT, Stack

pytestmark = [pytest.mark.venue, pytest.mark.timeout(7200)]
KILLS = int(os.environ.get("KFWEB_TEST_STACK_KILLS", "10"))  # 200 for the long run
SEED = int(os.environ.get("KFWEB_TEST_SEED", "11"))
ACCOUNTS = max(2, KILLS // 10)  # an account's log may be read a hundred times in ten minutes
TARGETS = {
    "worker": "celery -A kfweb worker",
    "web": "daphne",
    "relay": "manage.py relay",
    "demovenue": "-m demovenue",
    "answer": "",
}
STEPS = ("asked", "first vote", "second vote", "sending", "sent", "any time")
DEATHS, WITHIN = 4, 62.0  # seconds; a part that dies more often ends the whole desk, as it should
SECRET = "a second long password"
LOG_MAY_LAG = 16 * 60  # seconds; ten minutes, and the longest pause between two looks
SETTLED = {"confirmed", "failed", "uncertain"}
SET_UP = """
import json
from accounts.actions.keys import add_key
from accounts.actions.policy import approve_policy, propose_policy
from accounts.models import Desk, Membership, User
from accounts.policy_rules import Policy, Tier
from accounts.stepup import Factor
from decimal import Decimal
from django.utils import timezone
desk, owner = Desk.objects.get(), User.objects.get()
people = {{"tom": "trader", "rita": "reviewer", "rob": "reviewer"}}
for name, role in people.items():
    user = User.objects.create_user(name + "@example.test", {secret!r})
    Membership.objects.create(desk=desk, user=user, role=role)
proof, rita = Factor("password", timezone.now()), User.objects.get(email="rita@example.test")
two = propose_policy(desk, Policy(tiers=(Tier(Decimal(0), 2),)), by=owner, reason="Two of us", factor=proof)
approve_policy(two.pk, by=rita, digest=two.digest, factor=proof)
ids = [add_key(desk, by=owner, label="Account " + public[:4], environment="demo", public_key=public, secret=private)
       .account_id for public, private in {keys!r}]
print(json.dumps(ids))
"""


@dataclass(frozen=True)
class Purse:
    """An account of the desk, and the person at the exchange who owns it."""

    id: int
    basic: tuple[str, str]
    public: str


@dataclass
class Team:
    stack: Stack
    purses: list[Purse]
    people: dict[str, requests.Session]
    deaths: dict[str, deque[float]] = field(default_factory=lambda: {one: deque(maxlen=DEATHS) for one in TARGETS})

    def demo(self, method: str, path: str, **options: Any) -> Any:
        """The exchange's own controls; they are asked again while it is down."""
        while True:
            with suppress(requests.ConnectionError):
                answer = requests.request(method, f"{self.stack.demo_url}{path}", timeout=20, **options)
                assert answer.ok, answer.text
                return answer.json()
            time.sleep(0.2)

    def kill(self, target: str) -> None:
        """At once, as a crash does; never so often that the desk gives the part up."""
        past = self.deaths[target]
        if len(past) == DEATHS:
            time.sleep(max(0.0, past[0] + WITHIN - time.monotonic()))
        until(lambda: self._pid(target), 60, f"{target} came back")
        with suppress(ProcessLookupError):
            os.kill(self._pid(target), signal.SIGKILL)
        past.append(time.monotonic())

    def _pid(self, target: str) -> int:
        try:
            return self.stack.pid_of(TARGETS[target])
        except (LookupError, FileNotFoundError):
            return 0

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """What is written, read beside the desk and whatever of it is alive."""
        if url := self.stack.environment.get("DATABASE_URL"):
            with psycopg.connect(url, row_factory=psycopg.rows.dict_row) as there:
                return [dict(row) for row in there.execute(sql)]  # type: ignore[call-overload]
        address = f"file:{self.stack.folder / 'kfweb.sqlite3'}?mode=ro"
        with closing(sqlite3.connect(address, uri=True, timeout=20)) as here:
            here.row_factory = sqlite3.Row
            return [dict(row) for row in here.execute(sql)]

    def row(self, intent: UUID) -> dict[str, Any] | None:
        found = [one for one in self.rows("SELECT * FROM accounts_withdrawal") if UUID(str(one["id"])) == intent]
        return found[0] if found else None

    def votes(self, intent: UUID) -> int:
        rows = self.rows("SELECT withdrawal_id FROM accounts_approval")
        return sum(UUID(str(one["withdrawal_id"])) == intent for one in rows)


def until(question: Callable[[], object], seconds: float, what: str) -> None:
    end = time.monotonic() + seconds
    while not question():
        assert time.monotonic() < end, f"waited in vain for: {what}"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def team() -> Iterator[Team]:
    stack = Stack(KFWEB_STEP_UP_SECONDS="14400").start()
    try:
        made = Team(stack, [], {})
        keys, owners = [], []
        for _ in range(ACCOUNTS):
            person = made.demo("POST", "/demo/signup", json={"accept_terms": True})
            basic = (person["email"], person["password"])
            pair = made.demo("POST", "/demo/keys", json={"general": "full", "withdrawal": "full"}, auth=basic)
            keys.append((pair["public_key"], pair["private_key"]))
            owners.append(basic)
        code = SET_UP.format(secret=SECRET, keys=keys)
        done = subprocess.run(
            [sys.executable, "manage.py", "shell", "-v", "0", "-c", code],
            cwd=ROOT, env=stack.environment, check=True, capture_output=True, text=True,
        )  # fmt: skip
        ids = json.loads(done.stdout.strip().splitlines()[-1])
        made.purses += [Purse(*one) for one in zip(ids, owners, (public for public, _ in keys), strict=True)]
        made.people |= {name: stack.signed_in(f"{name}@example.test", SECRET) for name in ("tom", "rita", "rob")}
        yield made
    finally:
        stack.stop()


@dataclass
class Journey:
    """One request from the wish to the receipt, and the blow that falls on the way."""

    team: Team
    purse: Purse
    amount: D
    target: str
    step: str
    dice: random.Random
    intent: UUID = field(default_factory=uuid4)

    def run(self) -> None:
        if self.step == "any time":
            blow = Thread(target=self._strike, args=(self.dice.uniform(0, 6),))
            blow.start()
        self._do("asked", self._ask, lambda: self.team.row(self.intent) is not None)
        self._do("first vote", lambda: self._vote("rita"), lambda: self.team.votes(self.intent) >= 1)
        if self.step == "sending":
            slow = {"fault": "delay", "seconds": 1.0, "path": "withdrawal", "key": self.purse.public}
            wanted = {**slow, "fault": "drop_response"} if self.target == "answer" else slow
            self.team.demo("POST", "/demo/faults", json={**wanted, "count": 1})
        self._do("second vote", lambda: self._vote("rob"), lambda: self.team.votes(self.intent) >= 2)
        if self.step == "sending" and self.target != "answer":
            self._wait_for({"executing", *SETTLED})
            self._strike(self.dice.uniform(0, 1.3))
        if self.step == "sent":
            self._wait_for(SETTLED)
            self._strike(0)
        if self.step == "any time":
            blow.join()

    def _do(self, name: str, action: Callable[[], object], is_done: Callable[[], bool]) -> None:
        """Press the button, and press it again while nothing came of it; the blow falls while it is pressed."""
        hand = Thread(target=action)
        hand.start()
        if self.step == name:
            self._strike(self.dice.uniform(0, 0.4))
        hand.join()
        end = time.monotonic() + 90
        while not is_done():
            assert time.monotonic() < end, f"{self.target} killed at “{self.step}”: no {name} came about"
            time.sleep(0.3)
            action()

    def _strike(self, after: float) -> None:
        time.sleep(after)
        if self.target == "answer":
            body = {"fault": "drop_response", "scope": "all", "key": self.purse.public, "count": 1}
            self.team.demo("POST", "/demo/faults", json=body)
        else:
            self.team.kill(self.target)

    def _ask(self) -> None:
        wish = {"source": "flex|USD", "amount": str(self.amount), "destination": "spot||", "reason": "rent"}
        self._post("tom", f"/withdrawals/request/?account={self.purse.id}",
                   {**wish, "do": "ask", "intent": str(self.intent)})  # fmt: skip

    def _vote(self, name: str) -> None:
        row = self.team.row(self.intent)
        assert row
        self._post(name, f"/withdrawals/{self.intent}/approve/", {"digest": row["digest"], "note": ""})

    def _post(self, name: str, path: str, fields: dict[str, str]) -> None:
        with suppress(requests.RequestException):  # no answer: the row says whether something came of it
            self.team.stack.post(self.team.people[name], path, **fields)

    def _wait_for(self, states: set[str]) -> None:
        until(lambda: (self.team.row(self.intent) or {}).get("status") in states, 60, f"one of {states}")

    def __str__(self) -> str:
        return f"{self.amount} USD, {self.target} hit at “{self.step}”"


def plan(dice: random.Random) -> Iterator[tuple[str, str]]:
    """Every part at every step by turns, again and again; the step that matters most comes first."""
    turns = [(target, step) for step in STEPS for target in TARGETS]
    while True:
        dice.shuffle(turns)
        yield from sorted(turns, key=lambda turn: turn[1] != "sending")


def test_what_the_desk_says_of_every_request_is_what_the_exchange_paid(team: Team) -> None:
    dice, journeys = random.Random(SEED), []
    turns = plan(dice)
    for number in range(KILLS):
        target, step = next(turns)
        journey = Journey(team, team.purses[number % ACCOUNTS], D(1) + D(number) / 100, target, step, dice)
        journey.run()
        journeys.append(journey)
    team.demo("DELETE", "/demo/faults")
    with suppress(AssertionError):
        until(lambda: not unsettled(team), 240, "every request to say what became of it")
    assert not unsettled(team)
    wrong = [trouble for journey in journeys if (trouble := disagreement(team, journey))]
    print(dict(Counter(one["status"] for one in team.rows("SELECT status FROM accounts_withdrawal"))))
    assert not wrong, "\n".join(wrong)
    paid = sum(len(team.demo("GET", "/demo/ledger", auth=one.basic)["withdrawals"]) for one in team.purses)
    assert paid >= KILLS * 0.6  # else nothing was shown
    print(f"{KILLS} blows, {paid} paid")


def unsettled(team: Team) -> list[str]:
    """Requests that do not say yet what became of them, in words."""
    found = []
    for row in team.rows("SELECT amount, status, evidence, remark FROM accounts_withdrawal"):
        evidence = row["evidence"] if isinstance(row["evidence"], dict) else json.loads(row["evidence"])
        looked = row["status"] != "uncertain" or evidence.get("finding")
        if row["status"] not in SETTLED or not looked:
            found.append(f"{row['amount']} USD is {row['status']}: {row['remark']} {evidence}")
    return found


def disagreement(team: Team, journey: Journey) -> str:
    """How the desk's words and the exchange's book differ; "" when they do not."""
    row = team.row(journey.intent)
    if row is None:
        return f"{journey}: the request is gone"
    evidence = row["evidence"] if isinstance(row["evidence"], dict) else json.loads(row["evidence"])
    ledger = team.demo("GET", "/demo/ledger", auth=journey.purse.basic)["withdrawals"]
    paid = [one for one in ledger if D(one["amount"]) == journey.amount]
    finding = evidence.get("finding", "")
    match row["status"], len(paid):
        case "confirmed", 1 if row["reference"] == paid[0]["uid"]:
            return ""
        case "failed", 0:
            return ""
        case "uncertain", 1 if finding == "sent":
            return ""
        case "uncertain", 0 if finding == "not_sent" or (finding == "too_early" and age_of(row) < LOG_MAY_LAG):
            return ""
    return f"{journey}: {row['status']} ({finding}, {row['remark']}), and the exchange paid {len(paid)} times"


def age_of(row: dict[str, Any]) -> float:
    at = row["executing_at"]
    moment = at if isinstance(at, datetime) else datetime.fromisoformat(at)
    return (datetime.now(UTC) - (moment if moment.tzinfo else moment.replace(tzinfo=UTC))).total_seconds()
