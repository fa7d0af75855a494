"""How numbers, times and orders are written for people. `static/js/numbers.js` writes them in the same way."""

from __future__ import annotations

from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from functools import cache

from django.utils.timezone import localtime

from krakenfutures.numbers import WIDE
from krakenfutures.values import Instrument

NOTHING = "–"
MINUS = "\N{MINUS SIGN}"
THIN = "\N{NARROW NO-BREAK SPACE}"
MONEY = frozenset({"USD", "EUR", "GBP", "USDT", "USDC", "CHF", "AUD", "CAD"})


def fixed(value: Decimal | None, places: int, *, sign: bool = False) -> str:
    """`-1234.5` with 2 places is `−1 234.50`: half-even, thin spaces, a real minus; `sign` adds a plus to gains."""
    if not isinstance(value, Decimal):  # templates hand on "" for what is missing
        return NOTHING
    rounded = value.quantize(_step(places), ROUND_HALF_EVEN, WIDE)
    text = f"{rounded:,f}".replace(",", THIN)
    if not rounded:
        return text.removeprefix("-")
    if text[0] == "-":
        return MINUS + text[1:]
    return "+" + text if sign else text


@cache
def _step(places: int) -> Decimal:
    return Decimal(1).scaleb(-max(places, 0))


def free(value: Decimal | None) -> str:
    """As many decimals as the number has, and no more."""
    if not isinstance(value, Decimal):  # templates hand on "" for what is missing
        return NOTHING
    return fixed(value, places_of(value))


def places_of(step: Decimal) -> int:
    """How many decimals a step of this size needs: `0.5` one, `1E-10` ten, `100` none."""
    exponent = step.normalize(WIDE).as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def money_places(currency: str) -> int:
    return 2 if currency.upper() in MONEY else 8


def price_places(instrument: Instrument | None) -> int:
    return places_of(instrument.tick) if instrument else 2


def size_places(instrument: Instrument | None) -> int:
    return places_of(instrument.lot) if instrument else 4


def when(moment: datetime | None) -> str:
    """`2026-11-22 14:07:31 CET`, in the zone of the reader."""
    return localtime(moment).strftime("%Y-%m-%d %H:%M:%S %Z") if moment else NOTHING


def milliseconds(moment: datetime | None) -> int | str:
    return int(moment.timestamp() * 1000) if moment else ""


UNWIND_WORDS = ("last in line", "far back in line", "in the middle of the line", "near the front", "first in line")


def unwind_rank(percentile: int | None) -> str:
    """`4 of 5, near the front`; what the venue has not said before is told as it came."""
    if percentile is None:
        return NOTHING
    fifth, rest = divmod(percentile, 20)
    if rest or not 1 <= fifth <= 5:
        return f"percentile {percentile}"
    return f"{fifth} of 5, {UNWIND_WORDS[fifth - 1]}"


def short(value: Decimal | None) -> str:
    """Three or four figures and a letter: `156.4 M`."""
    if not isinstance(value, Decimal):  # templates hand on "" for what is missing
        return NOTHING
    for size, letter in ((9, "B"), (6, "M"), (3, "k")):
        if abs(value) >= Decimal(10) ** size:
            return f"{fixed(value.scaleb(-size), 1)} {letter}"
    return fixed(value, 1)
