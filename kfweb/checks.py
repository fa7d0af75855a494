"""What this installation stands on, one check a thing: well or not, why, and the figures behind it.

A check reads what the rows and the store already say; it asks no venue. `kfweb.health` shows them to people and to
machines, `kfweb.metrics` counts them.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import Any

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import Count, Min
from django.utils import timezone

from accounts.broker import budget
from accounts.master_keys import master_keys
from accounts.models import ApiKey, Environment, KeyState, Withdrawal, WithdrawalStatus
from accounts.store import store as shared_store
from accounts.vault import VaultError
from kfweb.tasks import PULSE_LATE, pulse_age
from trading.live.latest import link_state
from trading.models import Order, OrderStatus, Sync

Check = dict[str, Any]

NEEDED = ("database", "store")  # without these no page is worth serving
SYNC_LATE = 300.0  # seconds
QUEUE_LONG = 500  # tasks waiting: minutes behind
CLOCK_APART = 2000  # milliseconds between the venue's clock and ours; orders carry a deadline by the venue's
DISK_LOW = 1_000_000_000  # bytes free
OVERDUE = 120.0  # seconds that an outcome may stay open before somebody should look


def run_checks() -> dict[str, Check]:
    return {name: attempt(check) for name, check in CHECKS.items()}


def attempt(check: Callable[[], Check]) -> Check:
    try:
        return check()
    except (DatabaseError, redis.RedisError) as problem:
        return {"ok": False, "why": f"could not be asked ({type(problem).__name__})"}


def verdict(checks: dict[str, Check]) -> str:
    """`ready`, `degraded` (pages are served, something is amiss) or `down`."""
    if all(check["ok"] for check in checks.values()):
        return "ready"
    return "degraded" if all(checks[name]["ok"] for name in NEEDED) else "down"


def database() -> Check:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return {"ok": True, "engine": connection.vendor}


def store() -> Check:
    shared_store().ping()
    return {"ok": True, "embedded": settings.EMBEDDED_STORE}


def worker() -> Check:
    age = pulse_age()
    if age is None:
        return {"ok": False, "why": "no worker has taken a task yet"}
    if age >= PULSE_LATE:
        return {"ok": False, "why": f"the last task was taken {age:.0f} s ago", "pulse_age_seconds": round(age, 1)}
    return {"ok": True, "pulse_age_seconds": round(age, 1)}


def queue() -> Check:
    """Tasks that wait for a worker."""
    waiting: int = shared_store().llen("celery")
    return {"ok": waiting < QUEUE_LONG, "waiting": waiting} | (
        {"why": f"{waiting} tasks wait"} if waiting >= QUEUE_LONG else {}
    )


def relay() -> Check:
    links = {environment: link_state(environment) for environment in environments()}
    silent = [f"{name}: {link['why']}" for name, link in links.items() if link["state"] != "live"]
    return {"ok": not silent, "links": links} | ({"why": "; ".join(silent)} if silent else {})


def environments() -> list[str]:
    """Those that a relay should be serving."""
    demo = [Environment.DEMO.value] if settings.DEMO_ENABLED else []
    real = ApiKey.objects.usable().filter(account__environment=Environment.PRODUCTION).exists()
    return [*demo, Environment.PRODUCTION.value] if real else demo


def clock() -> Check:
    """How far the real venue's clock is from ours. The demo exchange's clock may be moved on purpose: not judged."""
    apart = {name: link_state(name).get("clock_ms") for name in environments()}
    real = apart.get(Environment.PRODUCTION.value)
    off = real is not None and abs(real) > CLOCK_APART
    return {"ok": not off, "apart_ms": apart} | ({"why": f"the clocks are {real} ms apart"} if off else {})


def keys() -> Check:
    """Keys the venue refuses, and keys that no master key we hold can open."""
    failing = ApiKey.objects.filter(state=KeyState.FAILING).count()
    try:
        known = [key.id for key in master_keys()]
    except VaultError as problem:
        return {"ok": False, "failing": failing, "why": str(problem)}
    unreadable = ApiKey.objects.usable().exclude(master_key_id__in=known).count()
    troubles = [f"{failing} refused by the venue"] if failing else []
    troubles += [f"{unreadable} sealed with a master key that is not here"] if unreadable else []
    return {"ok": not troubles, "failing": failing, "unreadable": unreadable} | (
        {"why": ", ".join(troubles)} if troubles else {}
    )


def sync() -> Check:
    oldest = sync_ages()
    late = [stream for stream, age in oldest.items() if age >= SYNC_LATE]
    return {"ok": not late, "oldest_seconds": oldest} | ({"why": f"late: {', '.join(late)}"} if late else {})


def sync_ages() -> dict[str, float]:
    """Per stream, the age in seconds of the account that has waited longest, of those with a key that is in use."""
    now = timezone.now()
    followed = ApiKey.objects.filter(state=KeyState.ACTIVE).values("account")
    rows = (
        Sync.objects.filter(ok_at__isnull=False, account__in=followed).values("stream").annotate(oldest=Min("ok_at"))
    )
    return {row["stream"]: round((now - row["oldest"]).total_seconds(), 1) for row in rows}


def orders() -> Check:
    """Orders whose outcome is open; one that stays so for minutes is somebody's business."""
    uncertain = Order.objects.filter(status=OrderStatus.UNCERTAIN)
    oldest = _age(uncertain.aggregate(oldest=Min("created_at"))["oldest"])
    late = oldest > OVERDUE
    return {
        "ok": not late,
        "unsettled": Order.objects.unsettled().count(),
        "uncertain": uncertain.count(),
        "oldest_uncertain_seconds": oldest,
    } | ({"why": f"an order has been uncertain for {oldest:.0f} s"} if late else {})


def withdrawals() -> Check:
    """Uncertain ones wait for people; one that executes for minutes has lost its worker."""
    counts = withdrawal_counts()
    uncertain = counts.get(WithdrawalStatus.UNCERTAIN, 0)
    executing = Withdrawal.objects.filter(status=WithdrawalStatus.EXECUTING)
    stuck = _age(executing.aggregate(oldest=Min("executing_at"))["oldest"])
    troubles = [f"{uncertain} of unknown outcome wait for two people"] if uncertain else []
    troubles += [f"one has been executing for {stuck:.0f} s"] if stuck > OVERDUE else []
    return {"ok": not troubles, "uncertain": uncertain, "executing_seconds": stuck} | (
        {"why": ", ".join(troubles)} if troubles else {}
    )


def withdrawal_counts() -> dict[str, int]:
    return {row["status"]: row["count"] for row in Withdrawal.objects.values("status").annotate(count=Count("pk"))}


def disk() -> Check:
    free = shutil.disk_usage(settings.DATA_DIR).free
    low = free < DISK_LOW
    return {"ok": not low, "free_bytes": free} | ({"why": f"{free // 1_000_000} MB left"} if low else {})


def budgets() -> dict[int, int]:
    """Points left per usable key. Raises `StoreAway`."""
    return {key: budget(key).points for key in ApiKey.objects.usable().values_list("pk", flat=True)}


def _age(moment: Any) -> float:
    return 0.0 if moment is None else round((timezone.now() - moment).total_seconds(), 1)


CHECKS: dict[str, Callable[[], Check]] = {
    "database": database,
    "store": store,
    "worker": worker,
    "queue": queue,
    "relay": relay,
    "clock": clock,
    "keys": keys,
    "sync": sync,
    "orders": orders,
    "withdrawals": withdrawals,
    "disk": disk,
}
