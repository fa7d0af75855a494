"""What is listed, and how it is doing."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from demovenue.values.base import Record


class MarginLevel(Record, frozen=True):
    """From `start` (contracts if inverse, USD of notional if linear) upwards these shares of 1 apply."""

    start: Decimal
    initial: Decimal
    maintenance: Decimal


class Instrument(Record, frozen=True):
    symbol: str
    coin: str  # XBT, ETH …: symbol notation
    inverse: bool  # sized in USD, margined in the coin; otherwise sized in the coin, margined by flex
    perpetual: bool
    wallet: str  # "flex" or "fi_xbtusd"
    tick: Decimal
    lot: Decimal
    size_precision: int
    max_position: Decimal
    impact_mid_size: Decimal
    levels: tuple[MarginLevel, ...]
    tag: str  # perpetual, week, month, quarter, semiannual
    opened: datetime
    maturity: datetime | None = None
    funding_coefficient: Decimal | None = None
    funding_cap: Decimal | None = None
    raw: dict[str, Any] = {}  # the REST answer's row

    @property
    def pair(self) -> str:
        return f"{self.coin}:USD"

    @property
    def currency(self) -> str:
        """What profit, fees and funding are paid in."""
        return self.coin.lower() if self.inverse else "usd"


class FeeTier(Record, frozen=True):
    """From this 30-day volume on; percent of the notional."""

    usd_volume: Decimal
    maker: Decimal
    taker: Decimal


class InstrumentStatus(Record, frozen=True):
    symbol: str
    suspended: bool = False
    post_only: bool = False
    dislocation: str | None = None  # ABOVE_UPPER_BOUND, BELOW_LOWER_BOUND
    extreme_volatility: bool = False
    margin_multiplier: int = 1
    maker_protection_ms: int = 0


class Notification(Record, frozen=True):
    id: int
    type: str
    priority: str
    note: str
    effective: datetime
    downtime_minutes: int | None = None
