"""Orders: sent, changed, taken back, asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

import msgspec

from demovenue.facade.base import Calls
from demovenue.parts import Parts
from demovenue.values import CancelAllResult, CancelWish, EditWish, Order, OrderResult, OrderWish


class OrderCalls(Calls):
    def send_order(self, account_uid: str, wish: OrderWish, *, fault: str | None = None) -> OrderResult:
        """`fault`: None, `fill_at_once`, `partial_fill` (a resting order is hit at its own price by the house) or
        `unknown_fill_type` (its fills carry a type no client knows). Refused `notFound`… never: see the status.
        An unknown symbol is Refused `invalidArgument`."""
        with self._command() as parts:
            return parts.orders.send(account_uid, wish, fault)

    def edit_order(self, account_uid: str, wish: EditWish) -> OrderResult:
        with self._command() as parts:
            return parts.edits.edit(account_uid, wish)

    def submit_order(
        self,
        account_uid: str,
        wish: OrderWish,
        *,
        told: Callable[[OrderResult], None],
        fault: str | None = None,
    ) -> OrderResult | None:
        """`send_order`, under the market's maker protection. None: it is held, and `told` hears the result once, after
        the commit, when it has been released. What is held when the process ends was never heard of."""
        with self._command() as parts:
            return self._heard(parts.protection.send(account_uid, wish, fault, told))

    def submit_edit(
        self, account_uid: str, wish: EditWish, *, told: Callable[[OrderResult], None]
    ) -> OrderResult | None:
        with self._command() as parts:
            return self._heard(parts.protection.edit(account_uid, wish, told))

    def submit_batch(
        self,
        account_uid: str,
        wishes: Sequence[OrderWish | EditWish | CancelWish],
        *,
        told: Callable[[Sequence[OrderResult]], None],
        process_before: datetime | None = None,
    ) -> Sequence[OrderResult] | None:
        """None while a single line is held; the others have been done, and `told` hears all of them."""
        results: list[OrderResult | None] = [None] * len(wishes)

        def hear(line: int, result: OrderResult) -> None:
            results[line] = result
            known = [one for one in results if one is not None]
            if len(known) == len(results):
                told(known)

        with self._command() as parts:
            for line, wish in enumerate(wishes):
                wish = _in_time(wish, process_before)
                if isinstance(wish, CancelWish):
                    results[line] = parts.cancels.cancel(account_uid, wish)
                elif isinstance(wish, EditWish):
                    results[line] = parts.protection.edit(account_uid, wish, partial(hear, line))
                else:
                    results[line] = parts.protection.send(account_uid, wish, None, partial(hear, line))
        done = [one for one in results if one is not None]
        if len(done) == len(results):
            return done
        self._alarm.set()
        return None

    def _heard(self, result: OrderResult | None) -> OrderResult | None:
        """A held order may be due before anybody would look."""
        if result is None:
            self._alarm.set()
        return result

    def cancel_order(self, account_uid: str, wish: CancelWish) -> OrderResult:
        with self._command() as parts:
            return parts.cancels.cancel(account_uid, wish)

    def cancel_all(self, account_uid: str, symbol: str | None = None) -> CancelAllResult:
        with self._command() as parts:
            return parts.cancels.cancel_all(account_uid, symbol)

    def batch(
        self,
        account_uid: str,
        wishes: Sequence[OrderWish | EditWish | CancelWish],
        *,
        process_before: datetime | None = None,
    ) -> Sequence[OrderResult]:
        """One result per wish, in order, applied in order, not atomic, one commit."""
        with self._command() as parts:
            return [self._one_of_batch(parts, account_uid, wish, process_before) for wish in wishes]

    @staticmethod
    def _one_of_batch(
        parts: Parts, uid: str, wish: OrderWish | EditWish | CancelWish, process_before: datetime | None
    ) -> OrderResult:
        wish = _in_time(wish, process_before)
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
        """Orders open now or finished within the last 5 seconds (rejected ones too); unknown ids are left out. All of
        them when none is named."""
        floor = self._parts.floor
        known = [*floor.orders[account_uid].values(), *floor.finished_of(account_uid)]
        if not order_ids and not cli_ord_ids:
            return known
        ids, names = set(order_ids), set(cli_ord_ids)
        return [order for order in known if order.id in ids or (order.cli_ord_id and order.cli_ord_id in names)]

    def open_orders(self, account_uid: str) -> Sequence[Order]:
        """Newest first, triggers included."""
        return sorted(self._parts.floor.orders[account_uid].values(), key=lambda order: order.id, reverse=True)


def _in_time(wish: OrderWish | EditWish | CancelWish, deadline: datetime | None) -> OrderWish | EditWish | CancelWish:
    """With the deadline of the whole batch, if it has one."""
    return wish if deadline is None else msgspec.structs.replace(wish, process_before=deadline)
