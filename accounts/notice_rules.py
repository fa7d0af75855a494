"""When and where a notice goes: levels, quiet hours, and how long a failed delivery waits. Plain values only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

OFF = "off"
LEVELS = ("info", "warning", "critical")  # rising
CRITICAL = LEVELS[-1]

FIRST_PAUSE = timedelta(seconds=10)
LONGEST_PAUSE = timedelta(minutes=30)
ATTEMPTS = 7  # of one delivery; with the pauses between them five to ten minutes
FAILURES = 15  # attempts in a row, of any deliveries, after which a webhook is switched off


@dataclass(frozen=True, slots=True)
class Quiet:
    """Hours in which nothing but the inbox is told, by the person's own clock; from 22:00 to 07:00 spans midnight."""

    begins: time
    ends: time
    zone: ZoneInfo
    lets_critical_through: bool = True


def reaches(level: str, threshold: str) -> bool:
    """Does a notice of this level go to a channel that takes `threshold` and above?"""
    return threshold != OFF and LEVELS.index(level) >= LEVELS.index(threshold)


def due_at(now: datetime, level: str, quiet: Quiet | None) -> datetime:
    """At once, or when the quiet hours are over."""
    if quiet is None or (level == CRITICAL and quiet.lets_critical_through):
        return now
    return quiet_until(now, quiet) or now


def quiet_until(now: datetime, quiet: Quiet) -> datetime | None:
    """The end of the quiet hours that `now` lies in; None outside them. Both ends equal mean none at all."""
    here = now.astimezone(quiet.zone)
    clock, spans_midnight = here.time(), quiet.begins > quiet.ends
    inside = clock >= quiet.begins or clock < quiet.ends if spans_midnight else quiet.begins <= clock < quiet.ends
    if not inside:
        return None
    day = here.date() + timedelta(days=1) if spans_midnight and clock >= quiet.begins else here.date()
    end = datetime.combine(day, quiet.ends, quiet.zone).astimezone(UTC)
    return end if end > now else None  # an hour that a clock change swallowed


def pause_after(attempts: int, chance: float) -> timedelta:
    """Before the next attempt: doubling, and between half and all of it, so that retries of many do not meet.

    `chance` is drawn from 0 to 1.
    """
    seconds = min(FIRST_PAUSE.total_seconds() * 2.0 ** max(0, attempts - 1), LONGEST_PAUSE.total_seconds())
    return timedelta(seconds=seconds * (0.5 + chance / 2))
