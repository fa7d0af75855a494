"""The names of things that move: browser streams, channel groups and the store's keys."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

ENVIRONMENTS = ("demo", "production")
ACCOUNT = re.compile(r"[1-9][0-9]{0,14}")
FACTS = frozenset({"person", "desk"})  # kinds whose last value is read from the database once a second
SYMBOL = re.compile(r"[A-Z0-9_.]{3,40}")

DEEP = "+"  # after a symbol that is wanted: its depth is looked at, too
WANTED_SECONDS = 15  # for so long a hub's wish holds; it repeats it three times as often
RELAY_LATE_MS = 3000  # the relay speaks every second; silent for longer, it is gone
NO_RELAY: dict[str, Any] = {
    "state": "down",
    "heard_at": None,
    "why": "the relay does not speak",
    "relay_at": None,
    "healed": 0,
    "clock_ms": None,
}


@dataclass(frozen=True, slots=True)
class Stream:
    """One stream a browser may watch. What does not fit its kind is empty."""

    kind: str  # ticker, tickers, book, depth, trades, link, account, person, desk
    environment: str = ""
    symbol: str = ""
    account_id: int = 0
    about_id: int = 0  # of a person or a desk


def parse_stream(name: str) -> Stream | None:
    """`book:demo:PF_XBTUSD`, `tickers:demo`, `account:7` …; None for what is no stream's name."""
    match name.split(":"):
        case ["account", number] if ACCOUNT.fullmatch(number):
            return Stream("account", account_id=int(number))
        case ["person" | "desk" as kind, number] if ACCOUNT.fullmatch(number):
            return Stream(kind, about_id=int(number))
        case ["tickers" | "link" as kind, environment] if environment in ENVIRONMENTS:
            return Stream(kind, environment)
        case ["ticker" | "book" | "depth" | "trades" as kind, environment, symbol] if environment in ENVIRONMENTS:
            return Stream(kind, environment, symbol) if SYMBOL.fullmatch(symbol) else None
    return None


def wanted_by(stream: Stream) -> tuple[str, ...]:
    """What the relay has to follow for it."""
    if stream.kind == "depth":
        return (stream.symbol, stream.symbol + DEEP)
    return (stream.symbol,) if stream.kind in {"book", "trades"} else ()


def market_group(environment: str) -> str:
    """The channel group that carries the relay's batches."""
    return f"live.{environment}"


def key(environment: str, what: str) -> str:
    """A key of the store: tickers, books, depths, tapes, batch, link, wanted, lease."""
    return f"kfweb:live:{environment}:{what}"
