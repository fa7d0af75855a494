"""The /demo calls of the contract: people, keys, faucet, clock, prices, scenarios; and who may not call them."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.venue_process import DemoAccount, DemoKey, DemoVenue, start_demovenue

pytestmark = pytest.mark.venue


def _post(venue: DemoVenue, path: str, body: Any, account: DemoAccount | None = None, **headers: str) -> Any:
    auth = None if account is None else account.basic
    return venue.session.post(venue.url + path, json=body, auth=auth, headers=headers, timeout=10)


def test_signing_up_needs_the_terms(venue: DemoVenue) -> None:
    assert _post(venue, "/demo/signup", {}).status_code == 400
    assert _post(venue, "/demo/signup", {"accept_terms": "yes"}).status_code == 400
    made = _post(venue, "/demo/signup", {"accept_terms": True}).json()
    assert made.keys() == {"email", "password", "account_uid"}


def test_a_new_account_has_money(venue: DemoVenue) -> None:
    accounts = venue.v3(venue.signup().key, "GET", "accounts")["accounts"]
    assert accounts["flex"]["availableMargin"] > 0
    assert Decimal(accounts["fi_xbtusd"]["balances"]["xbt"]) > 0


def test_keys_are_listed_without_secrets_and_revoked(venue: DemoVenue, account: DemoAccount) -> None:
    made = _post(venue, "/demo/keys", {"general": "read", "withdrawal": "none"}, account).json()
    assert made["private_key"]
    listed = venue.session.get(venue.url + "/demo/keys", auth=account.basic)
    assert {one["public_key"] for one in listed.json()["keys"]} == {account.key.public, made["public_key"]}
    assert made["private_key"] not in listed.text
    assert account.key.private not in listed.text
    path = f"{venue.url}/demo/keys/{made['public_key']}"
    assert venue.session.delete(path, auth=venue.signup().basic).status_code == 404
    assert venue.session.delete(path, auth=account.basic).status_code == 200
    assert venue.session.delete(path, auth=account.basic).status_code == 404


def test_a_key_with_slashes_can_be_revoked_in_either_spelling(venue: DemoVenue, account: DemoAccount) -> None:
    made: list[DemoKey] = []
    while not any("/" in key.public for key in made):
        made.append(venue.new_key(account))
    key = next(key for key in made if "/" in key.public)
    encoded = key.public.replace("/", "%2F").replace("+", "%2B")
    assert venue.session.delete(f"{venue.url}/demo/keys/{encoded}", auth=account.basic).status_code == 200


def test_an_account_has_fifty_keys_at_most(venue: DemoVenue) -> None:
    account = venue.signup()
    for _ in range(49):
        venue.new_key(account)
    refused = _post(venue, "/demo/keys", {}, account)
    assert (refused.status_code, refused.json()["error"]) == (400, "tooManyKeys")


@pytest.mark.parametrize("body", [{"general": "all"}, {"withdrawal": "read"}, {"general": 7}], ids=str)
def test_a_permission_that_does_not_exist(venue: DemoVenue, account: DemoAccount, body: dict[str, Any]) -> None:
    assert _post(venue, "/demo/keys", body, account).status_code == 400


@pytest.mark.parametrize("path", ["/demo/keys", "/demo/ledger"])
def test_the_private_calls_need_the_right_password(venue: DemoVenue, account: DemoAccount, path: str) -> None:
    for auth in (None, (account.email, "wrong"), ("nobody@example.test", account.password), (account.email, "")):
        answer = venue.session.get(venue.url + path, auth=auth)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Basic")


def test_the_faucet(venue: DemoVenue, account: DemoAccount) -> None:
    poured = _post(venue, "/demo/fund", {"wallet": "fi_xbtusd", "currency": "XBT", "amount": "0.5"}, account).json()
    assert poured.keys() == {"wallet", "currency", "balance"}
    balances = venue.v3(account.key, "GET", "accounts")["accounts"]["fi_xbtusd"]["balances"]
    assert balances["xbt"] == poured["balance"]
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"wallet": "nosuch", "currency": "usd", "amount": "1"}, "invalidAccount"),
        ({"wallet": "fi_xbtusd", "currency": "usd", "amount": "1"}, "invalidUnit"),
        ({"wallet": "flex", "currency": "usd", "amount": "-1"}, "invalidAmount"),
        ({"wallet": "flex", "currency": "usd"}, "invalid"),
        ({"wallet": "flex", "currency": "usd", "amount": "NaN"}, "invalid"),
    ]
    for body, error in wrong:
        answer = _post(venue, "/demo/fund", body, account)
        assert (answer.status_code, answer.json()["error"]) == (400, error)


def test_a_price_is_moved_held_and_released(venue: DemoVenue) -> None:
    before = venue.ticker("PF_LTCUSD")["markPrice"]
    moved = venue.mark("PF_LTCUSD", percent="-10")
    assert Decimal(moved["mark"]) == pytest.approx(Decimal(str(before)) * Decimal("0.9"), rel=Decimal("0.005"))
    assert venue.ticker("PF_LTCUSD")["markPrice"] == pytest.approx(float(moved["mark"]), rel=0.002)
    assert Decimal(venue.mark("PF_LTCUSD", price=str(before))["mark"]) == pytest.approx(Decimal(str(before)))
    venue.control("DELETE", "/demo/mark")
    for body in ({"symbol": "PF_LTCUSD"}, {"symbol": "NOSUCH", "percent": 1}, {"symbol": "PF_LTCUSD", "price": "x"}):
        assert _post(venue, "/demo/mark", body).status_code == 400


def test_a_market_is_suspended_and_made_post_only(venue: DemoVenue, account: DemoAccount) -> None:
    price = int(venue.ticker("PF_SOLUSD")["markPrice"])
    wish = {"orderType": "lmt", "symbol": "PF_SOLUSD", "side": "buy", "size": "1", "limitPrice": price}
    _post(venue, "/demo/market", {"symbol": "PF_SOLUSD", "suspended": True})
    assert venue.ticker("PF_SOLUSD")["suspended"] is True
    assert venue.order(account.key, **wish)["status"] == "marketSuspended"
    _post(venue, "/demo/market", {"symbol": "PF_SOLUSD", "suspended": False, "post_only": True})
    assert venue.order(account.key, **wish | {"limitPrice": price + 5})["status"] == "marketIsPostOnly"
    rows = venue.get("/derivatives/api/v3/instruments").json()["instruments"]
    assert [row["symbol"] for row in rows if row["postOnly"]] == ["PF_SOLUSD"]
    _post(venue, "/demo/market", {"symbol": "PF_SOLUSD", "post_only": False})


def test_the_same_site_only(venue: DemoVenue) -> None:
    foreign = _post(venue, "/demo/signup", {"accept_terms": True}, Origin="https://evil.example")
    assert foreign.status_code == 403
    rebound = _post(venue, "/demo/signup", {"accept_terms": True}, Host="evil.example", Origin="http://evil.example")
    assert rebound.status_code == 403
    own = _post(venue, "/demo/signup", {"accept_terms": True}, Origin=venue.url)
    assert own.status_code == 200


@pytest.mark.parametrize("body", [b"{", b"[1]", b"\xff", b"[" * 100_000, b'{"accept_terms": NaN}'])
def test_a_body_that_is_no_object(venue: DemoVenue, body: bytes) -> None:
    answer = venue.session.post(venue.url + "/demo/signup", data=body)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid")


def test_a_clock_that_advances_and_scenarios(tmp_path_factory: pytest.TempPathFactory) -> None:
    venue = start_demovenue(tmp_path_factory.mktemp("clock"), start="2026-11-20T12:00:00Z")
    try:
        account = venue.signup()
        before = venue.control("GET", "/demo/clock")
        assert before["now"].startswith("2026-11-20T12:0")
        venue.order(account.key, orderType="mkt", symbol="PF_XBTUSD", side="buy", size="0.5")
        after = venue.control("POST", "/demo/clock", {"advance": 2 * 3600})
        passed = datetime.fromisoformat(after["now"]) - datetime.fromisoformat(before["now"])
        assert passed.total_seconds() == pytest.approx(7200, abs=20)
        log = venue.call(account.key, "GET", "/api/history/v3/account-log").json()["logs"]
        assert sum(row["info"] == "funding rate change" for row in log) == 2
        assert venue.control("POST", "/demo/clock", {"speed": 10})["speed"] == "10"
        for scenario in ("gap", "freeze", "crash", "liquidate_me", "release", "maintenance", "slow", "drop", "calm"):
            assert venue.control("POST", "/demo/scenario", {"scenario": scenario}, account)["done"]
        assert venue.faults() == []
        assert venue.v3(account.key, "GET", "notifications")["notifications"][0]["type"] == "maintenance"
        for body in ({}, {"advance": -1}, {"speed": 5000}, {"speed": 1, "advance": 1}):
            assert _post(venue, "/demo/clock", body).status_code == 400
    finally:
        assert venue.stop() == 0


def test_liquidate_me_does(tmp_path_factory: pytest.TempPathFactory) -> None:
    venue = start_demovenue(tmp_path_factory.mktemp("liquidation"))
    try:
        account = venue.signup()
        venue.order(account.key, orderType="mkt", symbol="PI_XBTUSD", side="buy", size=20_000)
        said = venue.control("POST", "/demo/scenario", {"scenario": "liquidate_me"}, account)["done"]
        assert "PI_XBTUSD" in said
        for _ in range(50):
            fills = venue.v3(account.key, "GET", "fills")["fills"]
            if {"liquidation", "unwindBankrupt", "assignor"} & {one["fillType"] for one in fills}:
                break
        else:
            pytest.fail("nothing was liquidated")
    finally:
        venue.stop()


def test_control_is_off_beyond_loopback_unless_allowed(tmp_path_factory: pytest.TempPathFactory) -> None:
    closed = start_demovenue(tmp_path_factory.mktemp("closed"), options=("--host", "0.0.0.0"))
    try:
        assert closed.get("/derivatives/api/v3/tickers").status_code == 200
        for method, path in (("POST", "/demo/signup"), ("GET", "/demo/faults"), ("POST", "/demo/clock")):
            answer = closed.session.request(method, closed.url + path, json={"accept_terms": True})
            assert answer.status_code == 404
    finally:
        closed.stop()
    options = ("--host", "0.0.0.0", "--allow-control")
    opened = start_demovenue(tmp_path_factory.mktemp("opened"), options=options)
    try:
        assert opened.signup().uid
    finally:
        opened.stop()
