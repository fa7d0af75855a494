"""One market's order book: price-time priority over whole ticks and lots.

It knows nothing of money, accounts or time. Sizes and prices are integers (lots, ticks); `changes` collects every
level that changed, in order, for whoever tells the world.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator


class Resting:
    """An order in the book. `owner` is an account uid, "" for the house."""

    __slots__ = ("buy", "id", "owner", "price", "size")

    def __init__(self, id: str, owner: str, buy: bool, price: int, size: int) -> None:
        self.id = id
        self.owner = owner
        self.buy = buy
        self.price = price
        self.size = size


class Level:
    """The orders at one price, oldest first (a dict keeps the order of arrival)."""

    __slots__ = ("orders", "size")

    def __init__(self) -> None:
        self.orders: dict[str, Resting] = {}
        self.size = 0


class Half:
    """One side. Keys are `price` for bids and `−price` for asks, so that the best is always the last."""

    __slots__ = ("keys", "levels", "sign")

    def __init__(self, sign: int) -> None:
        self.sign = sign
        self.keys: list[int] = []
        self.levels: dict[int, Level] = {}

    @property
    def best(self) -> int | None:
        return self.keys[-1] * self.sign if self.keys else None

    def level(self, price: int) -> Level:
        level = self.levels.get(price)
        if level is None:
            level = self.levels[price] = Level()
            insort(self.keys, price * self.sign)
        return level

    def drop(self, price: int) -> None:
        del self.levels[price]
        key = price * self.sign
        if self.keys[-1] == key:
            self.keys.pop()
        else:
            del self.keys[bisect_left(self.keys, key)]

    def prices(self) -> Iterator[int]:
        """Best first."""
        return (key * self.sign for key in reversed(self.keys))


class Book:
    def __init__(self) -> None:
        self.bids = Half(1)
        self.asks = Half(-1)
        self.orders: dict[str, Resting] = {}
        self.changes: list[tuple[bool, int, int]] = []  # buy, price, what now stands there
        self.comings: list[tuple[bool, str, bool, int, int]] = []  # placed?, id, buy, price, size

    def half(self, buy: bool) -> Half:
        return self.bids if buy else self.asks

    def add(self, order: Resting) -> None:
        """Behind everybody at its price. The caller has made sure that it does not cross."""
        level = self.half(order.buy).level(order.price)
        level.orders[order.id] = order
        level.size += order.size
        self.orders[order.id] = order
        self.changes.append((order.buy, order.price, level.size))
        self.comings.append((True, order.id, order.buy, order.price, order.size))

    def cancel(self, order_id: str) -> Resting | None:
        order = self.orders.pop(order_id, None)
        if order is None:
            return None
        half = self.half(order.buy)
        level = half.levels[order.price]
        del level.orders[order_id]
        level.size -= order.size
        if not level.orders:
            half.drop(order.price)
        self.changes.append((order.buy, order.price, level.size))
        self.comings.append((False, order.id, order.buy, order.price, order.size))
        return order

    def shrink(self, order_id: str, size: int) -> None:
        """A smaller size keeps its place in the queue. `size` is what is left of the order, above zero."""
        order = self.orders[order_id]
        level = self.half(order.buy).levels[order.price]
        level.size += size - order.size
        order.size = size
        self.changes.append((order.buy, order.price, level.size))

    def crosses(self, buy: bool, price: int) -> bool:
        """Would an order of this side and price trade?"""
        best = self.half(not buy).best
        return best is not None and (best <= price if buy else best >= price)

    def reachable(self, buy: bool, limit: int, size: int) -> Iterator[tuple[Resting, int]]:
        """Whom an incoming order would meet, and for how much, without touching the book."""
        half = self.half(not buy)
        for price in half.prices():
            if size <= 0 or (price > limit if buy else price < limit):
                return
            for order in half.levels[price].orders.values():
                if size <= 0:
                    return
                amount = min(size, order.size)
                size -= amount
                yield order, amount

    def take(self, buy: bool, limit: int, size: int) -> list[tuple[Resting, int]]:
        """Match an incoming order; what it met, at the makers' prices. A maker used up has size 0 and is gone."""
        half = self.half(not buy)
        matched: list[tuple[Resting, int]] = []
        while size > 0 and half.keys:
            price = half.keys[-1] * half.sign
            if price > limit if buy else price < limit:
                break
            level = half.levels[price]
            while size > 0 and level.orders:
                order = next(iter(level.orders.values()))
                amount = min(size, order.size)
                size -= amount
                order.size -= amount
                level.size -= amount
                if order.size == 0:
                    del level.orders[order.id]
                    del self.orders[order.id]
                matched.append((order, amount))
            if not level.orders:
                half.drop(price)
            self.changes.append((not buy, price, level.size))
        return matched

    def depth(self, buy: bool) -> list[tuple[int, int]]:
        """(price, size), best first."""
        half = self.half(buy)
        return [(price, half.levels[price].size) for price in half.prices()]

    def sweep_cost(self, buy: bool, size: int) -> tuple[int, int]:
        """(lots found, sum of price × lots) for a market order of `size`: for impact prices and estimates."""
        found = cost = 0
        half = self.half(not buy)
        for price in half.prices():
            amount = min(size - found, half.levels[price].size)
            found += amount
            cost += amount * price
            if found == size:
                break
        return found, cost
