"""Who may call what: signatures over the wire, permissions of every endpoint, nonces, budgets, and garbage."""

from __future__ import annotations

import socket
import time

import pytest
import requests

from demovenue.doors.server import route_table
from demovenue.doors.table import Family, Right
from tests.demovenue.shape import assert_shape
from tests.venue_process import DemoAccount, DemoKey, DemoVenue, authent

pytestmark = pytest.mark.venue
V3 = "/derivatives/api/v3"


def _routes(*rights: Right) -> list[tuple[str, str, Family]]:
    rows = [(method, path, route.family) for method, path, route in route_table().routes() if route.right in rights]
    return [
        (method, path.replace("{uid}", "x").replace("{symbol}", "PF_XBTUSD"), family) for method, path, family in rows
    ]


def _is_refused(answer: requests.Response, family: Family) -> bool:
    if family is Family.TRADING:
        return answer.status_code == 200 and answer.json().get("error") == "authenticationError"
    return answer.status_code == 401


@pytest.mark.parametrize(("method", "path", "family"), _routes(Right.READ, Right.FULL, Right.WITHDRAW, Right.ANY))
def test_no_private_call_answers_without_a_key(venue: DemoVenue, method: str, path: str, family: Family) -> None:
    assert _is_refused(venue.session.request(method, venue.url + path), family)


@pytest.mark.parametrize(("method", "path", "family"), _routes(Right.READ, Right.FULL, Right.WITHDRAW, Right.ANY))
def test_no_private_call_answers_a_wrong_secret(
    venue: DemoVenue, account: DemoAccount, method: str, path: str, family: Family
) -> None:
    wrong = DemoKey(account.key.public, "A" * 86 + "==")
    assert _is_refused(venue.call(wrong, method, path), family)


def test_what_a_read_only_key_may_do(venue: DemoVenue) -> None:
    key = venue.signup(general="read").key
    for method, path, family in _routes(Right.FULL, Right.WITHDRAW):
        assert _is_refused(venue.call(key, method, path), family), path
    for method, path, family in _routes(Right.READ, Right.ANY):
        if "unwindqueue" not in path and "greek" not in path:
            assert not _is_refused(venue.call(key, method, path), family), path


def test_a_key_without_general_access_may_only_be_checked_and_withdraw(venue: DemoVenue) -> None:
    key = venue.signup(general="none", withdrawal="full").key
    assert venue.v3(key, "GET", "accounts")["error"] == "authenticationError"
    assert venue.call(key, "GET", "/api/auth/v1/api-keys/v3/check").json()["permissions"] == {
        "general": "NO_ACCESS",
        "transfer": "FULL_ACCESS",
    }
    assert venue.v3(key, "POST", "withdrawal", currency="usd", amount="1")["result"] == "success"


def test_a_full_key_without_withdrawal_access_may_not_withdraw(venue: DemoVenue) -> None:
    key = venue.signup().key
    assert venue.v3(key, "POST", "withdrawal", currency="usd", amount="1")["error"] == "authenticationError"


def test_the_key_check(venue: DemoVenue, account: DemoAccount) -> None:
    answer = venue.call(account.key, "GET", "/api/auth/v1/api-keys/v3/check").json()
    assert_shape(answer, "rest_auth_api_keys_check")
    assert (answer["apiKey"], answer["accountUid"]) == (account.key.public, account.uid)
    refused = venue.get("/api/auth/v1/api-keys/v3/check")
    assert_shape(refused.json(), "rest_auth_api_keys_check_401")


def test_errors_of_authentication_have_the_recorded_shape(venue: DemoVenue) -> None:
    assert_shape(venue.get(f"{V3}/accounts").json(), "rest_error_authentication")
    assert_shape(venue.get("/api/history/v3/orders").json(), "history_error_unauthorized")


