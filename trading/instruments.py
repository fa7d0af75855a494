"""The instruments of a venue as last listed, remembered for a minute in every process."""

from __future__ import annotations

import time

import msgspec

from accounts.rules import NotAllowed
from krakenfutures.values import Instrument
from trading.models import Listing

FRESH = 60.0  # seconds
AGAIN = 2.0  # an empty or unknown answer is asked for again after this long

_known: dict[str, tuple[float, dict[str, Instrument]]] = {}


def instrument_for(environment: str, symbol: str) -> Instrument:
    """Raises `NotAllowed` (code `unknown_symbol`) when the venue lists no such thing."""
    symbol = symbol.upper()
    found = _listed(environment, FRESH).get(symbol) or _listed(environment, AGAIN).get(symbol)
    if found is None:
        raise NotAllowed(f"{symbol or 'Nothing'} is not listed there.", field="symbol", code="unknown_symbol")
    return found


def instruments(environment: str) -> list[Instrument]:
    """Every instrument, by symbol. Empty until the venue has been asked for the first time."""
    return list((_listed(environment, FRESH) or _listed(environment, AGAIN)).values())


def forget() -> None:
    """What this process remembers is out of date."""
    _known.clear()


def _listed(environment: str, fresh: float) -> dict[str, Instrument]:
    read_at, known = _known.get(environment, (float("-inf"), {}))
    if time.monotonic() - read_at < fresh:
        return known
    rows = Listing.objects.filter(environment=environment).values_list("symbol", "instrument")
    known = {symbol: msgspec.convert(instrument, Instrument) for symbol, instrument in rows}
    _known[environment] = (time.monotonic(), known)
    return known
