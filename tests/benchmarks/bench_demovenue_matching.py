"""The matching engine alone: orders placed, matched and cancelled in one book, without money, storage or sockets."""

from __future__ import annotations

import random
import time

from demovenue.book import Book, Resting
from tests.benchmarks.result import Result

OPERATIONS, TARGET = 200_000, 50_000
MIDDLE, SPREAD = 84_000, 200  # ticks


def main() -> list[Result]:
    rate = max(measure(seed) for seed in (1, 2, 3))
    return [
        Result(
            what="the matching engine alone",
            measured=f"{rate:,.0f} order operations/s",
            target=f"≥ {TARGET:,}",
            ok=rate >= TARGET,
            detail=f"{OPERATIONS:,} placements (a third cross) and cancels, up to some thousand orders in the book",
        )
    ]


def measure(seed: int) -> float:
    dice = random.Random(seed)
    wishes = [
        (dice.random(), dice.random() < 0.5, MIDDLE + dice.randint(-SPREAD, SPREAD), dice.randint(1, 50))
        for _ in range(OPERATIONS)
    ]
    book, waiting = Book(), list[str]()
    started = time.perf_counter()
    for number, (kind, buy, price, lots) in enumerate(wishes):
        if kind < 0.4 and waiting:
            book.cancel(waiting.pop(int(kind * 2.5 * len(waiting))))
        else:
            rest = lots - sum(amount for _, amount in book.take(buy, price, lots))
            if rest:
                name = str(number)
                book.add(Resting(name, "", buy, price, rest))
                waiting.append(name)
        book.changes.clear()
        book.comings.clear()
    return OPERATIONS / (time.perf_counter() - started)
