"""Candles for the chart, as JSON. The one place where prices may become floats: they are only drawn."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.core.cache import cache
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_GET

from accounts.rules import NotAllowed
from accounts.venues import venue_for
from krakenfutures.errors import KrakenError
from krakenfutures.values import PriceSource
from trading.instruments import instrument_for
from trading.views.environment import environment_of

SECONDS = {"1m": 60, "5m": 300, "15m": 900, "1h": 3600, "4h": 14400, "1d": 86400}
CANDLES = 500
KEPT = 2  # seconds: many browsers on one chart ask the venue once

Row = list[float]


@require_GET
def candles(request: HttpRequest, symbol: str, resolution: str) -> JsonResponse:
    """`{"candles": [[seconds, open, high, low, close, volume]…]}`, oldest first; 503 and why when unreachable."""
    environment = environment_of(request)
    try:
        instrument = instrument_for(environment, symbol)
    except NotAllowed as refusal:
        return JsonResponse({"error": refusal.code, "message": refusal.reason}, status=404)
    if resolution not in SECONDS:
        return JsonResponse({"error": "unknown_resolution", "message": "There is no such resolution."}, status=404)
    try:
        rows = cache.get_or_set(
            f"candles:{environment}:{instrument.symbol}:{resolution}",
            lambda: _read(environment, instrument.symbol, resolution),
            KEPT,
        )
    except KrakenError:
        message = "The exchange did not answer for the chart's history. Live trades still draw."
        return JsonResponse({"error": "unreachable", "message": message}, status=503)
    return JsonResponse({"candles": rows, "seconds": SECONDS[resolution]})


def _read(environment: str, symbol: str, resolution: str) -> list[Row]:
    since = datetime.now(UTC) - timedelta(seconds=SECONDS[resolution] * CANDLES)
    found = venue_for(environment).market.candles(
        symbol, source=PriceSource.TRADE, resolution=resolution, since=since, count=CANDLES
    )
    return [
        [
            int(one.at.timestamp()),
            float(one.open),
            float(one.high),
            float(one.low),
            float(one.close),
            float(one.volume),
        ]
        for one in found
    ]
