"""Placing an order: HTTP into Daphne, intent and audit row committed, order on the demo exchange, answer.

Against a script that signs and posts with one pooled session. Both place the same resting limit orders on the same
demo exchange, in turn, each spread over accounts of its own so that no budget is spent. In between, an empty page of
the same desk is posted to: with the script's own time after it, no page that places an order takes less.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import requests

from tests.benchmarks.result import Result
from tests.benchmarks.rig import listens, stop
from tests.stack import ROOT, Stack, free_port
from tests.venue_process import DemoKey, authent

ACCOUNTS, EACH, WARM = 5, 25, 3
TARGET = 2.5
SYMBOL, PATH = "PF_XBTUSD", "/derivatives/api/v3/sendorder"


def main() -> list[Result]:
    stack = Stack(KFWEB_OWNER_EMAIL="owner@example.test").start()
    try:
        return measure(stack)
    finally:
        stack.stop()
        shutil.rmtree(stack.folder, ignore_errors=True)


def measure(stack: Stack) -> list[Result]:
    desk = stack.signed_in()
    price = far_below(stack)
    ours: list[float] = []
    bare: list[float] = []
    nothing: list[float] = []
    accounts = [new_account(stack, desk) for _ in range(ACCOUNTS)]
    keys = [new_key(stack) for _ in range(ACCOUNTS)]
    with requests.Session() as pooled, empty_page(stack) as page:
        for account, key in zip(accounts, keys, strict=True):
            for number in range(EACH):
                one = timed(lambda account=account: through_the_desk(stack, desk, account, price))
                two = timed(lambda key=key: signed_and_posted(stack, pooled, key, price))
                three = timed(lambda: posted(desk, page))
                if number >= WARM:
                    ours.append(one)
                    bare.append(two)
                    nothing.append(three)
    script = statistics.median(bare)
    ratio, least = statistics.median(ours) / script, (statistics.median(nothing) + script) / script
    return [
        Result(
            what="placing an order through the desk",
            measured=f"p50 {ratio:.2f}× a signed post",
            target=f"≤ {TARGET}×",
            ok=ratio <= TARGET,
            detail=f"p50 {ms(ours, 50)}, p95 {ms(ours, 95)}; the script p50 {ms(bare, 50)}, p95 {ms(bare, 95)};"
            f" {len(ours)} orders each, every one accepted by the exchange. An empty page of the desk p50"
            f" {ms(nothing, 50)}: with the script's time after it, {least:.2f}×.",
        )
    ]


def timed(action: Callable[[], None]) -> float:
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def ms(times: list[float], percent: int) -> str:
    return f"{statistics.quantiles(times, n=100)[percent - 1] * 1000:.1f} ms"


def through_the_desk(stack: Stack, desk: requests.Session, account: str, price: Decimal) -> None:
    """What the ticket's script sends. The answer is what became of the order, and the next intent."""
    answer = desk.post(
        f"{stack.url}/orders/",
        data={
            "intent": str(uuid4()), "of": account, "symbol": SYMBOL, "side": "buy", "type": "limit",
            "size": "0.0001", "limit_price": str(price),
        },
        headers={"Referer": stack.url, "X-CSRFToken": desk.cookies["kfweb_csrf"], "HX-Request": "true"},
        timeout=30,
    )  # fmt: skip
    if answer.status_code != 200 or "Open" not in answer.text:
        raise RuntimeError(f"the desk answered {answer.status_code}:\n{answer.text[:3000]}")


@contextmanager
def empty_page(stack: Stack) -> Iterator[str]:
    """A second web process of the stack, with the page that does nothing; yields its address."""
    port = free_port()
    daphne = [sys.executable, "-m", "daphne", "-b", "127.0.0.1", "-p", str(port), "-v", "0"]
    process = subprocess.Popen(
        [*daphne, "tests.benchmarks.empty_page:application"],
        cwd=ROOT,
        env={**stack.environment, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        end = time.monotonic() + 30
        while not listens(port):
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError("the empty page did not start")
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/empty/"
    finally:
        stop(process)


def posted(desk: requests.Session, page: str) -> None:
    headers = {"Referer": page, "X-CSRFToken": desk.cookies["kfweb_csrf"], "HX-Request": "true"}
    answer = desk.post(page, data={"intent": str(uuid4()), "symbol": SYMBOL}, headers=headers, timeout=30)
    if answer.status_code != 200 or answer.text:
        raise RuntimeError(f"the empty page answered {answer.status_code}:\n{answer.text[:3000]}")


def signed_and_posted(stack: Stack, pooled: requests.Session, key: DemoKey, price: Decimal) -> None:
    words = {
        "orderType": "lmt", "symbol": SYMBOL, "side": "buy", "size": "0.0001", "limitPrice": str(price),
        "cliOrdId": str(uuid4()),
    }  # fmt: skip
    body, nonce = urlencode(words), str(time.time_ns())
    headers = {
        "APIKey": key.public, "Nonce": nonce, "Authent": authent(key.private, body, nonce, PATH),
        "Content-Type": "application/x-www-form-urlencoded",
    }  # fmt: skip
    answer: Any = pooled.post(stack.demo_url + PATH, data=body, headers=headers, timeout=30).json()
    if answer["sendStatus"]["status"] != "placed":
        raise RuntimeError(f"the exchange answered {answer}")


def new_account(stack: Stack, desk: requests.Session) -> str:
    """Sign up, as the button does; returns the id of the account on the desk."""
    answer = stack.post(desk, "/keys/try-demo/", intent=str(uuid4()))
    answer.raise_for_status()
    import re

    found = re.findall(r"[?&]account=(\d+)", desk.get(f"{stack.url}/", timeout=30).text)
    if not found:
        raise RuntimeError("no account on the overview")
    return max(found, key=int)


def new_key(stack: Stack) -> DemoKey:
    made = requests.post(f"{stack.demo_url}/demo/signup", json={"accept_terms": True}, timeout=30).json()
    key = requests.post(
        f"{stack.demo_url}/demo/keys",
        json={"general": "full", "withdrawal": "none"},
        auth=(made["email"], made["password"]),
        timeout=30,
    ).json()
    return DemoKey(key["public_key"], key["private_key"])


def far_below(stack: Stack) -> Decimal:
    """A price that rests and stays."""
    ticker = requests.get(f"{stack.demo_url}/derivatives/api/v3/tickers/{SYMBOL}", timeout=30).json()["ticker"]
    return (Decimal(str(ticker["markPrice"])) * Decimal("0.8")).quantize(Decimal(1))
