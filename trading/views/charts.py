"""Candles for the chart, as JSON. The one place where prices may become floats: they are only drawn."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, TypedDict

from django.core.cache import cache
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_GET

from accounts.rules import NotAllowed
from accounts.venues import venue_for
from krakenfutures.errors import KrakenError
from krakenfutures.values import Candle, PriceSource
from trading.instruments import instrument_for
from trading.views.environment import environment_of

SECONDS = {
    "1m": 60, "5m": 300, "15m": 900, "30m": 1800, "1h": 3600, "4h": 14400, "12h": 43200, "1d": 86400, "1w": 604800,
}  # fmt: skip
CANDLES = 500
SOURCES = {"trade": PriceSource.TRADE, "mark": PriceSource.MARK, "index": PriceSource.INDEX}
KEPT = 2  # seconds: many browsers on one chart ask the venue once
KEPT_PAST = 60  # what is past does not change
WIDER, TRIES = 4, 6  # where nothing was traded for a whole page, look further back

SPARKS = 20  # lines one call may ask for
SPARK_STEP, SPARK_POINTS, SPARK_KEPT = "30m", 48, 120
AT_ONCE = 4

Row = list[float]


class Page(TypedDict):
    candles: list[Row]
    asked_at: int  # epoch milliseconds; later trades are not in it
    beginning: bool  # there is nothing before


@require_GET
def candles(request: HttpRequest, symbol: str, resolution: str) -> JsonResponse:
    """`{"candles": [[seconds, open, high, low, close, volume]…]}`, oldest first; 503 and why when unreachable.

    `?source=mark` or `index` instead of trades; `?before=SECONDS` for the history that ends there; `?since=SECONDS`
    for what came from there on.
    """
    environment = environment_of(request)
    try:
        instrument = instrument_for(environment, symbol)
    except NotAllowed as refusal:
        return JsonResponse({"error": refusal.code, "message": refusal.reason}, status=404)
    if resolution not in SECONDS:
        return JsonResponse({"error": "unknown_resolution", "message": "There is no such resolution."}, status=404)
    source = request.GET.get("source", "trade")
    before, since = request.GET.get("before", ""), request.GET.get("since", "")
    if source not in SOURCES or not all(re.fullmatch(r"\d{0,11}", word, re.ASCII) for word in (before, since)):
        return JsonResponse({"error": "unknown_source", "message": "There are no such candles."}, status=404)
    try:
        page: Any = cache.get_or_set(
            f"candles:{environment}:{instrument.symbol}:{resolution}:{source}:{before}:{since}",
            lambda: _read(
                environment, instrument.symbol, resolution, SOURCES[source], _moment(before), _moment(since)
            ),
            KEPT_PAST if before else KEPT,
        )
    except KrakenError:
        message = "The exchange did not answer for the chart's history. Live trades still draw."
        return JsonResponse({"error": "unreachable", "message": message}, status=503)
    return JsonResponse({**page, "seconds": SECONDS[resolution]})


def _moment(seconds: str) -> datetime | None:
    return datetime.fromtimestamp(int(seconds), UTC) if seconds else None


def _read(
    environment: str,
    symbol: str,
    resolution: str,
    source: PriceSource,
    before: datetime | None,
    since: datetime | None,
) -> Page:
    """The newest ones, those from `since` on, or those before `before`, which is left out."""
    asked_at = datetime.now(UTC)
    step, last = timedelta(seconds=SECONDS[resolution]), before and before - timedelta(seconds=1)
    first, found = since or (before or asked_at) - step * CANDLES, list[Candle]()
    for attempt in range(TRIES):
        answer = venue_for(environment).market.candles(
            symbol, source=source, resolution=resolution, since=first, until=last, count=CANDLES
        )
        found = [one for one in answer if before is None or one.at < before]
        if found or since is not None:
            break
        first -= step * CANDLES * WIDER**attempt
    rows = [_row(one) for one in found[-CANDLES:]]
    return Page(candles=rows, asked_at=int(asked_at.timestamp() * 1000), beginning=not rows)


def _row(one: Candle) -> Row:
    figures = (one.open, one.high, one.low, one.close, one.volume)
    return [int(one.at.timestamp()), *(float(figure) for figure in figures)]


@require_GET
def sparklines(request: HttpRequest) -> JsonResponse:
    """`{SYMBOL: [closes of a day, oldest first]}` for `?symbols=A,B`; what the venue does not tell is left out."""
    environment = environment_of(request)
    named = dict.fromkeys(request.GET.get("symbols", "").upper().split(","))
    if len(named) > SPARKS:
        message = f"At most {SPARKS} lines can be asked for at once."
        return JsonResponse({"error": "too_many", "message": message}, status=400)
    symbols = [symbol for symbol in named if _listed(environment, symbol)]
    with ThreadPoolExecutor(AT_ONCE) as helpers:
        lines = list(helpers.map(lambda symbol: _spark(environment, symbol), symbols))
    return JsonResponse({symbol: line for symbol, line in zip(symbols, lines, strict=True) if line})


def _listed(environment: str, symbol: str) -> bool:
    try:
        return bool(instrument_for(environment, symbol))
    except NotAllowed:
        return False


def _spark(environment: str, symbol: str) -> list[float]:
    """Empty where the venue did not answer: the page then shows no line, and asks again later."""
    name = f"spark:{environment}:{symbol}"
    known: list[float] | None = cache.get(name)
    if known is not None:
        return known
    since = datetime.now(UTC) - timedelta(seconds=SECONDS[SPARK_STEP] * SPARK_POINTS)
    try:
        found = venue_for(environment).market.candles(
            symbol, source=PriceSource.TRADE, resolution=SPARK_STEP, since=since, count=SPARK_POINTS
        )
    except KrakenError:
        return []
    closes = [float(one.close) for one in found]
    cache.set(name, closes, SPARK_KEPT)
    return closes
