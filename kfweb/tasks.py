"""The pulse: beat sends it, a worker takes it. Its age says whether both live."""

from __future__ import annotations

import time

import redis
from celery import shared_task
from django.conf import settings

from trading.actions import alerting, equity
from trading.live.latest import latest_tickers, link_state

PULSE = "kfweb:pulse"
PULSE_EVERY = 5.0  # seconds
PULSE_LATE = 30.0  # seconds without one: worker or beat is down


@shared_task(name="kfweb.pulse")
def pulse() -> None:
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.set(PULSE, repr(time.time()), ex=600)


@shared_task(name="kfweb.sweep_alerts")
def sweep_alerts() -> None:
    """Here, because the relay's last words are read above the actions that judge them."""
    alerting.sweep_alerts(latest_tickers, link_state)


@shared_task(name="kfweb.note_equity")
def note_equity() -> None:
    equity.note_equity(latest_tickers)


def pulse_age() -> float | None:
    """Seconds since a worker last took the pulse; None when it never did since the store started."""
    with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2) as client:
        seen = client.get(PULSE)
    return None if seen is None else max(time.time() - float(seen), 0.0)
