"""Looking back: fills, account log, order and position events, the ledger. All from the archive, a page at a time."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

import msgspec

from demovenue.archive import BEYOND
from demovenue.floor import Floor
from demovenue.ids import derived
from demovenue.values import Fill, HistoryEvent, HistoryPage, Ledger, LogEntry, Order, Record, Transfer, Withdrawal

R = TypeVar("R", bound=Record)
MAX_PAGE = 100_000
TRADE_TYPES = {
    "liquidation": "liquidation",
    "partialLiquidation": "partialLiquidation",
    "assignor": "assignment",
    "assignee": "assignment",
    "unwindBankrupt": "unwind",
    "unwindCounterparty": "unwind",
}


class History:
    def __init__(self, floor: Floor) -> None:
        self._floor = floor

    def fills(self, uid: str, before: datetime | None, limit: int) -> list[Fill]:
        """Newest first."""
        high = self._number_at("fills", uid, before, BEYOND)
        return list(islice(self._floor.store.happened(Fill, "fills", uid, high=high, ascending=False), limit))

    def log(
        self,
        uid: str,
        *,
        since: datetime | None,
        before: datetime | None,
        from_id: int | None,
        to_id: int | None,
        info: Sequence[str],
        ascending: bool,
        limit: int,
    ) -> list[LogEntry]:
        found = self._floor.store.happened(
            LogEntry,
            "log",
            uid,
            low=max(from_id or 0, self._number_at("log", uid, since, 0)),
            high=min(BEYOND if to_id is None else to_id + 1, self._number_at("log", uid, before, BEYOND)),
            ascending=ascending,
            tags=[info],
        )
        return list(islice((entry for entry in found if not info or entry.info in info), min(limit, MAX_PAGE)))

    def page(
        self,
        uid: str,
        family: str,
        *,
        symbol: str | None,
        since: datetime | None,
        before: datetime | None,
        ascending: bool,
        count: int,
        cursor: int | None,
        opened: bool | None,
        closed: bool | None,
        changes: Sequence[str],
        reasons: Sequence[str],
    ) -> HistoryPage:
        openings = [name for name, flag in (("opened", opened), ("closed", closed)) if flag]
        tags = [[symbol] if symbol else [], changes, reasons, openings]
        streams = [self._stretch(HistoryEvent, family, uid, since, before, cursor, ascending, tags)]
        if family in OF_FILLS:
            fills = self._stretch(Fill, "fills", uid, since, before, cursor, ascending, tags)
            streams.append(map(OF_FILLS[family], fills))
        found = heapq.merge(*streams, key=lambda event: event.seq, reverse=not ascending)
        wanted = _wanted(symbol, openings, opened, closed, changes, reasons)
        events = list(islice(filter(wanted, found), count + 1))
        more = len(events) > count
        events = events[:count]
        return HistoryPage(events=tuple(events), cursor=events[-1].seq if more else None)

    def _stretch(
        self,
        kind: type[R],
        stream: str,
        uid: str,
        since: datetime | None,
        before: datetime | None,
        cursor: int | None,
        ascending: bool,
        tags: Sequence[Sequence[str]],
    ) -> Iterator[R]:
        """What lies between two moments, and beyond the cursor."""
        low, high = self._number_at(stream, uid, since, 0), self._number_at(stream, uid, before, BEYOND)
        if cursor is not None:
            low, high = (max(low, cursor + 1), high) if ascending else (low, min(high, cursor))
        return self._floor.store.happened(kind, stream, uid, low=low, high=high, ascending=ascending, tags=tags)

    def _number_at(self, stream: str, uid: str, at: datetime | None, otherwise: int) -> int:
        return otherwise if at is None else self._floor.store.number_at(stream, uid, at)

    def ledger(self, uid: str) -> Ledger:
        store = self._floor.store
        by_time = "SELECT body FROM {} WHERE account = ? ORDER BY at, uid"
        finished = {order.id: order for order in store.happened(Order, "finished", uid)}
        orders: Iterable[Order] = [*finished.values(), *self._floor.orders[uid].values()]
        return Ledger(
            orders=tuple(sorted(orders, key=lambda order: (order.created, order.id))),
            fills=tuple(store.happened(Fill, "fills", uid)),
            transfers=tuple(store.records(Transfer, by_time.format("transfers"), uid)),
            withdrawals=tuple(store.records(Withdrawal, by_time.format("withdrawals"), uid)),
        )


def _execution(fill: Fill) -> HistoryEvent:
    return _of_fill(fill, "executions", "Execution", order=fill.order, fill=fill)


def _update(fill: Fill) -> HistoryEvent:
    """What the execution did to its order."""
    after = fill.order.after(fill.size, fill.at)
    done = after.remaining == 0
    reason = "full_fill" if done else "partial_fill"
    return _of_fill(fill, "orders", "OrderUpdated", order=after, old=fill.order, reason=reason, closed=done)


def _position_update(fill: Fill) -> HistoryEvent:
    change = msgspec.structs.replace(
        fill.change,
        fee=fill.fee,
        fee_currency=fill.fee_currency,
        realized_pnl=fill.realized_pnl,
        execution_uid=fill.fill_id,
        execution_price=fill.price,
        execution_size=fill.size,
        trade_type=TRADE_TYPES.get(fill.fill_type, "userExecution"),
    )
    return _of_fill(fill, "positions", "PositionUpdate", position=change)


def _of_fill(fill: Fill, family: str, key: str, /, **fields: Any) -> HistoryEvent:
    """An execution is written down once, as a fill; the events of the three families are told from it."""
    return HistoryEvent(
        seq=fill.number,
        uid=derived(fill.fill_id, f"{fill.account_uid}/{family}"),
        account_uid=fill.account_uid,
        family=family,
        key=key,
        at=fill.at,
        symbol=fill.symbol,
        **fields,
    )


OF_FILLS = {"executions": _execution, "orders": _update, "positions": _position_update}


def _wanted(
    symbol: str | None,
    openings: Sequence[str],
    opened: bool | None,
    closed: bool | None,
    changes: Sequence[str],
    reasons: Sequence[str],
) -> Callable[[HistoryEvent], bool]:
    """Filters narrow each other, the values of one widen it. Of openings, True asks for those that opened (closed)
    something, two Trues widen each other, and False excludes them."""

    def is_wanted(event: HistoryEvent) -> bool:
        if symbol and event.symbol != symbol:
            return False
        if openings and not any(getattr(event, name) for name in openings):
            return False
        if (opened is False and event.opened) or (closed is False and event.closed):
            return False
        change = event.position
        return change is None or (
            (not changes or change.change in changes) and (not reasons or change.reason in reasons)
        )

    return is_wanted
