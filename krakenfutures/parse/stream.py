"""What one line of the socket says, looked at by itself; what it means after the others is `krakenfutures.feed`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from krakenfutures.errors import Unreadable
from krakenfutures.events import (
    Alert,
    CandleTick,
    Event,
    FillsHappened,
    FillsSnapshot,
    Heard,
    LedgerRows,
    Notices,
    OrdersSnapshot,
    PositionsChanged,
    Subscribed,
    TradesSnapshot,
    Unread,
)
from krakenfutures.hot import read_hot
from krakenfutures.numbers import read_json
from krakenfutures.parse.fields import Fields
from krakenfutures.parse.fills import parse_stream_fills
from krakenfutures.parse.funds import parse_stream_ledger_row
from krakenfutures.parse.markets import (
    parse_book_delta,
    parse_book_snapshot,
    parse_candle,
    parse_stream_trade,
)
from krakenfutures.parse.orders import parse_order_change, parse_stream_orders
from krakenfutures.parse.positions import parse_stream_positions
from krakenfutures.parse.tickers import parse_stream_ticker
from krakenfutures.parse.wallets import parse_balances
from krakenfutures.values import Value

CANDLES = "candles_trade_"


class Challenge(Value, frozen=True):
    """The text to be signed before private streams are asked for."""

    text: str


def read_line(text: str | bytes) -> Event | Challenge:
    """Never raises: a line we do not understand is an `Unread` that carries it."""
    hot = read_hot(text)
    if hot is not None:
        return hot
    try:
        raw = read_json(text)
        if not isinstance(raw, dict):
            raise Unreadable("the line is not an object")
        return _event(raw) if "event" in raw else _feed(raw)
    except (Unreadable, OverflowError) as problem:
        shown = text if isinstance(text, str) else text.decode(errors="replace")
        return Unread(text=shown, why=str(problem))


def _event(raw: dict[str, Any]) -> Event | Challenge:
    """Acknowledgements echo the key and the signature: nothing of that is passed on."""
    row = Fields(raw, "a line")
    kind = row.need_text("event")
    if kind == "challenge":
        return Challenge(text=row.need_text("message"))
    if kind in {"info", "pong", "unsubscribed"}:
        return Heard()
    if kind == "subscribed":
        products = list(row.rows("product_ids"))
        return Subscribed(feed=row.text("feed") or "", symbol=str(products[0]).upper() if products else None)
    if kind in {"alert", "error", "subscribed_failed", "unsubscribed_failed"}:
        message = row.text("message") or kind
        return Alert(message=message, unauthorised="authenticated feed" in message)
    raise Unreadable(f"the event {kind!r} is not known")


def _feed(raw: dict[str, Any]) -> Event:
    feed = raw.get("feed")
    if not isinstance(feed, str):
        raise Unreadable("the line names no feed")
    if feed in READERS:
        return READERS[feed](raw)
    if feed.startswith(CANDLES):
        return _candles(raw, feed)
    raise Unreadable(f"the feed {feed!r} is not known")


def _candles(raw: dict[str, Any], feed: str) -> CandleTick:
    row = Fields(raw, "candles")
    one = row.take("candle")
    rows = list(row.rows("candles")) if one is None else [one]
    return CandleTick(
        symbol=row.need_text("product_id").upper(),
        resolution=feed.removeprefix(CANDLES).removesuffix("_snapshot"),
        candles=tuple(parse_candle(candle) for candle in rows),
    )


def _trades(raw: dict[str, Any]) -> TradesSnapshot:
    row = Fields(raw, "trades")
    trades = tuple(parse_stream_trade(trade) for trade in row.rows("trades"))
    return TradesSnapshot(symbol=row.need_text("product_id").upper(), trades=trades)


def _ledger(raw: dict[str, Any]) -> LedgerRows:
    row = Fields(raw, "the account log")
    entry = row.take("new_entry")
    rows = list(row.rows("logs")) if entry is None else [entry]
    parsed = tuple(parse_stream_ledger_row(one) for one in rows)
    return LedgerRows(rows=parsed, complete=raw["feed"] == "account_log_snapshot")


def _notices(raw: dict[str, Any]) -> Notices:
    return Notices(notices=_objects(list(Fields(raw, "notifications").rows("notifications"))))


def _objects(rows: list[Any]) -> tuple[dict[str, object], ...]:
    if not all(isinstance(row, dict) for row in rows):
        raise Unreadable("a row is not an object")
    return tuple(rows)


READERS: dict[str, Callable[[dict[str, Any]], Event]] = {
    "heartbeat": lambda raw: Heard(at=Fields(raw, "a heartbeat").time("time")),
    "ticker": parse_stream_ticker,
    "ticker_lite": parse_stream_ticker,
    "trade": parse_stream_trade,
    "trade_snapshot": _trades,
    "book": parse_book_delta,
    "book_snapshot": parse_book_snapshot,
    "open_orders": parse_order_change,
    "open_orders_verbose": parse_order_change,
    "open_orders_snapshot": lambda raw: OrdersSnapshot(orders=parse_stream_orders(raw)),
    "open_orders_verbose_snapshot": lambda raw: OrdersSnapshot(orders=parse_stream_orders(raw)),
    "fills": lambda raw: FillsHappened(fills=parse_stream_fills(raw)),
    "fills_snapshot": lambda raw: FillsSnapshot(fills=parse_stream_fills(raw)),
    "open_positions": lambda raw: PositionsChanged(positions=parse_stream_positions(raw)),
    "balances": parse_balances,
    "balances_snapshot": parse_balances,
    "account_log": _ledger,
    "account_log_snapshot": _ledger,
    "notifications_auth": _notices,
}
