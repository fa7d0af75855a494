"""The contract of the own API, from outside: a running desk, its commands, and calls over the wire."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
import requests

from tests.stack import ROOT, Stack

PLACED = {"id", "state", "client_order_id", "venue_order_id", "symbol", "side", "type", "size", "filled"}
STATES = {
    "draft", "sending", "open", "partly_filled", "filled", "cancelled", "rejected", "expired", "uncertain",
    "never_arrived",
}  # fmt: skip

pytestmark = [pytest.mark.venue, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    running = Stack(KFWEB_LARGEST_BODY="4000000").start()
    yield running
    running.stop()


def manage(stack: Stack, *words: str) -> str:
    environment = {**stack.environment, "KFWEB_DEMO_PASSWORD": "a password for the demo desk"}
    done = subprocess.run(
        [sys.executable, "manage.py", *words], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=170,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@dataclass
class Outside:
    """Somebody with a token and the demo exchange's own word."""

    stack: Stack
    desk: dict[str, Any]
    again: dict[str, Any]

    def token(self, role: str, scopes: str) -> str:
        email = next(one["email"] for one in self.desk["people"] if one["role"] == role)
        return manage(self.stack, "token", "--email", email, "--desk", self.desk["desk"], "--scopes", scopes).strip()

    def call(self, token: str, method: str, path: str, body: Any = None, **headers: str) -> requests.Response:
        return requests.request(
            method, f"{self.stack.url}/api/v1/{path}", json=body, timeout=30,
            headers={"Authorization": f"Bearer {token}"} | headers,
        )  # fmt: skip

    def ledger(self) -> dict[str, Any]:
        account = self.desk["accounts"][0]
        told = requests.get(
            f"{self.stack.demo_url}/demo/ledger", auth=(account["demo_email"], account["demo_password"]), timeout=30
        )
        found: dict[str, Any] = told.json()
        return found

    def orders_named(self, key: str) -> int:
        return sum(row["cli_ord_id"] == key for row in self.ledger()["orders"])


@pytest.fixture(scope="module")
def outside(stack: Stack) -> Outside:
    return Outside(
        stack, json.loads(manage(stack, "demo_desk", "--json")), json.loads(manage(stack, "demo_desk", "--json"))
    )


@pytest.fixture(scope="module")
def trader(outside: Outside) -> str:
    return outside.token("trader", "read,trade")


def a_wish(outside: Outside, **changes: Any) -> dict[str, Any]:
    ticker = requests.get(f"{outside.stack.demo_url}/derivatives/api/v3/tickers/PF_XBTUSD", timeout=10).json()[
        "ticker"
    ]
    price = str((Decimal(str(ticker["markPrice"])) * Decimal("0.8")).quantize(Decimal(1)))
    account = outside.desk["accounts"][0]["id"]
    wish = {"account": account, "symbol": "PF_XBTUSD", "side": "buy", "type": "limit", "size": "0.001"}
    return {**wish, "limit_price": price, "reduce_only": False, **changes}


def test_the_demo_desk_is_told_in_the_contracts_words(outside: Outside) -> None:
    assert set(outside.desk) == {"desk", "people", "accounts"}
    assert all(set(one) == {"email", "role"} for one in outside.desk["people"])
    keys = {"id", "label", "demo_email", "demo_password", "demo_public_key", "demo_private_key"}
    assert all(set(one) == keys for one in outside.desk["accounts"])
    assert all(one["demo_private_key"] for one in outside.desk["accounts"])
    assert [one["demo_private_key"] for one in outside.again["accounts"]] == [None, None]
    assert [one["id"] for one in outside.again["accounts"]] == [one["id"] for one in outside.desk["accounts"]]


def test_a_token_is_one_line_and_nothing_else(trader: str) -> None:
    assert re.fullmatch(r"kfw_[\w-]{43}", trader)


def test_every_list_has_the_contracts_shape(outside: Outside, trader: str) -> None:
    for path in ("accounts", "wallets", "positions", "orders", "fills", "withdrawals", "audit"):
        answer = outside.call(trader, "GET", path)
        assert answer.status_code == 200, answer.text
        assert answer.headers["Content-Type"].startswith("application/json")
        told = answer.json()
        assert set(told) == {"items", "next"}, path
        assert told["items"], path
        assert not any(isinstance(value, float) for item in told["items"] for value in item.values()), path
    accounts = outside.call(trader, "GET", "accounts").json()["items"]
    assert [set(one) for one in accounts] == [{"id", "label", "environment", "demo_email"}] * 2
    assert {one["id"] for one in accounts} == {one["id"] for one in outside.desk["accounts"]}


