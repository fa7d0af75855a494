"""`/api/history/v2` and `/v3`: the same handlers under both numbers, as the real venue has it."""

from __future__ import annotations

import base64
import binascii
import csv
import io
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from demovenue.doors.answers import Answer, encode, iso_millis, millis, plain, plain_words, text
from demovenue.doors.call import Call
from demovenue.doors.limits import account_log_cost
from demovenue.doors.shapes import history as shapes
from demovenue.doors.table import Family, Right, Table
from demovenue.values import HistoryPage, Instrument, LogEntry

Fields = dict[str, Any]
Numbered = tuple[int, Fields]  # a number that rises with time, and the element

MOST = 1000  # elements a page, whatever `count` says
MOST_MARKET = 5000  # of the tape; what is older is forgotten
MOST_LOG = 100_000
MOST_CSV = 500_000
CHANGES = {
    "opened": "open",
    "closed": "close",
    "increased": "increase",
    "decreased": "decrease",
    "reversed": "reverse",
    "no_change": "noChange",
}
REASONS = {"trades": "trade", "funding_realization": "fundingRealisation", "settlement": "settlement"}
CSV_HEADER = [
    "uid",
    "dateTime",
    "account",
    "type",
    "symbol",
    "contract",
    "change",
    "new balance",
    "new average entry price",
    "trade price",
    "mark price",
    "funding rate",
    "realized pnl",
    "fee",
    "realized funding",
    "collateral",
    "conversion spread percentage",
    "liquidation fee",
    "position uid",
    "exchange rate",
    "exchange rate from",
    "conversion fee",
]


def add_routes(table: Table) -> None:
    for version in ("v2", "v3"):
        base = f"/api/history/{version}"
        options: dict[str, Any] = {"right": Right.READ, "family": Family.HISTORY}
        for family in ("executions", "orders", "triggers", "positions"):
            table.add("GET", f"{base}/{family}", _own(family), cost=1, **options)
        table.add("GET", f"{base}/account-log", account_log, cost=_log_cost, **options)
        table.add("GET", f"{base}/accountlogcsv", account_log_csv, cost=6, **options)
        for family in ("executions", "orders", "price"):
            table.add("GET", f"{base}/market/{{symbol}}/{family}", _market(family), family=Family.HISTORY)


def _own(family: str) -> Any:
    def handler(call: Call) -> bytes:
        page = _page(call, family)
        owner = call.exchange.account(call.account)
        assert owner is not None
        elements = [shapes.element(event, owner) for event in page.events]
        return _paged(call, {"accountUid": call.account}, elements, page.cursor)

    return handler


def _page(call: Call, family: str) -> HistoryPage:
    params = call.params
    opened, closed = _word(call, "opened"), _word(call, "closed")
    is_position = family == "positions"
    return call.exchange.history(
        call.account,
        family,
        symbol=params.symbol("tradeable"),
        since=params.epoch_millis("since"),
        before=params.epoch_millis("before"),
        ascending=_ascending(call),
        count=_count(call),
        cursor=_cursor(call),
        opened=None if is_position else opened,
        closed=None if is_position else closed,
        changes=_filters(call, CHANGES) if is_position else (),
        reasons=_filters(call, REASONS) if is_position else (),
    )


def _word(call: Call, name: str) -> bool | None:
    return call.params.flag(name)


def _filters(call: Call, names: dict[str, str]) -> Sequence[str]:
    """Only `true` has an effect."""
    return [value for name, value in names.items() if call.params.flag(name)]


def _ascending(call: Call) -> bool:
    return call.params.word("sort", ("asc", "desc")) == "asc"


def _count(call: Call) -> int:
    return min(call.params.whole("count", least=1) or MOST, MOST)


def _cursor(call: Call) -> int | None:
    token = call.params.get("continuation_token") or call.params.get("continuationToken")
    if token is None:
        return None
    try:
        return int(base64.b64decode(token, validate=True).decode().removeprefix("c"))
    except (binascii.Error, UnicodeDecodeError, ValueError) as error:
        raise plain_words("Invalid continuation token", 400) from error


def _token(cursor: int) -> str:
    return base64.b64encode(f"c{cursor}".encode()).decode()


def _paged(call: Call, head: Fields, elements: list[Fields], cursor: int | None) -> bytes:
    """A page; its headers say again whether more follows."""
    page = {**head, "elements": elements, "len": len(elements), "serverTime": iso_millis(call.now())}
    call.headers["is-truncated"] = "false" if cursor is None else "true"
    if cursor is not None:
        page["continuationToken"] = _token(cursor)
        call.headers["Next-Continuation-Token"] = _token(cursor)
    return encode(page)


# --- the market's own events ----------------------------------------------------------------------


