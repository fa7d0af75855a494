"""What the broker is for: a venue that counts nonces and points itself has nothing to complain of."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from accounts.store import store
from tests.venue_process import DemoVenue

pytestmark = [pytest.mark.venue]

EACH = int(os.environ.get("KFWEB_TEST_SIGNED_CALLS", "250"))  # of each process; 2000 in the full run

# A slow machine may not outrun the refill with so few calls; it goes on until it had to wait, if that is asked for.
USER = """
import json, sys, time
from collections import Counter
from accounts.broker import Broker
from krakenfutures.errors import KrakenError, Refused, Throttled
from krakenfutures.io.derivatives import DerivativesVenue
from krakenfutures.venue import Credentials
rested, url, public, secret, what, calls, until = *sys.argv[1:6], int(sys.argv[6]), sys.argv[7]
gate, told = Broker("shared", rested=rested == "rested"), Counter()
penalised = []
gate.penalise = lambda: penalised.append(1)
with DerivativesVenue(url, "").session(Credentials(public, secret), gate) as session:
    call = session.account.check if what == "check" else session.account.wallets
    while calls > 0 or (until == "until it waits" and not told["we waited"] and calls > -2000):
        try:
            call()
            told["ok"] += 1
            calls -= 1
        except Throttled as throttled:
            told["venue said too fast" if penalised else "we waited"] += 1
            time.sleep(min(throttled.retry_after, 1))
        except KrakenError as error:
            told[repr(error)] += 1
            calls -= 1
print(json.dumps(told))
"""


def processes(count: int, venue: DemoVenue, what: str, calls: int, until: str = "done") -> dict[str, int]:
    key = venue.signup().key
    command = [sys.executable, "-c", USER, "rested", venue.url, key.public, key.private, what, str(calls), until]
    users = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(count)]
    told: dict[str, int] = {}
    for user in users:
        answer: dict[str, Any] = json.loads(user.communicate(timeout=1100)[0])
        for word, times in answer.items():
            told[word] = told.get(word, 0) + times
    return told


@pytest.mark.timeout(1200)
def test_eight_processes_make_signed_calls_on_one_key_without_a_nonce_error(venue: DemoVenue) -> None:
    assert processes(8, venue, "check", EACH) == {"ok": 8 * EACH}


def test_four_processes_in_a_hurry_never_hear_too_fast_from_the_venue(venue: DemoVenue) -> None:
    told = processes(4, venue, "wallets", 90, "until it waits")  # 720 points at least, where 500 are there at once
    assert told.pop("ok") >= 360
    assert told.pop("we waited") > 0
    assert told == {}


def test_a_store_emptied_in_a_hurry_gives_no_second_budget(venue: DemoVenue) -> None:
    key = venue.signup().key
    told = []
    for rested, calls in (("rested", 180), ("unknown", 120)):  # 600 points, where 500 are there at once
        command = [
            sys.executable,
            "-c",
            USER,
            rested,
            venue.url,
            key.public,
            key.private,
            "wallets",
            str(calls),
            "done",
        ]
        told.append(json.loads(subprocess.check_output(command, timeout=300)))
        store().flushdb()
    assert [one.pop("ok") for one in told] == [180, 120]
    assert told[1].pop("we waited") > 0
    assert told == [{}, {}]
