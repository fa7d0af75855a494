"""Orders: sent, changed, taken back, asked for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from demovenue.facade.base import Calls
from demovenue.parts import Parts
from demovenue.values import CancelAllResult, CancelWish, EditWish, Order, OrderResult, OrderWish


class OrderCalls(Calls):
    def send_order(self, account_uid: str, wish: OrderWish, *, fault: str | None = None) -> OrderResult:
        """`fault`: None, `fill_at_once`, `partial_fill` (a resting order is hit at its own price by the house) or
        `unknown_fill_type` (its fills carry a type no client knows). Refused `notFound`… never: see the status.
        An unknown symbol is Refused `invalidArgument`."""
        with self._order_command() as parts:
            return parts.orders.send(account_uid, wish, fault)

    def edit_order(self, account_uid: str, wish: EditWish) -> OrderResult:
        with self._order_command() as parts:
            return parts.edits.edit(account_uid, wish)

    def cancel_order(self, account_uid: str, wish: CancelWish) -> OrderResult:
        with self._order_command() as parts:
            return parts.cancels.cancel(account_uid, wish)

    def cancel_all(self, account_uid: str, symbol: str | None = None) -> CancelAllResult:
        with self._order_command() as parts:
            return parts.cancels.cancel_all(account_uid, symbol)

    def batch(
        self,
        account_uid: str,
        wishes: Sequence[OrderWish | EditWish | CancelWish],
        *,
        process_before: datetime | None = None,
    ) -> Sequence[OrderResult]:
        """One result per wish, in order, applied in order, not atomic, one commit."""
        with self._order_command() as parts:
            return [self._one_of_batch(parts, account_uid, wish, process_before) for wish in wishes]

    @staticmethod
    def _one_of_batch(
        parts: Parts, uid: str, wish: OrderWish | EditWish | CancelWish, process_before: datetime | None
    ) -> OrderResult:
        if process_before is not None:
            wish = msgspec.structs.replace(wish, process_before=process_before)
        if isinstance(wish, OrderWish):
            return parts.orders.send(uid, wish)
        if isinstance(wish, EditWish):
            return parts.edits.edit(uid, wish)
        return parts.cancels.cancel(uid, wish)

    def cancel_all_after(self, account_uid: str, seconds: int) -> datetime | None:
        """Arms the dead man's switch; 0 disarms (None). Returns when it fires."""
        with self._command() as parts:
            parts.cancels.arm(account_uid, seconds)
            return parts.floor.account(account_uid).cancel_all_at

    def order_status(self, account_uid: str, order_ids: Sequence[str], cli_ord_ids: Sequence[str]) -> Sequence[Order]:
        """Orders open now or finished within the last 5 seconds (rejected ones too); unknown ids are left out."""
        floor = self._parts.floor
        known = [*floor.orders[account_uid].values(), *floor.finished_of(account_uid)]
        ids, names = set(order_ids), set(cli_ord_ids)
        return [order for order in known if order.id in ids or (order.cli_ord_id and order.cli_ord_id in names)]

    def open_orders(self, account_uid: str) -> Sequence[Order]:
        """Newest first, triggers included."""
        return sorted(self._parts.floor.orders[account_uid].values(), key=lambda order: order.id, reverse=True)