def test_pieces_joined_are_the_whole_and_times_are_utc(outside: Outside, trader: str) -> None:
    found, path = [], "fills?limit=7"
    while path:
        told = outside.call(trader, "GET", path).json()
        found += told["items"]
        path = f"fills?limit=7&cursor={told['next']}" if told["next"] else ""
    account = outside.desk["accounts"][0]["id"]
    ours = {row["id"] for row in found if row["account"] == account}
    assert ours == {row["fill_id"] for row in outside.ledger()["fills"]}
    assert all(datetime.fromisoformat(row["at"]).utcoffset().total_seconds() == 0 for row in found)


def test_an_order_lives_from_post_to_delete(outside: Outside, trader: str) -> None:
    key, wish = str(uuid4()), a_wish(outside)
    answer = outside.call(trader, "POST", "orders", wish, **{"Idempotency-Key": key})
    assert answer.status_code == 201, answer.text
    told = answer.json()
    assert told.keys() >= PLACED
    assert (told["id"], told["client_order_id"], told["state"], told["size"]) == (key, key, "open", "0.001")
    again = outside.call(trader, "POST", "orders", wish, **{"Idempotency-Key": key})
    assert (again.status_code, again.json()["id"]) == (201, key)
    other = outside.call(trader, "POST", "orders", {**wish, "size": "0.002"}, **{"Idempotency-Key": key})
    assert (other.status_code, other.json()["error"]) == (409, "key_reused")
    assert outside.orders_named(key) == 1
    changed = outside.call(trader, "PATCH", f"orders/{key}", {"size": "0.003"})
    assert (changed.status_code, changed.json()["size"]) == (200, "0.003")
    gone = outside.call(trader, "DELETE", f"orders/{key}")
    assert (gone.status_code, gone.json()["state"]) == (200, "cancelled")


def test_one_key_from_many_sides_at_once_is_one_order(outside: Outside, trader: str) -> None:
    key, wish = str(uuid4()), a_wish(outside)
    with ThreadPoolExecutor(8) as pool:
        calls = [
            pool.submit(outside.call, trader, "POST", "orders", wish, **{"Idempotency-Key": key}) for _ in range(8)
        ]
        answers = [call.result() for call in calls]
    assert {answer.status_code for answer in answers} <= {201, 202}
    assert {answer.json()["id"] for answer in answers} == {key}
    assert outside.orders_named(key) == 1
    outside.call(trader, "DELETE", f"orders/{key}")


def test_an_answer_that_is_lost_is_202_until_it_is_proven(outside: Outside, trader: str) -> None:
    public = outside.desk["accounts"][0]["demo_public_key"]
    fault = {"fault": "drop_response", "count": 1, "key": public}
    requests.post(f"{outside.stack.demo_url}/demo/faults", json=fault, timeout=10).raise_for_status()
    key, wish = str(uuid4()), a_wish(outside)
    answer = outside.call(trader, "POST", "orders", wish, **{"Idempotency-Key": key})
    assert answer.status_code in {201, 202}, answer.text  # the private feed may prove it before we answer
    end = time.monotonic() + 30
    while (state := outside.call(trader, "GET", f"orders/{key}").json()["state"]) in {"sending", "uncertain"}:
        assert time.monotonic() < end, "never settled"
        time.sleep(0.3)
    assert state == "open"
    assert outside.orders_named(key) == 1
    requests.delete(f"{outside.stack.demo_url}/demo/faults", timeout=10)


def test_many_at_once_and_all_away(outside: Outside, trader: str) -> None:
    account = outside.desk["accounts"][0]["id"]
    terms = {name: value for name, value in a_wish(outside).items() if name != "account"}
    body, key = {"account": account, "orders": [terms] * 3}, {"Idempotency-Key": str(uuid4())}
    batch = outside.call(trader, "POST", "orders/batch", body, **key)
    assert batch.status_code in {201, 202}, batch.text
    assert len(batch.json()["items"]) == 3
    away = outside.call(trader, "POST", "orders/cancel-all", {"account": account, "symbol": "PF_XBTUSD"})
    assert away.status_code in {200, 202}, away.text
    assert {one["id"] for one in batch.json()["items"]} <= {one["order"]["id"] for one in away.json()["items"]}
    assert {one["state"] for one in outside.call(trader, "GET", "orders").json()["items"]} <= STATES


def test_money_is_asked_for_and_no_token_approves(outside: Outside, trader: str) -> None:
    account = outside.desk["accounts"][0]["id"]
    wish = {"account": account, "currency": "USD", "amount": "5", "source": "flex", "reason": "rent"}
    key = {"Idempotency-Key": str(uuid4())}
    asked = outside.call(trader, "POST", "withdrawals", wish, **key)
    assert asked.status_code == 201, asked.text
    assert asked.json()["state"] == "pending_review"
    assert outside.call(trader, "POST", "withdrawals", wish, **key).json()["id"] == asked.json()["id"]
    assert outside.call(trader, "POST", "withdrawals", {**wish, "amount": "6"}, **key).status_code == 409
    reviewer = outside.token("reviewer", "read")
    for path in (f"withdrawals/{asked.json()['id']}", f"withdrawals/{asked.json()['id']}/approve"):
        for method in ("POST", "PATCH", "DELETE"):
            assert outside.call(reviewer, method, path, {}).status_code in {404, 405}
    page = f"{outside.stack.url}/withdrawals/{asked.json()['id']}/approve/"
    refused = requests.post(page, headers={"Authorization": f"Bearer {reviewer}"}, timeout=10, allow_redirects=False)
    assert refused.status_code in {302, 403}
    one = outside.call(trader, "GET", f"withdrawals/{asked.json()['id']}").json()
    assert (one["state"], one["approvals"]) == ("pending_review", 0)


