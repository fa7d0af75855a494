from __future__ import annotations

from tests.trading.conftest import account, api_key, nothing_remembered, wire
from tests.trading.risk_venue import risk_exchange, there

__all__ = ["account", "api_key", "nothing_remembered", "risk_exchange", "there", "wire"]  # fixtures
