"""Arming a fault, by call or from the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from demovenue.doors.asked import NoSense, number, one_of, optional
from demovenue.doors.faults import FAULTS, Fault, Scope
from demovenue.doors.house import House
from demovenue.doors.stream.hub import Hub

LONGEST_DELAY = 3600.0  # seconds


def arm(house: House, hub: Hub, body: Mapping[str, Any]) -> Fault:
    """`fault`, and any of count, key, seconds, probability, path, scope. Raises NoSense."""
    name = one_of(body, "fault", FAULTS)
    count, seconds = number(body, "count"), number(body, "seconds")
    probability = number(body, "probability")
    if count is not None and (count <= 0 or count != int(count)):
        raise NoSense("count is a whole number of at least 1")
    if seconds is not None and name != "clock_skew" and not 0 < seconds <= LONGEST_DELAY:
        raise NoSense("seconds is between 0 and 3600")
    if probability is not None and not 0 < probability <= 1:
        raise NoSense("probability is above 0, up to 1")
    fault = house.faults.arm(
        name,
        count=None if count is None else int(count),
        key=optional(body, "key"),
        seconds=None if seconds is None else float(seconds),
        probability=1.0 if probability is None else float(probability),
        path=optional(body, "path"),
        scope=Scope(one_of(body, "scope", tuple(Scope))) if body.get("scope") else None,
    )
    if name in ("ws_freeze", "ws_drop"):
        hub.strike(fault)
    return fault
