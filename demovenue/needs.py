"""What each market of an account asks for: margin of the position, and of the orders on either side.

Brackets apply per market. Linear markets reckon with entry prices, inverse ones with the mark. Orders count at their
limit, unless they would only close.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from demovenue import sums
from demovenue.floor import Floor
from demovenue.market import Market
from demovenue.values import Position

ZERO = Decimal(0)
ONE = Decimal(1)


class Wanted(NamedTuple):
    """Something that could be bought or sold: an open order, or one under consideration."""

    symbol: str
    buy: bool
    size: Decimal
    price: Decimal


class Need(NamedTuple):
    """Of one market: initial margin of the position, and with orders by side; maintenance. Settlement currency."""

    long: Decimal
    short: Decimal
    long_with_orders: Decimal
    short_with_orders: Decimal
    maintenance_long: Decimal
    maintenance_short: Decimal


class Known(NamedTuple):
    """What was reckoned last, and what it was reckoned from. USD, but for the orders: settlement currency."""

    version: int
    position: Position | None
    cap: Decimal | None
    multiplier: int
    initial: Decimal
    maintenance: Decimal
    buying: Decimal
    selling: Decimal


class Needs:
    def __init__(self, floor: Floor) -> None:
        self._floor = floor
        self._known: dict[tuple[str, str], Known] = {}

    def of_wallet(
        self, uid: str, wallet: str, extra: Wanted | None = None, without: str | None = None
    ) -> dict[str, Need]:
        """Symbol → need, for every market of the wallet with a position or an order."""
        floor = self._floor
        symbols = dict.fromkeys([*floor.positions[uid], *(s for s, orders in floor.plain[uid].items() if orders)])
        if extra is not None:
            symbols[extra.symbol] = None
        markets = [floor.markets[symbol] for symbol in symbols]
        return {m.symbol: self.of(uid, m, extra, without) for m in markets if m.instrument.wallet == wallet}

    def of(self, uid: str, market: Market, extra: Wanted | None = None, without: str | None = None) -> Need:
        """`extra` is one more order, `without` the id of one to leave out."""
        position = self._floor.position(uid, market.symbol)
        cap = self._floor.accounts[uid].max_leverage.get(market.symbol)
        version = self._floor.versions[uid, market.symbol]
        known = self._known.get((uid, market.symbol))
        multiplier = market.status.margin_multiplier
        # A position is a new record after every change, so being the same one is being the same.
        fresh = known is not None and known.position is position and known[:4] == (version, position, cap, multiplier)
        changed = extra is not None and extra.symbol == market.symbol
        if not fresh or changed or without is not None:
            wanted = self._orders(uid, market, extra if changed else None, without)
            known = self._reckon(market, version, position, cap, wanted)
            if not changed and without is None:
                self._known[uid, market.symbol] = known
        assert known is not None
        return self._at_mark(market, known)

    def _orders(self, uid: str, market: Market, extra: Wanted | None, without: str | None) -> list[Wanted]:
        found = [
            Wanted(order.symbol, order.side == "buy", order.remaining, order.limit_price)
            for order in self._floor.plain[uid][market.symbol].values()
            if not order.reduce_only and order.id != without and order.limit_price
        ]
        return [*found, extra] if extra else found

    @staticmethod
    def _at_mark(market: Market, known: Known) -> Need:
        divisor = market.mark if market.instrument.inverse else ONE
        initial, maintenance = known.initial / divisor, known.maintenance / divisor
        if known.position is not None and known.position.size < 0:
            return Need(ZERO, initial, known.buying, initial + known.selling, ZERO, maintenance)
        return Need(initial, ZERO, initial + known.buying, known.selling, maintenance, ZERO)

    def _reckon(
        self, market: Market, version: int, position: Position | None, cap: Decimal | None, wanted: Iterable[Wanted]
    ) -> Known:
        instrument = market.instrument
        size = position.size if position else ZERO
        held = sums.notional_usd(instrument.inverse, size, position.entry) if position else ZERO
        initial = sums.bracket(instrument.levels, held) * market.status.margin_multiplier
        if cap:
            initial = max(initial, held / cap)
        buys = [w for w in wanted if w.buy]
        sells = [w for w in wanted if not w.buy]
        return Known(
            version=version,
            position=position,
            cap=cap,
            multiplier=market.status.margin_multiplier,
            initial=initial,
            maintenance=sums.bracket(instrument.levels, held, maintenance=True),
            buying=self._side(market, max(ZERO, -size), held if size > 0 else ZERO, buys, cap),
            selling=self._side(market, max(ZERO, size), held if size < 0 else ZERO, sells, cap),
        )

    @staticmethod
    def _side(market: Market, closing: Decimal, held: Decimal, orders: list[Wanted], cap: Decimal | None) -> Decimal:
        """Orders of one side on top of `held`; as much as `closing` only takes off the position."""
        if not orders:
            return ZERO
        instrument, total = market.instrument, ZERO
        below = sums.bracket(instrument.levels, held)
        if not (instrument.inverse or closing or cap):
            # The usual case: the slices add up, so their order does not matter.
            above = sums.bracket(instrument.levels, held + sum((w.size * w.price for w in orders), ZERO))
            return (above - below) * market.status.margin_multiplier
        for order in sorted(orders, key=lambda w: w.price, reverse=orders[0].buy):
            free = min(closing, order.size)
            closing -= free
            added = sums.notional_usd(instrument.inverse, order.size - free, order.price)
            if not added:
                continue
            held += added
            reached = sums.bracket(instrument.levels, held)
            need = (reached - below) * market.status.margin_multiplier
            if cap:
                need = max(need, added / cap)
            total += need / order.price if instrument.inverse else need
            below = reached
        return total
