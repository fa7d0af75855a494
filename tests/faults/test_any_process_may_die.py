"""Every process is killed, frozen and cut off under load; afterwards everything equals the exchange again.

KFWEB_TEST_FAULT_MINUTES and KFWEB_TEST_FAULT_BLOWS make it as long as patience allows (30 and 60: the full run).
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
import requests

from tests.composed import Composed, wait_for
from tests.faults.chaos import Chaos
from tests.faults.people import Cashiers, Trader, Watcher, signed_in
from tests.faults.test_intents_equal_the_ledger import FATES
from trading.models import OrderStatus

MINUTES = float(os.environ.get("KFWEB_TEST_FAULT_MINUTES", "2"))
BLOWS = int(os.environ.get("KFWEB_TEST_FAULT_BLOWS", "15"))
SETTLED_WITHIN = 120  # seconds, most of them the venue's own deadlines
SECRET = "a long enough password 7"
NOWHERE = {OrderStatus.REJECTED, OrderStatus.NEVER_ARRIVED}

pytestmark = [pytest.mark.composed, pytest.mark.timeout(int(MINUTES * 60 + 900))]


@pytest.fixture(scope="module")
def desk() -> Iterator[Composed]:
    running = Composed()
    running.said |= {"KFWEB_DEMO_PASSWORD": SECRET, "KFWEB_STEP_UP_SECONDS": "7200"}
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def made(desk: Composed) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(desk.manage("demo_desk", "--json"))
    return found


def test_no_order_is_lost_doubled_or_misreported_and_no_page_lies_about_its_age(
    desk: Composed, made: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    mark = requests.get(f"{desk.demo_url}/derivatives/api/v3/tickers/PF_XBTUSD", timeout=20).json()["ticker"]
    people = [one["email"] for one in made["people"] if one["role"] in {"owner", "trader"}]
    traders = [
        Trader(desk, signed_in(desk, email, SECRET), account["id"], float(mark["markPrice"]), seed)
        for seed, (email, account) in enumerate(zip(people, made["accounts"], strict=True))
    ]
    watchers = [Watcher(desk, signed_in(desk, email, SECRET)) for email in people]
    reviewer = next(one["email"] for one in made["people"] if one["role"] == "reviewer")
    main = made["accounts"][0]
    cashiers = Cashiers(desk, signed_in(desk, people[1], SECRET), signed_in(desk, reviewer, SECRET), main["id"])
    chaos = Chaos(desk, seed=1)
    at_work([*(one.work for one in traders), *(one.watch for one in watchers), cashiers.work], chaos)

    wait_for(lambda: not unsettled(desk), SETTLED_WITHIN, lambda: f"still open: {unsettled(desk)}\n{desk.logs()}")
    wait_for(lambda: not unfinished(desk), SETTLED_WITHIN, lambda: f"withdrawals stuck: {unfinished(desk)}")
    wrong = [line for trader, account in zip(traders, made["accounts"], strict=True)
             for line in differences(desk, trader, account)]  # fmt: skip
    wrong += money_differences(desk, cashiers, made["accounts"])
    lies = [lie for watcher in watchers for lie in watcher.lies]
    with capsys.disabled():
        print(f"\n{len(chaos.blows)} blows in {MINUTES:g} minutes:\n{chaos.told()}")
        sent, again = sum(len(one.intents) for one in traders), sum(one.pressed_again for one in traders)
        print(f"{sent} intents, pressed again {again} times; {sum(one.frames for one in watchers)} frames read over "
              f"{sum(one.connections for one in watchers)} connections; states {states(desk)}; "
              f"{len(cashiers.asked)} withdrawals asked for: {withdrawal_states(desk, cashiers)}")  # fmt: skip
    assert len(chaos.blows) == BLOWS
    assert not wrong, "\n".join(wrong)
    assert not lies, "\n".join(lies)
    assert sum(trader.answered for trader in traders) > BLOWS  # else nothing was shown
    assert "whole" in desk.manage("verify_audit")


def at_work(people: list[Callable[[threading.Event], None]], chaos: Chaos) -> None:
    stop = threading.Event()
    failed: list[BaseException] = []

    def guarded(work: Any, *arguments: Any) -> None:
        try:
            work(*arguments)
        except BaseException as problem:  # noqa: BLE001 - shown by the test's own thread
            failed.append(problem)
            stop.set()

    crew = [threading.Thread(target=guarded, args=(work, stop)) for work in people]
    for thread in crew:
        thread.start()
    guarded(chaos.run, BLOWS, MINUTES * 60, stop)
    time.sleep(3)
    stop.set()
    for thread in crew:
        thread.join(60)
    if failed:
        raise failed[0]


def rows(desk: Composed, query: str, *values: Any) -> list[tuple[Any, ...]]:
    with psycopg.connect(desk.database_uri.replace("/postgres?", "/kfweb?")) as connection:
        return connection.execute(query, values).fetchall()


def unsettled(desk: Composed) -> list[tuple[Any, ...]]:
    return rows(
        desk,
        "SELECT id, status, reason FROM trading_order WHERE status IN ('sending', 'uncertain') AND parent_id IS NULL",
    )


def states(desk: Composed) -> dict[str, int]:
    return dict(Counter(row[0] for row in rows(desk, "SELECT status FROM trading_order")))


def differences(desk: Composed, trader: Trader, account: dict[str, Any]) -> Iterator[str]:
    """Between what the traders sent, what the desk says, and what the exchange knows."""
    login = (account["demo_email"], account["demo_password"])
    there: dict[str, dict[str, Any]] = {}
    for order in requests.get(f"{desk.demo_url}/demo/ledger", auth=login, timeout=30).json()["orders"]:
        if order["cli_ord_id"] in there:
            yield f"{order['cli_ord_id']} is at the exchange twice"
        there[order["cli_ord_id"]] = order
    query = "SELECT id::text, status, filled::numeric, venue_order_id FROM trading_order WHERE account_id = %s"
    ours = {row[0]: row for row in rows(desk, query, trader.account)}
    if strangers := set(there) - set(ours):
        yield f"at the exchange and not with us: {strangers}"
    for name, status, filled, venue_order_id in ours.values():
        known = there.get(name)
        if known is None and status not in NOWHERE:
            yield f"{name} is {status} with us and not at the exchange"
        elif known is not None and status not in FATES[known["status"]]:
            yield f"{name} is {status} with us and {known['status']} at the exchange"
        elif known is not None and (
            str(known["order_id"]) != venue_order_id or float(known["filled"]) != float(filled)
        ):
            yield f"{name} filled {filled} with us and {known['filled']} at the exchange"
    if unknown := [name for name in trader.intents if name in there and name not in ours]:
        yield f"sent, arrived, and forgotten: {unknown}"


def withdrawals(desk: Composed, cashiers: Cashiers) -> dict[str, str]:
    """State by request, of those that were asked for here."""
    found = rows(
        desk, "SELECT id::text, status FROM accounts_withdrawal WHERE id = ANY(%s::uuid[])", list(cashiers.asked)
    )
    return dict(found)


def withdrawal_states(desk: Composed, cashiers: Cashiers) -> dict[str, int]:
    return dict(Counter(withdrawals(desk, cashiers).values()))


def unfinished(desk: Composed) -> list[tuple[Any, ...]]:
    """In nobody's hands for longer than the lease of whoever had it."""
    return rows(
        desk,
        "SELECT id, status FROM accounts_withdrawal"
        " WHERE status = 'executing' AND lease_until < now() - interval '20 s'",
    )


def money_differences(desk: Composed, cashiers: Cashiers, accounts: list[dict[str, Any]]) -> list[str]:
    """Each amount is asked for once: the exchange paid it once, or never, as the desk says."""
    paid: Counter[str] = Counter()
    for account in accounts:
        login = (account["demo_email"], account["demo_password"])
        ledger = requests.get(f"{desk.demo_url}/demo/ledger", auth=login, timeout=30).json()
        paid.update(f"{float(one['amount']):.2f}" for one in ledger["withdrawals"])
    wrong = []
    for request, status in withdrawals(desk, cashiers).items():
        times, amount = paid[cashiers.asked[request]], cashiers.asked[request]
        right = {"confirmed": {1}, "uncertain": {0, 1}, "executing": {0, 1}}.get(status, {0})
        if times not in right:
            wrong.append(f"{amount} USD is {status} with us, and was paid {times} times")
    return wrong
