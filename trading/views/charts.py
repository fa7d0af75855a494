"""Candles for the chart, as JSON. The one place where prices may become floats: they are only drawn."""

from __future__ import annotations

import re
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
KEPT_PAST = 60  # what is past does not change
SOURCES = {"trade": PriceSource.TRADE, "mark": PriceSource.MARK, "index": PriceSource.INDEX}
KEPT = 2  # seconds: many browsers on one chart ask the venue once

Row = list[float]


@require_GET
def candles(request: HttpRequest, symbol: str, resolution: str) -> JsonResponse:
    """`{"candles": [[seconds, open, high, low, close, volume]…]}`, oldest first; 503 and why when unreachable.

    `?source=mark` or `index` instead of trades; `?before=SECONDS` for the history that ends there.
    """
    environment = environment_of(request)
    try:
        instrument = instrument_for(environment, symbol)
    except NotAllowed as refusal:
        return JsonResponse({"error": refusal.code, "message": refusal.reason}, status=404)
    if resolution not in SECONDS:
        return JsonResponse({"error": "unknown_resolution", "message": "There is no such resolution."}, status=404)
    source, before = request.GET.get("source", "trade"), request.GET.get("before", "")
    if source not in SOURCES or not re.fullmatch(r"\d{0,11}", before, re.ASCII):
        return JsonResponse({"error": "unknown_source", "message": "There are no such candles."}, status=404)
    until = datetime.fromtimestamp(int(before), UTC) if before else None
    try:
        rows = cache.get_or_set(
            f"candles:{environment}:{instrument.symbol}:{resolution}:{source}:{before}",
            lambda: _read(environment, instrument.symbol, resolution, SOURCES[source], until),
            KEPT if until is None else KEPT_PAST,
        )
    except KrakenError:
        message = "The exchange did not answer for the chart's history. Live trades still draw."
        return JsonResponse({"error": "unreachable", "message": message}, status=503)
    return JsonResponse({"candles": rows, "seconds": SECONDS[resolution]})


def _read(environment: str, symbol: str, resolution: str, source: PriceSource, until: datetime | None) -> list[Row]:
    """The newest ones, or those before `until`, which is left out."""
    since = (until or datetime.now(UTC)) - timedelta(seconds=SECONDS[resolution] * CANDLES)
    last = until and until - timedelta(seconds=1)
    found = venue_for(environment).market.candles(
        symbol, source=source, resolution=resolution, since=since, until=last, count=CANDLES
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
        if until is None or one.at < until
    ]
