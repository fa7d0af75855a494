"""What an installation says of itself: to machines, and to a tired person."""

from __future__ import annotations

import json
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
from django.conf import settings as desk_settings
from django.test import Client
from django.utils import timezone

from accounts.models import ApiKey, Desk, User
from kfweb.advice import ADVICE
from kfweb.checks import CHECKS, QUEUE_LONG
from tests.accounts.conftest import plain_static_files  # noqa: F401 - pages without collected files
from tests.trading.furnished import demo_account, order
from trading.live.streams import key
from trading.models import OrderStatus, Sync

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.django_db


@pytest.fixture
def store() -> redis.Redis:
    return redis.Redis.from_url(desk_settings.REDIS_URL)


def link(store: redis.Redis, environment: str = "demo", **changes: Any) -> None:
    now = int(time.time() * 1000)
    said = {"state": "live", "heard_at": now, "why": "", "relay_at": now, "healed": 0, "clock_ms": 12, **changes}
    store.set(key(environment, "link"), json.dumps(said))


def all_well(store: redis.Redis) -> None:
    link(store)
    store.set("kfweb:pulse", repr(time.time()))


def ready(client: Client) -> tuple[int, dict[str, Any]]:
    answer = client.get("/readyz")
    return answer.status_code, answer.json()


def test_every_check_has_advice_and_a_chapter_in_the_runbook() -> None:
    runbook = (ROOT / "docs" / "runbook.md").read_text()
    assert CHECKS.keys() == ADVICE.keys()
    assert [name for name in CHECKS if f"\n## {name}\n" not in runbook] == []


def test_all_is_well_when_everybody_lives(client: Client, store: redis.Redis) -> None:
    all_well(store)
    code, said = ready(client)
    assert (code, said["status"]) == (200, "ready"), said


def test_a_dead_worker_a_silent_relay_and_a_long_queue_are_each_named_and_pages_are_still_served(
    client: Client, store: redis.Redis
) -> None:
    store.set("kfweb:pulse", repr(time.time() - 60))
    link(store, state="stale", why="the exchange says nothing")
    store.rpush("celery", *["x"] * QUEUE_LONG)
    code, said = ready(client)
    assert (code, said["status"]) == (200, "degraded")
    amiss = {name: check["why"] for name, check in said["checks"].items() if not check["ok"]}
    assert amiss == {
        "worker": "the last task was taken 60 s ago",
        "relay": "demo: the exchange says nothing",
        "queue": f"{QUEUE_LONG} tasks wait",
    }


def test_without_a_store_the_desk_is_down_and_says_so(client: Client, settings: Any) -> None:
    from accounts.store import store as shared

    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    shared.cache_clear()
    try:
        code, said = ready(client)
    finally:
        shared.cache_clear()
    assert (code, said["status"]) == (503, "down")
    assert said["checks"]["store"]["why"] == "could not be asked (ConnectionError)"


def test_the_real_venues_clock_is_judged_and_the_demos_is_not(
    client: Client, store: redis.Redis, desk: Desk, owner: User
) -> None:
    all_well(store)
    link(store, clock_ms=90_000_000)
    assert ready(client)[1]["checks"]["clock"]["ok"]
    account = demo_account(desk, owner)
    account.environment = "production"
    account.save()
    link(store, "production", clock_ms=-2600)
    assert ready(client)[1]["checks"]["clock"]["why"] == "the clocks are -2600 ms apart"


def test_a_key_that_no_master_key_opens_is_found(client: Client, store: redis.Redis, desk: Desk, owner: User) -> None:
    all_well(store)
    demo_account(desk, owner)
    ApiKey.objects.update(master_key_id="lost")
    check = ready(client)[1]["checks"]["keys"]
    assert (check["ok"], check["unreadable"]) == (False, 1)


def test_an_order_that_stays_uncertain_becomes_somebodys_business(
    client: Client, store: redis.Redis, desk: Desk, owner: User
) -> None:
    all_well(store)
    uncertain = order(demo_account(desk, owner), owner, status=OrderStatus.UNCERTAIN)
    assert ready(client)[1]["checks"]["orders"]["ok"]
    type(uncertain).objects.update(created_at=timezone.now() - timedelta(seconds=300))
    assert "uncertain for 300 s" in ready(client)[1]["checks"]["orders"]["why"]


def test_a_sync_that_is_late_is_named_and_one_without_a_key_is_nobodys_business(
    client: Client, store: redis.Redis, desk: Desk, owner: User
) -> None:
    all_well(store)
    account = demo_account(desk, owner)
    ApiKey.objects.update(master_key_id="")
    Sync.objects.create(account=account, stream="fills", ok_at=timezone.now() - timedelta(hours=1))
    assert ready(client)[1]["checks"]["sync"]["why"] == "late: fills"
    ApiKey.objects.update(state="retired")
    assert ready(client)[1]["checks"]["sync"]["ok"]


def test_metrics_name_every_figure_the_alert_rules_use(
    client: Client, store: redis.Redis, desk: Desk, owner: User
) -> None:
    all_well(store)
    account = demo_account(desk, owner)
    order(account, owner)
    Sync.objects.create(account=account, stream="fills", ok_at=timezone.now())
    store.set("kfweb:live:crowd:here:7", 3)
    answer = client.get("/metrics")
    assert answer.status_code == 200
    text = answer.content.decode()
    rules = (ROOT / "docs" / "operations" / "alert-rules.yml").read_text()
    board = (ROOT / "docs" / "operations" / "grafana.json").read_text()
    names = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")}
    used = {word for words in (rules, board) for word in _metric_names(words)}
    assert used
    assert used <= names, used - names
    assert 'kfweb_browser_sockets{web="here:7"} 3.0' in text
    assert 'kfweb_orders{state="open"} 1.0' in text
    assert 'kfweb_check_ok{check="relay"} 1.0' in text


def _metric_names(text: str) -> set[str]:
    import re

    return set(re.findall(r"\bkfweb_[a-z_]+\b", text))


def test_metrics_are_for_permitted_addresses_only(client: Client, settings: Any) -> None:
    settings.METRICS_FROM = ["10.0.0.0/8"]
    assert client.get("/metrics").status_code == 403


def test_the_status_page_says_what_is_amiss_what_people_notice_and_what_to_do(
    client: Client, store: redis.Redis, owner: User
) -> None:
    link(store)
    client.force_login(owner)
    page = client.get("/status/").content.decode()
    assert "The desk works, but 1 thing needs a look" in page
    assert "No worker has taken a task yet." in page
    assert ADVICE["worker"].do in page
    all_well(store)
    assert "All is well" in client.get("/status/").content.decode()


def test_a_trader_does_not_see_the_status_page(client: Client, trader: User) -> None:
    client.force_login(trader)
    assert client.get("/status/").status_code == 403