def test_parameters_verify_in_query_and_in_body(venue: DemoVenue, account: DemoAccount) -> None:
    for in_body in (True, False):
        for nonce in ("", str(time.time_ns() // 1_000_000)):
            answer = venue.call(
                account.key, "POST", f"{V3}/cancelallorders", {"symbol": "pf_xbtusd"}, nonce=nonce, in_body=in_body
            )
            assert answer.json()["result"] == "success"


def test_the_signature_covers_the_bytes_as_sent(venue: DemoVenue, account: DemoAccount) -> None:
    """Encoded in an unusual way, in an unusual order: nothing may be normalised before it is verified."""
    query = "symbol=PF%5fXBTUSD&&x=%41+b"
    signed = {"APIKey": account.key.public, "Authent": authent(account.key.private, query, "", f"{V3}/fills")}
    lines = [f"GET {V3}/fills?{query} HTTP/1.1", "Host: localhost", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in signed.items()]
    with socket.create_connection(("127.0.0.1", venue.port), timeout=5) as raw:
        raw.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        answer = b"".join(iter(lambda: raw.recv(65536), b""))
    assert b'"result":"success"' in answer


def test_nonces_over_the_wire(venue: DemoVenue, account: DemoAccount) -> None:
    def use(nonce: int) -> str | None:
        error: str | None = venue.call(account.key, "GET", f"{V3}/openorders", nonce=str(nonce)).json().get("error")
        return error

    now = time.time_ns() // 1_000_000
    assert use(now) is None
    assert use(now) == "nonceDuplicate"
    assert use(now - 5_000) is None
    assert use(now - 60_000) == "nonceBelowThreshold"
    other = venue.new_key(account)
    assert venue.call(other, "GET", f"{V3}/openorders", nonce=str(now)).json()["result"] == "success"


def test_a_wrong_signature_does_not_use_up_a_nonce(venue: DemoVenue, account: DemoAccount) -> None:
    wrong = DemoKey(account.key.public, "A" * 86 + "==")
    venue.call(wrong, "GET", f"{V3}/openorders", nonce="1795348800123")
    answer = venue.call(account.key, "GET", f"{V3}/openorders", nonce="1795348800123")
    assert answer.json()["result"] == "success"


def test_the_budget_of_an_account_runs_out_and_comes_back(venue: DemoVenue, account: DemoAccount) -> None:
    other = venue.new_key(account)
    first, second = (venue.v3(account.key, "GET", "unwindqueue") for _ in range(2))
    assert first["result"] == second["result"] == "success"
    refused = venue.v3(other, "GET", "unwindqueue")
    assert refused["error"] == "apiLimitExceeded"
    assert_shape(refused, "rest_error_rate_limit")
    assert venue.v3(venue.signup().key, "GET", "unwindqueue")["result"] == "success"
    time.sleep(2.2)
    assert venue.v3(other, "GET", "unwindqueue")["result"] == "success"


def test_the_history_pool_runs_out(venue: DemoVenue, account: DemoAccount) -> None:
    path = "/api/history/v3/account-log"
    answers = [venue.call(account.key, "GET", path, {"count": 100_000}) for _ in range(11)]
    assert [one.status_code for one in answers] == [200] * 10 + [429]
    assert int(answers[-1].headers["rate-limit-reset"]) > 0
    assert answers[-1].headers["Content-Type"].startswith("text/plain")
    assert venue.v3(account.key, "GET", "accounts")["result"] == "success"


def test_a_revoked_key_is_no_key(venue: DemoVenue, account: DemoAccount) -> None:
    spare = venue.new_key(account)
    assert venue.v3(spare, "GET", "accounts")["result"] == "success"
    venue.control("DELETE", f"/demo/keys/{spare.public}", None, account)
    assert venue.v3(spare, "GET", "accounts")["error"] == "authenticationError"


@pytest.mark.parametrize(
    "body",
    [
        b"\xff\xfe\x00",
        b"size=%ff&symbol=PF_XBTUSD",
        b"&" * 5000,
        b"json={",
        b"orderType=lmt" + b"&a=b" * 3000,
        b"=" * 50,
    ],
)
def test_garbage_is_refused_in_krakens_words(venue: DemoVenue, account: DemoAccount, body: bytes) -> None:
    for path in (f"{V3}/sendorder", f"{V3}/batchorder"):
        signature = authent_of(account, body, path)
        headers = {"APIKey": account.key.public, "Authent": signature}
        answer = venue.session.post(venue.url + path, data=body, headers=headers, timeout=10)
        assert answer.status_code in (200, 400)
        assert answer.json()["result"] == "error"


def authent_of(account: DemoAccount, body: bytes, path: str) -> str:
    from demovenue.doors.signatures import decode_secret, sign

    return sign(decode_secret(account.key.private), post_data=body, nonce="", path=path)


def test_a_huge_body_is_refused(venue: DemoVenue, account: DemoAccount) -> None:
    answer = requests.post(venue.url + f"{V3}/sendorder", data=b"x" * 3_000_000, timeout=10)
    assert answer.status_code == 413


def test_strange_headers_and_paths_do_not_break_it(venue: DemoVenue, account: DemoAccount) -> None:
    odd = {"APIKey": account.key.public, "Authent": "\u00fc".encode().decode("latin-1"), "Nonce": "x" * 500}
    assert venue.session.get(f"{venue.url}{V3}/accounts", headers=odd).json()["error"] == "authenticationError"
    for path in (f"{V3}/tickers/%00", f"{V3}/tickers/%ff", f"{V3}/..%2f..%2fetc", "/api/charts/v1/trade/%ff/1m"):
        assert venue.session.get(venue.url + path).status_code in (400, 404)
    assert "Traceback" not in venue.log.read_text()
