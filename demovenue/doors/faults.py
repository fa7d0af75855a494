"""Failing on purpose. A fault is armed by a control call, is counted, and ends by itself or by DELETE.

By default a fault meets calls that change something with a key (orders, money, settings), so that a background read
does not use it up; `scope` and `path` widen or narrow that. Counts are spent by calls that were really hit.
"""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

FAULTS = (
    "drop_response",
    "delay",
    "http_500",
    "http_503",
    "rate_limit",
    "nonce",
    "hide_from_open_orders",
    "fill_at_once",
    "partial_fill",
    "ws_freeze",
    "ws_drop",
    "ws_gap",
    "ws_duplicate",
    "clock_skew",
    "unknown_fill_type",
)
# Their seconds are a length or a distance, not a time after which the fault ends.
SECONDS_ARE_AN_AMOUNT = frozenset({"delay", "clock_skew", "ws_freeze"})
# Armed without a count, these last until they are cleared.
ENDLESS = frozenset({"clock_skew"})


class Scope(StrEnum):
    WRITES = "writes"  # signed calls that change something
    PRIVATE = "private"  # every signed call
    ALL = "all"  # every call below /derivatives and /api


@dataclass(slots=True)
class Fault:
    id: int
    name: str
    left: int | None  # None: as often as it is met
    key: str | None = None
    seconds: float | None = None
    probability: float = 1.0
    path: str | None = None
    scope: Scope = Scope.WRITES
    armed_at: float = field(default_factory=time.monotonic)
    hits: int = 0

    def is_over(self, now: float) -> bool:
        if self.left is not None and self.left <= 0:
            return True
        if self.seconds is None or self.name in SECONDS_ARE_AN_AMOUNT:
            return False
        return now >= self.armed_at + self.seconds

    def spend(self) -> None:
        self.hits += 1
        if self.left is not None:
            self.left -= 1

    def describe(self) -> dict[str, object]:
        return {
            "id": self.id,
            "fault": self.name,
            "count": self.left,
            "hits": self.hits,
            "key": self.key,
            "seconds": self.seconds,
            "probability": self.probability,
            "path": self.path,
            "scope": self.scope.value,
        }


class Faults:
    """All armed faults. The dice are seeded, so that a run with probabilities can be repeated."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)
        self._ids = itertools.count(1)
        self._armed: list[Fault] = []

    def arm(
        self,
        name: str,
        *,
        count: int | None = None,
        key: str | None = None,
        seconds: float | None = None,
        probability: float = 1.0,
        path: str | None = None,
        scope: Scope | None = None,
    ) -> Fault:
        """Without a count it is met once, or for as long as `seconds` says."""
        endless = name in ENDLESS or (seconds is not None and name not in SECONDS_ARE_AN_AMOUNT)
        left = count if count is not None else None if endless else 1
        # An outage is the whole house, not one kind of call.
        wide = name == "http_503" and seconds is not None and key is None and path is None
        scope = scope or (Scope.ALL if wide or path is not None else Scope.WRITES)
        fault = Fault(next(self._ids), name, left, key, seconds, probability, path, scope)
        self._armed.append(fault)
        return fault

    def clear(self, name: str | None = None) -> None:
        self._armed = [fault for fault in self._armed if name is not None and fault.name != name]

    def armed(self) -> list[Fault]:
        now = time.monotonic()
        self._armed = [fault for fault in self._armed if not fault.is_over(now)]
        return list(self._armed)

    def meet(
        self, name: str, *, key: str | None = None, path: str | None = None, scope: Scope = Scope.ALL
    ) -> Fault | None:
        """The armed fault that hits this call, spent once; None when none does."""
        if not self._armed:
            return None
        for fault in self._candidates(name, key):
            if path is not None and not _covers(fault, path, scope):
                continue
            if self._is_spared(fault):
                continue
            fault.spend()
            return fault
        return None

    def peek(self, name: str, *, key: str | None = None) -> Fault | None:
        """The armed fault for this key, without spending it."""
        return next(self._candidates(name, key), None) if self._armed else None

    def meet_feed(self, name: str, feed: str, *, key: str | None = None, default: str | None = None) -> Fault | None:
        """The same for a message of the socket. `path` names the feed that is hit, otherwise `default` or any."""
        for fault in self._candidates(name, key):
            wanted = fault.path or default
            if wanted not in (None, feed) or self._is_spared(fault):
                continue
            fault.spend()
            return fault
        return None

    @property
    def is_quiet(self) -> bool:
        """Nothing at all is armed: the quick way for the busy feeds."""
        return not self._armed

    def _is_spared(self, fault: Fault) -> bool:
        return fault.probability < 1 and self._dice.random() >= fault.probability

    def _candidates(self, name: str, key: str | None) -> Iterator[Fault]:
        for fault in self.armed():
            if fault.name == name and (fault.key is None or fault.key == key):
                yield fault


def _covers(fault: Fault, path: str, scope: Scope) -> bool:
    """Does the fault reach a call of this kind and path? WRITES is the narrowest kind of call, ALL the widest."""
    if fault.path is not None and fault.path not in path:
        return False
    widths = list(Scope)
    return widths.index(scope) <= widths.index(fault.scope)
