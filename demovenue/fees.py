"""Fee tiers by the USD an account traded in the last 30 days of demo time."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

from demovenue.clock import to_millis
from demovenue.floor import HOUSE, Floor
from demovenue.values import FeeTier

DAY = 86_400_000
# The first two are recorded. The others go on in the same way; nobody publishes them without an account.
TIERS = tuple(
    FeeTier(usd_volume=Decimal(volume), maker=Decimal(maker), taker=Decimal(taker))
    for volume, maker, taker in (
        ("0", "0.02", "0.05"),
        ("5000000", "0.0175", "0.045"),
        ("10000000", "0.015", "0.04"),
        ("20000000", "0.0125", "0.035"),
        ("50000000", "0.01", "0.03"),
        ("100000000", "0.005", "0.025"),
        ("250000000", "0.0025", "0.02"),
    )
)


class Fees:
    def __init__(self, floor: Floor) -> None:
        self._floor = floor
        self._days: dict[str, dict[int, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
        self._known: dict[str, tuple[int, Decimal]] = {}  # account → day, volume of the 30 days up to it
        for uid, day, usd in floor.store.rows("SELECT account, day, usd FROM volumes"):
            self._days[uid][day] = Decimal(usd)

    def volume(self, uid: str) -> Decimal:
        today = to_millis(self._floor.now) // DAY
        day, known = self._known.get(uid, (-1, Decimal(0)))
        if day != today:
            known = sum((usd for day, usd in self._days[uid].items() if day > today - 30), Decimal(0))
            self._known[uid] = (today, known)
        return known

    def add_volume(self, uid: str, usd: Decimal) -> None:
        if uid != HOUSE:
            today, volume = to_millis(self._floor.now) // DAY, self.volume(uid)
            self._days[uid][today] += usd
            self._floor.store.save_volume(uid, today, self._days[uid][today])
            self._known[uid] = (today, volume + usd)

    def percent(self, uid: str, *, maker: bool) -> Decimal:
        volume = self.volume(uid)
        tier = next(tier for tier in reversed(TIERS) if volume >= tier.usd_volume)
        return tier.maker if maker else tier.taker