def _market(family: str) -> Any:
    def handler(call: Call) -> bytes:
        instrument = call.listed(call.values["symbol"])
        if instrument is None:
            raise _unknown_market()
        rows = [row for row in _MARKET_EVENTS[family](call, instrument) if _is_within(call, row[1]["timestamp"])]
        if _ascending(call):
            rows.reverse()
        rows = _after(rows, _cursor(call), ascending=_ascending(call))
        page = rows[: _count(call)]
        elements = [element for _, element in page]
        return _paged(call, {}, elements, page[-1][0] if len(rows) > len(page) else None)

    return handler


def _after(rows: list[Numbered], cursor: int | None, *, ascending: bool) -> list[Numbered]:
    """What follows the row that ended the last page, however many new ones came in between."""
    if cursor is None:
        return rows
    return [row for row in rows if (row[0] > cursor if ascending else row[0] < cursor)]


def _is_within(call: Call, at: int) -> bool:
    since, before = call.params.epoch_millis("since"), call.params.epoch_millis("before")
    return (since is None or at >= millis(since)) and (before is None or at < millis(before))


def _market_executions(call: Call, instrument: Instrument) -> list[Numbered]:
    """The tape as events, newest first."""
    found = call.exchange.trades(instrument.symbol, before=call.params.epoch_millis("before"), limit=MOST_MARKET)
    mark = call.exchange.ticker(instrument.symbol).mark
    return [(one.seq, shapes.market_execution(one, mark, inverse=instrument.inverse)) for one in found]


def _market_prices(call: Call, instrument: Instrument) -> list[Numbered]:
    """The mark price minute by minute, newest first."""
    candles, _ = call.exchange.candles("mark", instrument.symbol, "1m", since=None, until=None, count=MOST_MARKET)
    return [(one.time, shapes.market_price(instrument.symbol, one)) for one in reversed(candles)]


def _market_orders(call: Call, instrument: Instrument) -> list[Numbered]:
    """What came into the book and left it unfilled, newest first, without names."""
    before = call.params.epoch_millis("before")
    found = call.exchange.market_orders(instrument.symbol, before=before, limit=MOST_MARKET)
    return [(one.seq, shapes.market_order(one)) for one in found]


_MARKET_EVENTS: dict[str, Callable[[Call, Instrument], list[Numbered]]] = {
    "executions": _market_executions,
    "orders": _market_orders,
    "price": _market_prices,
}


def _unknown_market() -> Answer:
    return Answer(lambda _: encode({"status": "not found", "reason": "Unknown tradeable."}), 404)


# --- the account log ------------------------------------------------------------------------------


def _log_count(call: Call) -> int:
    return min(call.params.whole("count", least=1) or 500, MOST_LOG)


def _log_cost(call: Call) -> int:
    return account_log_cost(_log_count(call))


def account_log(call: Call) -> bytes:
    params = call.params
    entries = call.exchange.account_log(
        call.account,
        since=params.epoch_millis("since"),
        before=params.epoch_millis("before"),
        from_id=params.whole("from", least=1),
        to_id=params.whole("to"),
        info=params.all("info"),
        ascending=_ascending(call),
        limit=_log_count(call),
    )
    details = call.params.flag("conversion_details") or False
    return encode({"accountUid": call.account, "logs": [log_entry(entry, details) for entry in entries]})


def log_entry(entry: LogEntry, details: bool = False) -> Fields:
    """A row of the log; what the kind does not have is null."""
    numbers = {name: None if value is None else plain(value) for name, value in shapes.log_numbers(entry).items()}
    row = {**shapes.log_row(entry, numbers), "date": iso_millis(entry.at)}
    return row | ({"exchange_rate": None, "exchange_rate_from": None, "conversion_fee": None} if details else {})


def account_log_csv(call: Call) -> bytes:
    """The newest rows as CSV, UTC times without a zone."""
    entries = call.exchange.account_log(call.account, limit=MOST_CSV)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(CSV_HEADER)
    writer.writerows(_csv_row(entry) for entry in entries)
    call.headers["Content-Type"] = "text/csv"
    return out.getvalue().encode()


def _csv_row(entry: LogEntry) -> list[str]:
    def cell(value: Decimal | None) -> str:
        return "" if value is None else text(value)

    return [
        entry.booking_uid,
        entry.at.strftime("%Y-%m-%d %H:%M:%S"),
        entry.margin_account,
        entry.info,
        entry.asset,
        entry.contract or "",
        text(entry.new_balance - entry.old_balance),
        text(entry.new_balance),
        cell(entry.new_average_entry_price),
        cell(entry.trade_price),
        cell(entry.mark_price),
        cell(entry.funding_rate),
        cell(entry.realized_pnl),
        cell(entry.fee),
        cell(entry.realized_funding),
        entry.collateral or "",
        cell(entry.conversion_spread_percentage),
        cell(entry.liquidation_fee),
        "",
        "",
        "",
        "",
    ]
