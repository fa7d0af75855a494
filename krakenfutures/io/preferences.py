"""The settings of an account for each contract. Setting one twice does no harm: it only says the same again."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Protocol

from krakenfutures import costs
from krakenfutures.costs import Cost
from krakenfutures.io.rest import Parameters
from krakenfutures.numbers import plain
from krakenfutures.parse.preferences import parse_leverages, parse_pnl_currencies, parse_unwind_queue, together
from krakenfutures.values import Preference, UnwindRank

API = "/derivatives/api/v3"


class Doors(Protocol):
    """What of a session is used here."""

    def read(self, path: str, parameters: Parameters = (), *, cost: Cost = ...) -> Any: ...
    def write(self, path: str, parameters: Parameters, *, cost: Cost, method: str = ...) -> Any: ...


class DerivativesPreferences:
    """Raises the error tree. After `Unreachable` a setting may or may not hold: read them again."""

    def __init__(self, session: Doors) -> None:
        self._session = session

    def all(self) -> list[Preference]:
        """Of every contract that has one; another is margined across the wallet and pays in its usual currency."""
        leverages = parse_leverages(self._session.read(f"{API}/leveragepreferences"))
        return together(leverages, parse_pnl_currencies(self._session.read(f"{API}/pnlpreferences")))

    def set_leverage(self, symbol: str, max_leverage: Decimal | None) -> None:
        """Isolates the contract with that cap; None gives it back to the whole wallet."""
        cap = [] if max_leverage is None else [("maxLeverage", plain(max_leverage))]
        path = f"{API}/leveragepreferences"
        self._session.write(path, [("symbol", symbol), *cap], cost=costs.PREFERENCE, method="PUT")

    def set_pnl_currency(self, symbol: str, currency: str) -> None:
        words = [("symbol", symbol), ("pnlPreference", currency)]
        self._session.write(f"{API}/pnlpreferences", words, cost=costs.PREFERENCE, method="PUT")

    def unwind_ranks(self) -> list[UnwindRank]:
        """Of every open position. Two fifths of the whole budget: ask seldom."""
        return parse_unwind_queue(self._session.read(f"{API}/unwindqueue", cost=costs.UNWIND_QUEUE))
