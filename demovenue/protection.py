"""Maker protection: on a protected market whatever is not post-only waits a moment before it reaches the book.

Nobody sees what is held, and nothing of it survives the process: its answer has not left either. A held order that
is taken back keeps its moment and then goes as immediate-or-cancel, because it may have been on its way already.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable

import msgspec

from demovenue.cancels import find_open
from demovenue.edits import Edits
from demovenue.floor import Floor
from demovenue.orders import Orders
from demovenue.values import EditWish, OrderResult, OrderWish, Refused

MAX_HELD = 250  # requests of one account
LONGEST_MS = 10_000

Told = Callable[[OrderResult], None]


class Held:
    """One request that waits. Ordered by when it is due, then by when it came."""

    __slots__ = ("due", "fault", "number", "symbol", "taken_back", "told", "uid", "wish")

    def __init__(
        self, due: int, number: int, uid: str, symbol: str, wish: OrderWish | EditWish, fault: str | None, told: Told
    ) -> None:
        self.due = due
        self.number = number
        self.uid = uid
        self.symbol = symbol
        self.wish = wish
        self.fault = fault
        self.told = told
        self.taken_back = False

    def __lt__(self, other: Held) -> bool:
        return (self.due, self.number) < (other.due, other.number)


class Protection:
    def __init__(self, floor: Floor, orders: Orders, edits: Edits) -> None:
        self._floor = floor
        self._orders = orders
        self._edits = edits
        self._held: list[Held] = []  # a heap
        self._counts: Counter[str] = Counter()
        self._number = 0

    # --- coming in ---------------------------------------------------------------------------------------------

    def send(self, uid: str, wish: OrderWish, fault: str | None, told: Told) -> OrderResult | None:
        """The result, or None when it is held: then `told` hears of it."""
        market = self._floor.markets.get(wish.symbol)
        if market is None or not market.status.maker_protection_ms or wish.order_type == "post":
            return self._orders.send(uid, wish, fault)
        return self._orders.turned_away(uid, wish) or self._hold(uid, wish.symbol, wish, fault, told)

    def edit(self, uid: str, wish: EditWish, told: Told) -> OrderResult | None:
        order = find_open(self._floor, uid, wish.order_id, wish.cli_ord_id)
        if order is None or order.type == "post" or not self._floor.market(order.symbol).status.maker_protection_ms:
            return self._edits.edit(uid, wish)
        return self._hold(uid, order.symbol, wish, None, told)

    def _hold(
        self, uid: str, symbol: str, wish: OrderWish | EditWish, fault: str | None, told: Told
    ) -> OrderResult | None:
        if self._counts[uid] >= MAX_HELD:
            return OrderResult(status="tooManyOrders", received=self._floor.now, cli_ord_id=wish.cli_ord_id)
        self._number += 1
        self._counts[uid] += 1
        due = self._floor.micros + self._floor.market(symbol).status.maker_protection_ms * 1000
        heapq.heappush(self._held, Held(due, self._number, uid, symbol, wish, fault, told))
        return None

    def holds_for(self, uid: str) -> bool:
        return self._counts[uid] > 0

    # --- taken back --------------------------------------------------------------------------------------------

    def take_back(self, uid: str, cli_ord_id: str) -> bool:
        """Was an order of that name waiting?"""
        return self._mark(lambda held: held.uid == uid and held.wish.cli_ord_id == cli_ord_id)

    def take_back_all(self, uid: str, symbol: str | None) -> bool:
        return self._mark(lambda held: held.uid == uid and symbol in {None, held.symbol})

    def _mark(self, is_meant: Callable[[Held], bool]) -> bool:
        found = [held for held in self._held if isinstance(held.wish, OrderWish) and is_meant(held)]
        for held in found:
            held.taken_back = True
        return bool(found)

    # --- going on ----------------------------------------------------------------------------------------------

    @property
    def next_due(self) -> int | None:
        """Microseconds of demo time."""
        return self._held[0].due if self._held else None

    def release_due(self, now: int) -> None:
        """Everything whose moment has come, in the order of the moments."""
        while self._held and self._held[0].due <= now:
            held = heapq.heappop(self._held)
            self._floor.micros = max(self._floor.micros, held.due)
            self._counts[held.uid] -= 1
            self._orders.own_yields = True  # a released order cancels its owner's resting one instead of failing
            try:
                self._tell(held, self._release(held))
            finally:
                self._orders.own_yields = False

    def _release(self, held: Held) -> OrderResult:
        wish, now = held.wish, self._floor.now
        try:
            if isinstance(wish, EditWish):
                return self._edits.edit(held.uid, wish)
            if held.taken_back and wish.stop_price is None and wish.trailing_max_deviation is None:
                return _in_spite_of_all(self._orders.send(held.uid, wish, held.fault, at_once=True), wish)
            if not held.taken_back:
                return self._orders.send(held.uid, wish, held.fault)
        except Refused:
            pass  # the market or the permission is gone since; the request has come to nothing
        return OrderResult(status="cancelled", received=now, cli_ord_id=wish.cli_ord_id)

    def _tell(self, held: Held, result: OrderResult) -> None:
        self._floor.afterwards.append(lambda: held.told(result))


def _in_spite_of_all(result: OrderResult, wish: OrderWish) -> OrderResult:
    """Its owner believes the order gone, so the status itself says what it did before it went."""
    if result.status != "placed":
        return result
    done = sum(event.amount or 0 for event in result.events if event.type == "EXECUTION")
    return msgspec.structs.replace(result, status="filled" if done >= wish.size else "partiallyFilled")