def test_a_viewers_every_write_answers_403_and_their_reads_do_not(outside: Outside) -> None:
    viewer, wish = outside.token("viewer", "read"), a_wish(outside)
    for method, path, body in (
        ("POST", "orders", wish), ("DELETE", f"orders/{uuid4()}", None), ("PATCH", f"orders/{uuid4()}", {"size": "1"}),
        ("POST", "orders/batch", {}), ("POST", "orders/cancel-all", {}), ("POST", "withdrawals", {}),
    ):  # fmt: skip
        answer = outside.call(viewer, method, path, body, **{"Idempotency-Key": str(uuid4())})
        assert (answer.status_code, set(answer.json())) == (403, {"error", "message"}), path
    assert outside.call(viewer, "GET", "orders").status_code == 200


def test_refusals_have_one_shape(outside: Outside, trader: str) -> None:
    url = f"{outside.stack.url}/api/v1"
    big = requests.post(
        f"{url}/orders", data=b"x" * 3_000_000, headers={"Authorization": f"Bearer {trader}"}, timeout=30
    )
    answers = {
        401: requests.get(f"{url}/accounts?token={trader}", timeout=10),
        404: outside.call(trader, "GET", f"orders/{uuid4()}"),
        405: outside.call(trader, "PUT", "accounts"),
        413: big,
        415: requests.post(f"{url}/orders", data="a=b", timeout=10, headers={"Authorization": f"Bearer {trader}",
                           "Content-Type": "application/x-www-form-urlencoded"}),
        422: outside.call(trader, "POST", "orders", {"symbol": "PF_XBTUSD"}, **{"Idempotency-Key": str(uuid4())}),
    }  # fmt: skip
    for status, answer in answers.items():
        assert answer.status_code == status, answer.text
        assert {"error", "message"} <= set(answer.json()) <= {"error", "message", "field"}


def test_the_document_tells_every_address_of_the_contract(outside: Outside) -> None:
    told = requests.get(f"{outside.stack.url}/api/v1/openapi.json", timeout=10).json()
    found = {
        f"{method.upper()} {path.removeprefix('/api/v1/')}" for path, one in told["paths"].items() for method in one
    }
    assert found == {
        "GET accounts", "GET wallets", "GET positions", "GET orders", "GET orders/{order_id}", "GET fills",
        "GET withdrawals", "GET withdrawals/{withdrawal_id}", "GET audit", "POST orders", "PATCH orders/{order_id}",
        "DELETE orders/{order_id}", "POST orders/batch", "POST orders/cancel-all", "POST withdrawals",
    }  # fmt: skip


def sent_raw(stack: Stack, head: str, *parts: bytes) -> bytes:
    """What comes back; the server may hang up before it has read everything."""
    with socket.create_connection(("127.0.0.1", stack.port), timeout=20) as line:
        with suppress(ConnectionError):
            line.sendall(f"POST /api/v1/orders HTTP/1.1\r\nHost: 127.0.0.1:{stack.port}\r\n{head}\r\n\r\n".encode())
            for part in parts:
                line.sendall(part)
        said = b""
        with suppress(ConnectionError):
            while piece := line.recv(4096):
                said += piece
        return said


def test_a_body_beyond_the_limit_is_refused_before_it_is_read(stack: Stack) -> None:
    assert sent_raw(stack, "Content-Length: 4000001").startswith(b"HTTP/1.1 413 ")


def test_a_body_that_does_not_say_its_length_is_cut_off(stack: Stack) -> None:
    part = b"%x\r\n%s\r\n" % (100_000, b"x" * 100_000)
    began = time.monotonic()
    said = sent_raw(stack, "Transfer-Encoding: chunked", *[part] * 400)  # ten times the limit
    assert said.startswith(b"HTTP/1.1 413 ") or said == b""  # hung up on while it was still talking
    assert b"too_large" not in said  # which would be a page's word, after reading everything
    assert time.monotonic() - began < 15
    assert requests.get(f"{stack.url}/healthz", timeout=5).text == "ok\n"


def test_a_body_within_the_limit_is_read(stack: Stack) -> None:
    answer = requests.post(f"{stack.url}/api/v1/orders", data=iter([b"x" * 900_000] * 2), timeout=20)
    assert answer.status_code in {401, 415}
