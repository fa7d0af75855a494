"""`/api/charts/v1`: candles and series, without the wrapper of the trading API."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from demovenue.doors.answers import Answer, encode, plain_words, text
from demovenue.doors.call import Call
from demovenue.doors.table import Family, Table
from demovenue.values import Candle, Refused

Fields = dict[str, Any]

BASE = "/api/charts/v1"
TICK_TYPES = ("spot", "mark", "trade")
SECONDS = {
    "1m": 60,
    "5m": 300,
    "15m": 900,
    "30m": 1800,
    "1h": 3600,
    "4h": 14400,
    "12h": 43200,
    "1d": 86400,
    "1w": 604800,
}
INTERVALS = frozenset(SECONDS.values())
MOST = 2000
_LATEST = 4_102_444_800  # seconds; the year 2100


def add_routes(table: Table) -> None:
    for path, handler in (
        ("", tick_types),
        ("/", tick_types),
        ("/analytics/liquidity-pool", liquidity_pool),
        ("/{tick_type}", symbols),
        ("/{tick_type}/{symbol}", resolutions),
        ("/analytics/{symbol}/{kind}", analytics),
        ("/{tick_type}/{symbol}/{resolution}", candles),
    ):
        table.add("GET", BASE + path, handler, family=Family.CHARTS)


def tick_types(call: Call) -> bytes:
    return encode(TICK_TYPES)


def symbols(call: Call) -> bytes:
    return encode(list(call.exchange.candle_symbols(_tick_type(call))))


def resolutions(call: Call) -> bytes:
    _known(call, _tick_type(call))
    return encode(list(SECONDS))


def candles(call: Call) -> bytes:
    tick_type, resolution = _tick_type(call), call.values["resolution"]
    symbol = _known(call, tick_type)
    if resolution not in SECONDS:
        raise plain_words("Invalid resolution", 400)
    found, more = call.exchange.candles(
        tick_type,
        symbol,
        resolution,
        since=_seconds(call, "from"),
        until=_seconds(call, "to"),
        count=min(_whole(call, "count") or MOST, MOST),
    )
    return encode({"candles": [candle(one) for one in found], "more_candles": more})


def candle(one: Candle) -> Fields:
    return {
        "time": one.time,
        "open": text(one.open),
        "high": text(one.high),
        "low": text(one.low),
        "close": text(one.close),
        "volume": text(one.volume),
    }


def _tick_type(call: Call) -> str:
    given = call.values["tick_type"]
    if given not in TICK_TYPES:
        raise plain_words("Invalid tick type", 400)
    return given


def _known(call: Call, tick_type: str) -> str:
    symbol = call.values["symbol"].upper()
    if symbol not in call.exchange.candle_symbols(tick_type):
        raise plain_words("Market not found", 404)
    return symbol


def _seconds(call: Call, name: str) -> int | None:
    value = _whole(call, name)
    if value is not None and value > _LATEST:
        raise plain_words(f"Invalid {name}", 400)
    return value


def _whole(call: Call, name: str) -> int | None:
    value = call.params.get(name)
    if value is None:
        return None
    if not (value.isascii() and value.isdigit() and len(value) < 18):
        raise plain_words(f"Invalid {name}", 400)
    return int(value)


# --- analytics ------------------------------------------------------------------------------------


def analytics(call: Call) -> bytes:
    """A series on a grid of `interval` seconds; `timestamp` is the opening of each step."""
    kind = call.values["kind"]
    if call.listed(call.values["symbol"]) is None:
        raise _envelope(404, "symbol", "Symbol not found")
    since, until, interval = _window(call)
    steps, data = _SERIES.get(kind, _of_exchange)(call, since, until, interval)
    more = len(steps) >= MOST
    return encode({"result": {"timestamp": steps, "data": data, "more": more}, "errors": []})


def liquidity_pool(call: Call) -> bytes:
    """The demo has no pool: an empty series, as of a venue that never used it."""
    _window(call)
    return encode({"result": {"timestamp": [], "data": {"usdValue": []}, "more": False}, "errors": []})


def _window(call: Call) -> tuple[int, int, int]:
    since, interval = call.params.get("since"), call.params.get("interval")
    if not (since and since.isascii() and since.isdigit() and len(since) < 12):
        raise _envelope(400, "since", "since is required, in epoch seconds")
    if not (interval and interval.isascii() and interval.isdigit() and int(interval[:9]) in INTERVALS):
        raise _envelope(400, "interval", "interval must be one of the resolutions in seconds")
    step = int(interval)
    until = _seconds(call, "to") or int(call.exchange.now().timestamp())
    start = int(since) - int(since) % step
    return start, min(until, start + (MOST - 1) * step), step


def _envelope(status: int, name: str, message: str) -> Answer:
    error = {"severity": "E", "error_class": "Request", "type": "InvalidArgument", "msg": message, "field": name}
    return Answer(lambda _: encode({"result": None, "errors": [error]}), status)


Series = tuple[list[int], Any]


def _resolution(interval: int) -> str:
    return next(word for word, seconds in SECONDS.items() if seconds == interval)


def _of_exchange(call: Call, since: int, until: int, interval: int) -> Series:
    """The kinds the exchange itself draws. Decimals are printed as texts, counts as numbers."""
    symbol, kind = call.values["symbol"].upper(), call.values["kind"]
    try:
        found = call.exchange.analytics(symbol, kind, since=since, until=until, interval=interval)
    except Refused as refused:
        raise _envelope(404, "analytics_type", "Unknown analytics type") from refused
    return found.timestamps, _printed(found.data)


def _printed(data: Any) -> Any:
    if isinstance(data, Decimal):
        return text(data)
    if isinstance(data, dict):
        return {name: _printed(value) for name, value in data.items()}
    return [_printed(value) for value in data] if isinstance(data, list) else data


def _open_interest(call: Call, since: int, until: int, interval: int) -> Series:
    symbol = call.values["symbol"].upper()
    found = call.exchange.open_interest(symbol, since=since, until=until, interval=interval)
    return [one.time // 1000 for one in found], [
        [text(one.open), text(one.high), text(one.low), text(one.close)] for one in found
    ]


def _trade_candles(call: Call, tick_type: str, since: int, until: int, interval: int) -> list[Candle]:
    symbol = call.values["symbol"].upper()
    found, _ = call.exchange.candles(tick_type, symbol, _resolution(interval), since=since, until=until, count=MOST)
    return list(found)


def _basis(call: Call, since: int, until: int, interval: int) -> Series:
    """Mark over index at the close of each step, as a share of the index."""
    index = {one.time: one.close for one in _trade_candles(call, "spot", since, until, interval)}
    found = [one for one in _trade_candles(call, "mark", since, until, interval) if index.get(one.time)]
    basis = [text(((one.close - index[one.time]) / index[one.time]).quantize(Decimal("1e-10"))) for one in found]
    return [one.time // 1000 for one in found], {"basis": basis}


def _funding(call: Call, since: int, until: int, interval: int) -> Series:
    """Open, high, low and close of the hourly rates inside each step."""
    try:
        rates = call.exchange.funding_rates(call.values["symbol"].upper())
    except Refused as refused:
        raise _envelope(404, "symbol", "Not a perpetual") from refused
    steps: dict[int, list[tuple[Decimal, Decimal]]] = {}
    for rate in rates:
        at = int(rate.at.timestamp())
        if since <= at <= until:
            steps.setdefault(at - at % interval, []).append((rate.absolute, rate.relative))
    rows = [[_ohlc([pair[side] for pair in pairs]) for pairs in steps.values()] for side in (0, 1)]
    return list(steps), {"rate": rows[0], "relativeRate": rows[1]}


def _ohlc(values: list[Decimal]) -> list[Decimal]:
    return [values[0], max(values), min(values), values[-1]]


_SERIES: dict[str, Callable[[Call, int, int, int], Series]] = {
    "open-interest": _open_interest,
    "future-basis": _basis,
    "funding": _funding,
}
