"""What an account has and had."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from demovenue.facade.base import Calls
from demovenue.needs import Wanted
from demovenue.values import Fill, HistoryPage, Ledger, LogEntry, PositionView, WalletsView


class AccountCalls(Calls):
    def wallets(self, account_uid: str) -> WalletsView:
        with self._read() as parts:
            return parts.margin.wallets(account_uid)

    def positions(self, account_uid: str) -> Sequence[PositionView]:
        """The newest first."""
        with self._read() as parts:
            held = sorted(parts.floor.positions[account_uid].values(), key=lambda p: p.opened, reverse=True)
            return [parts.margin.position(position) for position in held]

    def fills(self, account_uid: str, *, before: datetime | None = None, limit: int = 100) -> Sequence[Fill]:
        """Newest first."""
        return self._parts.history.fills(account_uid, before, limit)

    def account_log(
        self,
        account_uid: str,
        *,
        since: datetime | None = None,
        before: datetime | None = None,
        from_id: int | None = None,
        to_id: int | None = None,
        info: Sequence[str] = (),
        ascending: bool = False,
        limit: int = 500,
    ) -> Sequence[LogEntry]:
        """Ids inclusive; `since` inclusive, `before` exclusive; newest first unless `ascending`."""
        return self._parts.history.log(
            account_uid,
            since=since,
            before=before,
            from_id=from_id,
            to_id=to_id,
            info=info,
            ascending=ascending,
            limit=limit,
        )

    def history(
        self,
        account_uid: str,
        family: str,
        *,
        symbol: str | None = None,
        since: datetime | None = None,
        before: datetime | None = None,
        ascending: bool = False,
        count: int = 1000,
        cursor: int | None = None,
        opened: bool | None = None,
        closed: bool | None = None,
        changes: Sequence[str] = (),
        reasons: Sequence[str] = (),
    ) -> HistoryPage:
        """`family`: executions, orders, triggers, positions. `changes`, `reasons` filter positions (the values
        of `PositionChange.change` and `.reason`); `opened`/`closed` filter orders and triggers."""
        return self._parts.history.page(
            account_uid,
            family,
            symbol=symbol,
            since=since,
            before=before,
            ascending=ascending,
            count=count,
            cursor=cursor,
            opened=opened,
            closed=closed,
            changes=changes,
            reasons=reasons,
        )

    def volume_30d(self, account_uid: str) -> Decimal:
        """USD traded in the last 30 days of demo time."""
        return self._parts.fees.volume(account_uid)

    def unwind_queue(self, account_uid: str) -> Sequence[tuple[str, int]]:
        """(symbol, percentile) of every open position."""
        parts = self._parts
        held = parts.floor.positions[account_uid].values()
        return [(position.symbol, parts.liquidation.percentile(position)) for position in held]

    def initial_margin_of(
        self, account_uid: str, *, symbol: str, side: str, size: Decimal, price: Decimal
    ) -> tuple[Decimal, Decimal]:
        """What an order would need, and the estimated liquidation price after it filled (0: none)."""
        wanted = Wanted(symbol, side == "buy", size, price)
        return self._parts.margin.added_need(account_uid, wanted), self._parts.margin.threshold_after(
            account_uid, wanted
        )

    def max_order_size(self, account_uid: str, *, symbol: str, side: str, price: Decimal) -> Decimal:
        return self._parts.margin.largest(account_uid, symbol, side == "buy", price)

    def ledger(self, account_uid: str) -> Ledger:
        return self._parts.history.ledger(account_uid)
