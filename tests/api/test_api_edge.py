"""Whatever goes wrong, the API says it in one shape, and lists come in pieces that fit together."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.models import AuditRow, Desk, User
from accounts.throttle import Allowance, wait_for
from tests.api.calling import ORDER, Caller, assert_problem
from tests.trading.furnished import demo_account, furnish, list_instruments, order
from trading.api.document import schema
from trading.models import Fill, Order


@pytest.fixture
def bot(desk: Desk, trader: User) -> Caller:
    return Caller(trader, desk)


@pytest.mark.parametrize(
    "path", ["nothing", "accounts/", "orders/17", "", "../v2/accounts", "/api/nothing", "/api/v1"]
)
def test_an_unknown_address_is_a_404_in_json(bot: Caller, path: str) -> None:
    assert_problem(bot.get(path), 404, "not_found")


@pytest.mark.parametrize(
    ("method", "path"), [("PUT", "orders"), ("DELETE", "accounts"), ("POST", "fills"), ("HEAD", "audit")]
)
def test_a_method_an_address_does_not_take_is_a_405(bot: Caller, method: str, path: str) -> None:
    answer = bot.ask(method, path)
    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]
    assert method == "HEAD" or answer.json()["error"] == "method"


def test_a_body_that_is_no_json_is_a_400(bot: Caller) -> None:
    headers = {"Authorization": f"Bearer {bot.text}", "Idempotency-Key": "x"}
    answer = bot.client.post("/api/v1/orders", "{", content_type="application/json", headers=headers)
    assert_problem(answer, 400, "unreadable")


def test_a_body_of_another_kind_is_a_415(bot: Caller) -> None:
    headers = {"Authorization": f"Bearer {bot.text}", "Idempotency-Key": "x"}
    for kind in ("application/x-www-form-urlencoded", "text/plain", "application/xml"):
        answer = bot.client.post("/api/v1/orders", json.dumps(ORDER), content_type=kind, headers=headers)
        assert_problem(answer, 415, "media_type")


def test_a_body_that_is_too_large_is_a_413(bot: Caller, settings: Settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    assert_problem(bot.ask("POST", "orders", {"symbol": "x" * 1000}), 413, "too_large")


def test_a_query_nobody_knows_is_refused_rather_than_overlooked(bot: Caller) -> None:
    assert_problem(bot.get("orders?status=open"), 422, "invalid", "status")
    assert_problem(bot.get("orders?limit=0"), 422, "invalid", "limit")
    assert_problem(bot.get("orders?state=lost"), 422, "invalid", "state")


@pytest.mark.parametrize("cursor", ["x", "WyIxIl0", "W10", "bnVsbA", "WyJ4IiwieCJd", "%00", "a" * 299])
def test_a_cursor_that_is_not_ours_is_refused(bot: Caller, cursor: str) -> None:
    for path in ("accounts", "orders", "fills", "audit", "positions"):
        answer = bot.get(f"{path}?cursor={cursor}")
        if path == "audit" and cursor == "WyIxIl0":  # ["1"], which is one of the book
            continue
        assert_problem(answer, 422, "invalid", "cursor")


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Basic abc", "Bearer kfw_" + "x" * 43, "Bearer " + "y" * 9000]
)
def test_without_a_token_that_opens_nothing_is_told(db: None, header: str) -> None:
    answer = Client().get("/api/v1/accounts", headers={"Authorization": header})
    assert_problem(answer, 401, "unauthorized")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_too_many_calls_answer_429_and_when_to_come_again(bot: Caller, settings: Settings, owner: User) -> None:
    settings.API_CALLS_PER_MINUTE = 10
    answers = [bot.get("accounts") for _ in range(7)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 2
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 12
    assert_problem(answers[-1], 429, "too_many_calls")
    assert Caller(owner, bot.token.desk).get("accounts").status_code == 200  # another token has its own


def test_a_bucket_leaks_at_its_pace(db: None) -> None:
    slow = Allowance(burst=2, per_minute=60)
    assert [wait_for("somebody", slow) for _ in range(2)] == [0, 0]
    assert 0.5 < wait_for("somebody", slow) <= 1
    assert wait_for("somebody else", slow) == 0


def test_without_the_store_nobody_is_counted_and_calls_go_on(
    bot: Caller, settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from accounts.store import store

    store.cache_clear()
    settings.REDIS_URL = f"unix://{tmp_path}/nobody"
    assert bot.get("accounts").status_code == 200
    store.cache_clear()


def test_a_failure_of_ours_says_nothing_of_our_insides(bot: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db.models.query import QuerySet

    def broken(_self: object) -> object:
        raise RuntimeError("the insides: kfw_secret /srv/kfweb")

    monkeypatch.setattr(QuerySet, "__iter__", broken)
    answer = bot.get("accounts")
    monkeypatch.undo()
    assert_problem(answer, 500, "failed")
    assert b"insides" not in answer.content


def test_no_answer_is_kept_by_a_cache_and_no_cookie_is_set(bot: Caller) -> None:
    for answer in (bot.get("accounts"), bot.get("nothing"), Client().get("/api/v1/audit")):
        assert answer.headers["Cache-Control"] == "no-store"
        assert not answer.cookies


def test_pieces_of_a_list_fit_together_also_where_times_are_alike(bot: Caller, desk: Desk, owner: User) -> None:
    account = demo_account(desk, owner)
    at = datetime(2026, 11, 1, tzinfo=UTC)
    for number in range(7):
        made = order(account, owner, client_order_id=uuid4().hex)
        Order.objects.filter(pk=made.pk).update(created_at=at + timedelta(seconds=number // 3))
        Fill.objects.create(
            account=account, venue_fill_id=f"f{number}", venue_order_id="o", symbol="PF_XBTUSD", side="buy",
            size=Decimal(1), price=Decimal(2), at=at + timedelta(seconds=number // 3), kind="maker",
        )  # fmt: skip
    for path, rows in (
        ("orders", Order.objects.all()),
        ("fills", Fill.objects.all()),
        ("audit", AuditRow.objects.all()),
    ):
        whole = [row["id"] if path != "audit" else row["number"] for row in bot.items(f"{path}?limit=500")]
        parts = [row["id"] if path != "audit" else row["number"] for row in bot.items(f"{path}?limit=2")]
        assert parts == whole
        assert len(whole) == len(set(whole)) == rows.count()


def test_decimals_are_text_and_times_are_utc(bot: Caller, desk: Desk, owner: User) -> None:
    list_instruments(count=3)
    furnish(demo_account(desk, owner, "Ours"), owner)
    wallet, position, fill = (bot.items(path)[0] for path in ("wallets", "positions", "fills"))
    assert wallet["margin_accounts"][0]["portfolio_value"] == "0.40059700937360515"  # to the last digit
    assert wallet["flex"]["margin_equity"] == "33438.82"
    assert isinstance(position["entry"], str)
    assert fill["at"].endswith("Z")
    for row in (wallet, position, fill):
        assert not any(isinstance(value, float) for value in row.values())


def test_the_accounts_shape_is_the_contracts(bot: Caller, desk: Desk, owner: User) -> None:
    account = demo_account(desk, owner, "Ours")
    [told] = bot.items("accounts")
    assert told == {"id": account.pk, "label": "Ours", "environment": "demo", "demo_email": None}


def test_the_document_is_open_and_knows_every_refusal(db: None) -> None:
    answer = Client().get("/api/v1/openapi.json")
    assert answer.status_code == 200
    told = answer.json()
    assert told == json.loads(json.dumps(schema()))
    assert told["openapi"].startswith("3.1")
    for path in told["paths"].values():
        for one in path.values():
            assert {"401", "403", "404", "422", "429"} <= one["responses"].keys()
            assert one["security"] == [{"TokenAuth": []}]
