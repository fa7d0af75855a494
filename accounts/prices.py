"""What a unit of a currency is worth in USD: the index of its perpetual, asked of the venue itself."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from accounts.venues import base_url, venue_for
from krakenfutures.values import Wallets

FRESH_FOR = 10.0  # seconds; a policy reckons with tiers, not with ticks


@dataclass(frozen=True, slots=True)
class Indices:
    usd: Mapping[str, Decimal]
    at: float  # of time.monotonic()


_known: dict[str, Indices] = {}


def usd_prices(environment: str, wallets: Wallets | None = None) -> dict[str, Decimal]:
    """USD a unit. Dollars are worth one; currencies without a perpetual take the value the wallet itself reckons with.

    A currency nobody prices is missing. Raises the error tree when the venue does not answer.
    """
    place = base_url(environment)
    known = _known.get(place)
    if known is None or time.monotonic() - known.at > FRESH_FOR:
        known = _known[place] = Indices(_ask(environment), time.monotonic())
    held = wallets.flex.holdings if wallets and wallets.flex else ()
    valued = {one.currency: one.value / one.quantity for one in held if one.quantity > 0 and one.value > 0}
    return {**valued, **known.usd}


def forget() -> None:
    """For tests, which change venues in one process."""
    _known.clear()


def _ask(environment: str) -> dict[str, Decimal]:
    market = venue_for(environment).market
    index = {ticker.symbol: ticker.index for ticker in market.tickers() if ticker.index}
    prices = {"USD": Decimal(1)}
    for instrument in market.instruments():
        if instrument.perpetual and instrument.quote == "USD" and instrument.symbol in index:
            prices.setdefault(instrument.base, index[instrument.symbol])
    return prices
