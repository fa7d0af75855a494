"""Fee tiers by the USD an account traded in the last 30 days of demo time."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

from demovenue.clock import to_millis
from demovenue.floor import HOUSE, Floor

DAY = 86_400_000
# USD of volume from which on → maker %, taker %
TIERS = (
    (Decimal(0), Decimal("0.02"), Decimal("0.05")),
    (Decimal(5_000_000), Decimal("0.0175"), Decimal("0.045")),
)


class Fees:
    def __init__(self, floor: Floor) -> None:
        self._floor = floor
        self._days: dict[str, dict[int, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
        for uid, day, usd in floor.store.rows("SELECT account, at / ?, SUM(usd) FROM fills GROUP BY 1, 2", DAY):
            self._days[uid][day] = Decimal(usd).quantize(Decimal("0.01"))

    def volume(self, uid: str) -> Decimal:
        today = to_millis(self._floor.now) // DAY
        return sum((usd for day, usd in self._days[uid].items() if day > today - 30), Decimal(0))

    def add_volume(self, uid: str, usd: Decimal) -> None:
        if uid != HOUSE:
            self._days[uid][to_millis(self._floor.now) // DAY] += usd

    def percent(self, uid: str, *, maker: bool) -> Decimal:
        volume = self.volume(uid)
        tier = next(tier for tier in reversed(TIERS) if volume >= tier[0])
        return tier[1] if maker else tier[2]
