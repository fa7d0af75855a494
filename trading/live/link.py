"""Is the exchange still talking to us? Silence is told from quiet by its heartbeats, one a second."""

from __future__ import annotations

import time
from collections import deque

from krakenfutures.events import Alert, Connected, Disconnected, Event, Heard, Subscribed, Unread
from trading.plain import encode

STALE_SECONDS = 4.0  # a page shall look stale within five


class LinkState:
    """One connection to the exchange, as the relay sees it."""

    def __init__(self) -> None:
        self.connected = False
        self.fed = False  # data came since the connection was made
        self.why = "not connected yet"
        self.heard: float | None = None  # monotonic
        self.heard_ms: int | None = None  # epoch milliseconds
        self.healed = 0  # events found missing after reconnects, and made good
        self.delays: deque[int] = deque(maxlen=30)  # ms from the venue's clock at a heartbeat to ours

    def hear(self, event: Event) -> None:
        if isinstance(event, Disconnected):
            self.connected, self.fed, self.why = False, False, event.why
            return
        if isinstance(event, Connected):
            self.connected, self.why = True, "connected; no data yet"
        elif isinstance(event, Alert) and not self.fed:
            self.why = event.message  # most likely the reason why no data comes
        elif not isinstance(event, Alert | Heard | Subscribed | Unread):
            self.fed, self.why = True, ""
        self.heard, self.heard_ms = time.monotonic(), int(time.time() * 1000)
        if isinstance(event, Heard) and event.at:
            self.delays.append(self.heard_ms - int(event.at.timestamp() * 1000))

    @property
    def state(self) -> str:
        if not self.connected or not self.fed or self.heard is None:
            return "down"
        return "stale" if time.monotonic() - self.heard > STALE_SECONDS else "live"

    def json(self) -> bytes:
        why = self.why
        if self.state == "stale":
            why = "the exchange says nothing, though the connection stands"
        return encode(
            {
                "state": self.state,
                "heard_at": self.heard_ms,
                "why": why,
                "relay_at": int(time.time() * 1000),
                "healed": self.healed,
                # The network only ever adds to a delay: the smallest is nearest to how far the clocks are apart.
                "clock_ms": min(self.delays, default=None),
            }
        )
