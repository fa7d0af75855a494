"""The events of the accounts somebody watches here. Prices may be skipped; what happened to an order may not."""

from __future__ import annotations

from collections import deque
from itertools import takewhile

from trading.live.frames import message

KEPT = 256  # events a room remembers for those who come in or catch up


class Room:
    """One account. Every event gets a number of its own as it arrives, and none is conflated away."""

    def __init__(self, account_id: int) -> None:
        self.account_id = account_id
        self.name = f"account:{account_id}"
        self.number = 0
        self.events: deque[tuple[int, bytes]] = deque()
        self.announced: int | None = None  # the store's count of announcements, as far as we have heard them
        self.overdue: int | None = None  # a higher count that somebody has told us of

    def add(self, body: bytes, relay_ms: int | None) -> None:
        self.number += 1
        text = message(self.name, self.number, "upd", body, venue_ms=None, relay_ms=relay_ms)
        self.events.append((self.number, text))

    def heard(self, announced: int) -> bool:
        """Note the store's number of an announcement; False when one before it is missing."""
        last, self.announced = self.announced, max(announced, self.announced or 0)
        return last is None or announced <= last + 1

    def compare(self, announced: int) -> bool:
        """The store has counted this many; False when we have waited for the last of them since the previous look."""
        if self.announced is None or announced <= self.announced:
            self.announced, self.overdue = max(announced, self.announced or 0), None
            return True
        lost, self.overdue = self.overdue is not None, announced
        if lost:
            self.announced, self.overdue = announced, None
        return not lost

    def after(self, number: int) -> list[bytes]:
        """Events younger than `number`, oldest first."""
        found = list(takewhile(lambda event: event[0] > number, reversed(self.events)))
        return [text for _, text in reversed(found)]

    def reaches(self, number: int) -> bool:
        """Whether every event after `number` is still here."""
        return number >= self.number or (bool(self.events) and self.events[0][0] <= number + 1)

    def forget(self, before: int) -> None:
        """Let go of old events; none younger than `before`, which somebody has still to be sent."""
        while len(self.events) > KEPT and self.events[0][0] <= before:
            self.events.popleft()
