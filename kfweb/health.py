"""Is it alive, is it ready, and how late is each part: for people at 3 a.m. and for the machines that watch."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import Any

import redis
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.db.models import Count, Min
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest

from accounts.models import ApiKey, KeyState
from kfweb.tasks import PULSE_LATE, pulse_age
from trading.live.latest import link_state
from trading.models import Order, Sync

Check = dict[str, Any]
NEEDED = ("database", "store")  # without these no page is worth serving


@login_not_required
@never_cache
def live(_request: HttpRequest) -> HttpResponse:
    """The process answers. Says nothing of what it depends on."""
    return HttpResponse("ok\n", content_type="text/plain")


@login_not_required
@never_cache
def ready(_request: HttpRequest) -> JsonResponse:
    """Each dependency with its lag. 503 when the database or the store is missing; the rest is told, not fatal."""
    checks = {name: attempt(check) for name, check in CHECKS.items()}
    serving = all(checks[name]["ok"] for name in NEEDED)
    word = "ready" if all(check["ok"] for check in checks.values()) else "degraded" if serving else "down"
    return JsonResponse({"status": word, "checks": checks}, status=200 if serving else 503)


def attempt(check: Callable[[], Check]) -> Check:
    try:
        return check()
    except (DatabaseError, redis.RedisError) as problem:
        return {"ok": False, "why": type(problem).__name__}


def database() -> Check:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return {"ok": True, "engine": connection.vendor}


def store() -> Check:
    with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2) as client:
        client.ping()
    return {"ok": True, "embedded": settings.EMBEDDED_STORE}


def worker() -> Check:
    age = pulse_age()
    if age is None:
        return {"ok": False, "why": "no worker has taken a task yet"}
    return {"ok": age < PULSE_LATE, "pulse_age_seconds": round(age, 1)}


def relay() -> Check:
    environments = ["demo"] if settings.DEMO_ENABLED else ["production"]
    links = {environment: link_state(environment) for environment in environments}
    return {"ok": all(link["state"] == "live" for link in links.values()), "links": links}


def keys() -> Check:
    failing = ApiKey.objects.filter(state=KeyState.FAILING).count()
    return {"ok": not failing, "failing": failing}


def sync() -> Check:
    oldest = sync_ages()
    return {"ok": all(age < 300 for age in oldest.values()), "oldest_seconds": oldest}


def sync_ages() -> dict[str, float]:
    """Per stream, the age in seconds of the account that has waited longest."""
    now = timezone.now()
    rows = Sync.objects.filter(ok_at__isnull=False).values("stream").annotate(oldest=Min("ok_at"))
    return {row["stream"]: round((now - row["oldest"]).total_seconds(), 1) for row in rows}


def orders() -> Check:
    unsettled = Order.objects.unsettled().count()
    return {"ok": True, "unsettled": unsettled}


CHECKS: dict[str, Callable[[], Check]] = {
    "database": database,
    "store": store,
    "worker": worker,
    "relay": relay,
    "keys": keys,
    "sync": sync,
    "orders": orders,
}


@login_not_required
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus text, for the addresses in KFWEB_METRICS_FROM."""
    if not may_read_metrics(request.META.get("REMOTE_ADDR", "")):
        return HttpResponseForbidden("Not from this address. KFWEB_METRICS_FROM lists who may.\n")
    registry = CollectorRegistry()
    up = Gauge("kfweb_check_ok", "1 when the check passes", ["check"], registry=registry)
    for name, check in CHECKS.items():
        up.labels(name).set(attempt(check)["ok"])
    lag = Gauge("kfweb_sync_age_seconds", "Age of the account that has waited longest", ["stream"], registry=registry)
    for stream, age in sync_ages().items():
        lag.labels(stream).set(age)
    states = Gauge("kfweb_orders", "Orders by state", ["state"], registry=registry)
    for row in Order.objects.values("status").annotate(count=Count("pk")):
        states.labels(row["status"]).set(row["count"])
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def may_read_metrics(address: str) -> bool:
    try:
        caller = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(caller in ipaddress.ip_network(network) for network in settings.METRICS_FROM)
