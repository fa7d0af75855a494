"""The venue's clock: deadlines are said in its time, not in ours."""

from __future__ import annotations

import logging
import time
from datetime import datetime, timedelta

from django.utils import timezone

from accounts.venues import venue_for
from krakenfutures.errors import KrakenError

log = logging.getLogger(__name__)

FRESH = 30.0  # seconds for which a measured difference is believed

_measured: dict[str, tuple[float, timedelta]] = {}


def venue_now(environment: str) -> datetime:
    """The venue's time by the last measurement; by our own clock while the venue does not answer."""
    at, skew = _measured.get(environment, (float("-inf"), timedelta(0)))
    if time.monotonic() - at > FRESH:
        try:
            return measure_venue_now(environment)
        except KrakenError as problem:
            log.warning("the clock of %s could not be read: %s", environment, problem)
    return timezone.now() + skew


def measure_venue_now(environment: str) -> datetime:
    """The venue's time, asked for now. Raises `KrakenError`: proofs rest on it, so there is no guess."""
    skew = timedelta(seconds=venue_for(environment).clock_skew())
    _measured[environment] = (time.monotonic(), skew)
    return timezone.now() + skew


def forget(environment: str) -> None:
    """The venue found our time wrong: measure again before the next deadline is set."""
    _measured.pop(environment, None)
