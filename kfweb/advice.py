"""What each check means to the people who use the desk, and what to do about it. The longer text: docs/runbook.md."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Advice:
    title: str
    noticed: str  # what people notice while it is amiss
    do: str


@dataclass(frozen=True, slots=True)
class Line:
    name: str
    ok: bool
    why: str
    figures: list[tuple[str, str]]
    advice: Advice


ADVICE: dict[str, Advice] = {
    "database": Advice(
        "Database",
        "No page is served. Orders at the exchange stay as they are.",
        "See that it runs and takes connections, and that its disk is not full. The desk goes on by itself.",
    ),
    "store": Advice(
        "Store (Redis)",
        "No live prices, no sign-in that needs counting, no order is sent: without the rate budget nothing leaves.",
        "Start it again; it may be empty. Nothing that matters is kept in it.",
    ),
    "worker": Advice(
        "Workers and clock",
        "Nothing is synced, uncertain orders are not looked up, withdrawals do not execute, notices do not leave.",
        "See that worker and beat run. What waited is swept up when they do.",
    ),
    "queue": Advice(
        "Task queue",
        "What should take seconds takes minutes; nothing is lost.",
        "Start another worker. If one is stuck on a slow venue, start it again: rows are the queue.",
    ),
    "relay": Advice(
        "Live data",
        "Prices are dimmed and marked stale, tickets warn. Orders can still be placed and cancelled.",
        "See that a relay runs and reaches the exchange. It connects again by itself.",
    ),
    "clock": Advice(
        "Clock",
        "Orders may be refused as too late, because they carry a deadline by the exchange's clock.",
        "Set this machine's clock (chrony or systemd-timesyncd).",
    ),
    "keys": Advice(
        "API keys",
        "The accounts of these keys are neither synced nor traded.",
        "The page Keys says which and why. A missing master key must be put back into its place.",
    ),
    "sync": Advice(
        "Sync with the exchange",
        "Balances, positions or history are old, and say so.",
        "See the worker first, then the page Keys, then the exchange's own status.",
    ),
    "orders": Advice(
        "Orders of unknown outcome",
        "They are shown as Uncertain. Nothing is sent a second time.",
        "See whether the exchange answers. Read the order's evidence before doing anything by hand.",
    ),
    "withdrawals": Advice(
        "Withdrawals of unknown outcome",
        "Money may or may not have moved. It is not sent again.",
        "Open the withdrawal; its evidence proposes an answer, which two people confirm who did not ask for it.",
    ),
    "disk": Advice(
        "Disk",
        "Soon nothing can be written: no order, no audit row.",
        "Make room where KFWEB_DATA_DIR lies: old logs, old backups, exports.",
    ),
}  # fmt: skip


def advise(name: str, check: Mapping[str, Any]) -> Line:
    figures = [(key.replace("_", " "), _word(value)) for key, value in check.items() if key not in {"ok", "why"}]
    return Line(name, check["ok"], str(check.get("why", "")), figures, ADVICE[name])


def _word(value: Any) -> str:
    if isinstance(value, Mapping) and "state" in value:  # a link
        return str(value["state"])
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_word(one)}" for key, one in value.items()) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "unknown" if value is None else str(value)
