"""`/metrics`: Prometheus text for permitted addresses.

Counted from the database and the store at every scrape, so that many processes agree and a restart loses nothing.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Iterator

import redis
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError
from django.db.models import Count
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden
from django.views.decorators.cache import never_cache
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily

from accounts.broker import StoreAway
from kfweb.checks import attempt, budgets, environments, queue, run_checks, sync_ages, withdrawal_counts
from trading.live.crowd import browsers
from trading.live.latest import link_state
from trading.models import Order

Family = GaugeMetricFamily


@login_not_required
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    if not may_read(request.META.get("REMOTE_ADDR", "")):
        return HttpResponseForbidden("Not from this address. KFWEB_METRICS_FROM lists who may.\n")
    registry = CollectorRegistry()
    registry.register(Counted())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def may_read(address: str) -> bool:
    try:
        caller = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(caller in ipaddress.ip_network(network) for network in settings.METRICS_FROM)


class Counted:
    """What the library asks for at a scrape."""

    def collect(self) -> Iterator[Family]:
        up = Family("kfweb_check_ok", "1 when the check passes", labels=["check"])
        for name, check in run_checks().items():
            up.add_metric([name], check["ok"])
        yield up
        for part in (from_database, from_store):
            try:
                yield from part()
            except (DatabaseError, redis.RedisError, StoreAway):
                continue  # its check above says 0; a figure that is not known is left out, not made up


def from_database() -> Iterator[Family]:
    lag = Family("kfweb_sync_age_seconds", "Age of the account that has waited longest", labels=["stream"])
    for stream, age in sync_ages().items():
        lag.add_metric([stream], age)
    yield lag
    states = Family("kfweb_orders", "Orders by state", labels=["state"])
    for row in Order.objects.values("status").annotate(count=Count("pk")):
        states.add_metric([row["status"]], row["count"])
    yield states
    withdrawn = Family("kfweb_withdrawals", "Withdrawals by state", labels=["state"])
    for status, count in withdrawal_counts().items():
        withdrawn.add_metric([status], count)
    yield withdrawn


def from_store() -> Iterator[Family]:
    now = time.time() * 1000
    feed = Family("kfweb_feed_age_seconds", "Since the exchange last said anything", labels=["environment"])
    relay = Family("kfweb_relay_age_seconds", "Since the relay last spoke", labels=["environment"])
    clock = Family("kfweb_clock_apart_seconds", "Our clock minus the exchange's, at least", labels=["environment"])
    for environment in environments():
        link = link_state(environment)
        for family, moment in ((feed, link["heard_at"]), (relay, link["relay_at"])):
            if moment is not None:
                family.add_metric([environment], max(now - moment, 0) / 1000)
        if link.get("clock_ms") is not None:
            clock.add_metric([environment], link["clock_ms"] / 1000)
    yield from (feed, relay, clock)
    left = Family("kfweb_budget_points", "Points left of the rate budget", labels=["key"])
    for key, points in budgets().items():
        left.add_metric([str(key)], points)
    yield left
    waiting = attempt(queue)
    if "waiting" in waiting:
        yield Family("kfweb_queue_tasks", "Tasks that wait for a worker", value=waiting["waiting"])
    sockets = Family("kfweb_browser_sockets", "Browser sockets", labels=["web"])
    for web, count in browsers().items():
        sockets.add_metric([web], count)
    yield sockets
