"""One budget and one line of nonces per key, however many processes use it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
import redis
from pytest_django import Settings

from accounts import broker
from accounts.broker import CAPACITY, RESERVE, Broker, StoreAway, budget
from accounts.store import own_connection, store
from krakenfutures.errors import Throttled

USER = """
import json, sys, time
from accounts.broker import Broker
from krakenfutures.errors import Throttled
key, calls, cost = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
gate, rows = Broker(key, rested=True), []
for _ in range(calls):
    began = time.monotonic()
    try:
        nonce = gate.enter(cost)
    except Throttled:
        continue
    rows.append((began, time.monotonic(), nonce))
print(json.dumps(rows))
"""
Call = tuple[float, float, int]


def eight_processes(key: str, *, calls: int, cost: int) -> list[Call]:
    command = [sys.executable, "-c", USER, key, str(calls), str(cost)]
    users = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(8)]
    return [tuple(row) for user in users for row in json.loads(user.communicate(timeout=60)[0])]


def spent(key: str) -> None:
    """Take everything that is not reserved."""
    gate = Broker(key, rested=True)
    with pytest.raises(Throttled):
        while True:
            gate.enter(10)


@pytest.fixture
def no_store(settings: Settings) -> Iterator[None]:
    settings.REDIS_URL = "unix:///nonexistent/store.sock"
    store.cache_clear()
    yield
    store.cache_clear()


def test_nonces_of_eight_processes_are_unique_and_rise_in_the_order_of_issue() -> None:
    calls = eight_processes("many", calls=250, cost=0)
    assert len({nonce for *_, nonce in calls}) == 2000
    by_start = sorted(calls)
    highest_ended, ended = 0, sorted(calls, key=lambda call: call[1])
    position = 0
    for began, _, nonce in by_start:
        while ended[position][1] < began:
            highest_ended = max(highest_ended, ended[position][2])
            position += 1
        assert nonce > highest_ended  # whoever ended before this began has a lower one


def test_eight_processes_never_spend_more_than_the_venue_gives() -> None:
    calls = eight_processes("busy", calls=250, cost=10)
    level, at = 500.0, 0.0
    for _, ended, _ in sorted(calls, key=lambda call: call[1]):
        level, at = min(500.0, level + (ended - at) * 50) - 10, ended
        assert level >= 0
    assert len(calls) >= (CAPACITY - RESERVE) // 10


def test_a_nonce_is_the_stores_time_in_nanoseconds() -> None:
    nonce = Broker("clock", rested=True).enter(0)
    assert nonce is not None
    assert abs(nonce - time.time_ns()) < 5e9


def test_a_nonce_rises_even_when_the_clock_stood_still() -> None:
    ahead = (time.time_ns() // 1000) + 60_000_000
    store().hset("kfweb:broker:ahead", mapping={"nonce": ahead, "used": 0, "at": time.time_ns() // 1000})
    gate = Broker("ahead")
    assert [gate.enter(0), gate.enter(0)] == [(ahead + 1) * 1000, (ahead + 2) * 1000]


def test_a_spent_budget_refuses_says_when_and_spends_nothing() -> None:
    spent("k")
    before = budget_of("k")
    with pytest.raises(Throttled) as caught:
        Broker("k").enter(25)
    assert 0 < caught.value.retry_after <= 25 / broker.REFILL
    assert budget_of("k") >= before
    time.sleep(caught.value.retry_after)
    assert Broker("k").enter(25)


def test_the_reserve_is_for_urgent_calls_only() -> None:
    spent("k")
    gate = Broker("k")
    for _ in range(RESERVE // 10):
        assert gate.enter(10, urgent=True)
    with pytest.raises(Throttled):
        gate.enter(25, urgent=True)


def test_a_call_that_could_never_pass_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="no call may cost"):
        Broker("k").enter(CAPACITY)


def test_after_too_fast_the_budget_begins_from_empty() -> None:
    gate = Broker("k", rested=True)
    gate.enter(10)
    gate.penalise()
    with pytest.raises(Throttled):
        gate.enter(10, urgent=True)


def test_one_keys_spending_is_not_anothers() -> None:
    spent("one")
    assert Broker("two", rested=True).enter(10)


def test_an_emptied_store_keeps_nonces_rising_and_gives_no_second_budget() -> None:
    gate = Broker("k", rested=True)
    before = [gate.enter(10) for _ in range(30)][-1]
    store().flushdb()
    with pytest.raises(Throttled) as caught:
        Broker("k").enter(10)  # nobody can say what was spent before
    assert caught.value.retry_after < (RESERVE + 11) / broker.REFILL
    after = Broker("k").enter(0)  # what costs nothing may pass even now
    assert after is not None and before is not None and after > before


def test_without_the_store_nothing_passes(no_store: None) -> None:
    gate = Broker("k", rested=True)
    for attempt in (lambda: gate.enter(0), gate.penalise, lambda: budget(1)):
        with pytest.raises(StoreAway, match="nothing was sent"):
            attempt()
    assert issubclass(StoreAway, Throttled)


def test_the_gauge_shows_what_is_left_and_an_unused_key_full() -> None:
    assert budget(1).points == CAPACITY
    Broker(1, rested=True).enter(100)
    assert CAPACITY - 101 <= budget(1).points <= CAPACITY - 90


def test_the_record_of_an_idle_key_goes_away() -> None:
    Broker("k", rested=True).enter(1)
    client: redis.Redis = store()
    assert 0 < int(client.ttl("kfweb:broker:k")) <= broker.FORGET_AFTER  # type: ignore[arg-type]


def test_reading_history_is_paid_from_a_pool_of_its_own() -> None:
    gate = Broker(1, rested=True)
    with pytest.raises(Throttled):
        while True:
            gate.enter(10, history=True)
    assert budget(1, broker.HISTORY).points < broker.HISTORY_RESERVE + 10
    assert budget(1).points == CAPACITY  # people trade on
    assert gate.enter(10, history=True, urgent=True)  # the evidence for a withdrawal does not wait
    gate.penalise(history=True)
    assert (budget(1, broker.HISTORY).points, budget(1).points) == (0, CAPACITY)


def test_an_emptied_store_gives_no_second_history_pool() -> None:
    Broker("k").enter(0)  # nobody can say what was spent before
    with pytest.raises(Throttled):
        Broker("k").enter(1, history=True)


def budget_of(name: str) -> int:
    used = float(broker.LEFT(f"kfweb:broker:{name}", broker.REFILL, ""))
    return int(CAPACITY - used)


def test_a_store_started_anew_is_asked_again_by_the_same_thread() -> None:
    """It has forgotten the scripts, and has hung up on whoever was connected."""
    gate = Broker("anew", rested=True)
    before = gate.enter(1)
    store().script_flush()
    mine = own_connection()
    mine.send_command("CLIENT", "ID")
    number = mine.read_response()
    store().client_kill_filter(_id=number)  # others of this store may be in the middle of another test
    after = gate.enter(1)
    assert before is not None
    assert after is not None
    assert after > before


def test_two_who_begin_with_a_new_key_at_once_find_its_pools_whole() -> None:
    broker.open_budget(7)
    late = Broker(7, rested=False)  # somebody else has just noted the first use
    assert late.enter(CAPACITY - RESERVE)
    assert Broker(7).enter(1, history=True)
