"""One request on its way through the door, as handlers see it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from demovenue.doors.house import House
from demovenue.doors.params import Params
from demovenue.exchange import Exchange
from demovenue.values import Instrument, Key


@dataclass(slots=True)
class Call:
    """`key` is set once the signature holds. `touched` collects ids whose answer the ledger should know of."""

    house: House
    params: Params
    values: dict[str, str]  # of the path
    key: Key | None = None
    algo_id: str | None = None
    touched: list[str] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)  # of the answer

    @property
    def exchange(self) -> Exchange:
        return self.house.exchange

    @property
    def account(self) -> str:
        assert self.key is not None, "a handler of a public call asked who calls"
        return self.key.account_uid

    @property
    def public(self) -> str | None:
        return None if self.key is None else self.key.public

    def now(self) -> datetime:
        return self.house.now(self.public)

    def deadline(self, params: Params, name: str = "processBefore") -> datetime | None:
        """A deadline the client named, by the exchange's own clock."""
        given = params.moment(name)
        return None if given is None else self.house.true_time(given, self.public)

    def knows(self, symbol: str) -> bool:
        """Listed now, or once: an order for an expired contract has an answer of its own."""
        symbol = symbol.upper()
        return self.listed(symbol) is not None or any(
            one.symbol == symbol for one in self.exchange.instruments(expired=True)
        )

    def listed(self, symbol: str) -> Instrument | None:
        return self.exchange.instrument(symbol.upper())
