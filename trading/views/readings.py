"""What the venue keeps a history of beside prices: funding, open interest, premium. Drawn, and as a table."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from django.core.cache import cache
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_GET

from accounts.rules import NotAllowed
from accounts.venues import venue_for
from krakenfutures.errors import KrakenError, Refused
from krakenfutures.numbers import plain
from krakenfutures.values import Measure, Reading
from krakenfutures.venue import Feature
from trading.instruments import instrument_for
from trading.views.charts import SECONDS
from trading.views.environment import environment_of

STEPS = ("1h", "4h", "1d")  # funding is set by the hour
READINGS = 240
KEPT = 30  # seconds
NO_FUNDING = "A contract with a maturity has no funding."
NOT_KEPT = "The exchange keeps no such history of this contract."


@require_GET
def readings(request: HttpRequest, symbol: str, measure: str) -> JsonResponse:
    """`{"readings": [[seconds, open, high, low, close]…]}`, oldest first, decimals as text.

    `?step=1h`, `4h` or `1d`; `?before=SECONDS` for the history that ends there.
    """
    environment = environment_of(request)
    try:
        instrument = instrument_for(environment, symbol)
    except NotAllowed as refusal:
        return JsonResponse({"error": refusal.code, "message": refusal.reason}, status=404)
    step, before = request.GET.get("step", STEPS[0]), request.GET.get("before", "")
    if (
        measure not in Measure.__members__.values()
        or step not in STEPS
        or not re.fullmatch(r"\d{0,11}", before, re.ASCII)
    ):
        return JsonResponse({"error": "unknown_measure", "message": "There is no such history."}, status=404)
    wanted = Measure(measure)
    if wanted is Measure.FUNDING and not instrument.perpetual:
        return JsonResponse({"readings": [], "message": NO_FUNDING})
    if Feature.READINGS not in venue_for(environment).capabilities.features:
        return JsonResponse({"readings": [], "message": NOT_KEPT})
    try:
        rows = cache.get_or_set(
            f"readings:{environment}:{instrument.symbol}:{measure}:{step}:{before}",
            lambda: _read(environment, instrument.symbol, wanted, SECONDS[step], before),
            KEPT,
        )
    except Refused:
        return JsonResponse({"readings": [], "message": NOT_KEPT})
    except KrakenError:
        message = "The exchange did not answer for this history. Asking again in a while."
        return JsonResponse({"error": "unreachable", "message": message}, status=503)
    return JsonResponse({"readings": rows})


def _read(environment: str, symbol: str, measure: Measure, step: int, before: str) -> list[list[int | str]]:
    until = datetime.fromtimestamp(int(before), UTC) if before else datetime.now(UTC)
    found = venue_for(environment).market.readings(
        symbol, measure, step=step, since=until - timedelta(seconds=step * READINGS), until=until
    )
    return [_row(one) for one in found if not before or one.at < until]


def _row(one: Reading) -> list[int | str]:
    return [int(one.at.timestamp()), *(plain(figure) for figure in (one.open, one.high, one.low, one.close))]
