"""Taking orders back: one, all, or all of them when the owner falls silent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import msgspec

from demovenue import checks
from demovenue.events import AccountChanged
from demovenue.floor import Floor
from demovenue.matching import Matching
from demovenue.values import CancelAllResult, CancelWish, Order, OrderEvent, OrderResult


class Cancels:
    def __init__(self, floor: Floor, matching: Matching) -> None:
        self._floor = floor
        self._matching = matching
        # Orders that wait outside the book (maker protection): by name, and all of a market.
        self.take_back: Callable[[str, str], bool] = lambda uid, cli_ord_id: False
        self.take_back_all: Callable[[str, str | None], bool] = lambda uid, symbol: False

    def cancel(self, uid: str, wish: CancelWish) -> OrderResult:
        floor = self._floor
        late = checks.timing(wish.process_before, floor.now)
        if late:
            return OrderResult(status=late, received=floor.now, order_id=wish.order_id, cli_ord_id=wish.cli_ord_id)
        order = find_open(floor, uid, wish.order_id, wish.cli_ord_id)
        if order is None:
            return self._missing(uid, wish)
        self._matching.withdraw(floor.market(order.symbol), order, "cancelled_by_user", "CANCELLED_BY_USER")
        return OrderResult(
            status="cancelled",
            received=floor.now,
            order_id=order.id,
            cli_ord_id=order.cli_ord_id,
            events=(OrderEvent(type="CANCEL", order=order),),
        )

    def _missing(self, uid: str, wish: CancelWish) -> OrderResult:
        """`filled` only while it is remembered as completely filled; a held order is acknowledged without a word
        more; everything else is not found."""
        if wish.order_id is None and wish.cli_ord_id and self.take_back(uid, wish.cli_ord_id):
            return OrderResult(status="cancelled", received=self._floor.now, cli_ord_id=wish.cli_ord_id)
        for _, order in self._floor.finished.values():
            named = order.id == wish.order_id or (wish.cli_ord_id and order.cli_ord_id == wish.cli_ord_id)
            if order.account_uid == uid and named and order.status == "FULLY_EXECUTED":
                return OrderResult(
                    status="filled", received=self._floor.now, order_id=order.id, cli_ord_id=order.cli_ord_id
                )
        return OrderResult(status="notFound", received=self._floor.now)

    def cancel_all(
        self,
        uid: str,
        symbol: str | None,
        reason: str = "cancelled_by_user",
        update_reason: str = "CANCELLED_BY_USER",
    ) -> CancelAllResult:
        floor = self._floor
        hit = [order for order in floor.orders[uid].values() if symbol in {None, order.symbol}]
        for order in hit:
            self._matching.withdraw(floor.market(order.symbol), order, reason, update_reason)
        held = self.take_back_all(uid, symbol)
        return CancelAllResult(
            status="cancelled" if hit or held else "noOrdersToCancel",
            received=floor.now,
            cancel_only=symbol or "all",
            cancelled=tuple(hit),
        )

    # --- dead man's switch -------------------------------------------------------------------------------------

    def arm(self, uid: str, seconds: int) -> None:
        at = self._floor.now + timedelta(seconds=seconds) if seconds else None
        self._floor.save_account(msgspec.structs.replace(self._floor.account(uid), cancel_all_at=at))
        self._floor.ring(AccountChanged(account_uid=uid))

    def fire_due(self) -> None:
        now = self._floor.now
        for account in list(self._floor.accounts.values()):
            if account.cancel_all_at is not None and account.cancel_all_at <= now:
                self.cancel_all(account.uid, None, "dead_man_switch", "DEAD_MAN_SWITCH")
                self.arm(account.uid, 0)


def find_open(floor: Floor, uid: str, order_id: str | None, cli_ord_id: str | None) -> Order | None:
    """By the venue's id or by the client's."""
    orders = floor.orders[uid]
    if order_id is not None:
        return orders.get(order_id)
    return next((o for o in orders.values() if cli_ord_id and o.cli_ord_id == cli_ord_id), None)
