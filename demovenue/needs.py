"""What each market of an account asks for: margin of the position, and of the orders on either side.

Brackets apply per market. Linear markets reckon with entry prices, inverse ones with the mark. Orders count at their
limit, unless they would only close.
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from demovenue import sums
from demovenue.floor import Floor
from demovenue.market import Market
from demovenue.values import Position

ZERO = Decimal(0)


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


class Waiting(NamedTuple):
    """The open orders of a market that could add to a position, and their sums by side."""

    version: int
    buys: list[Wanted]
    sells: list[Wanted]
    buy_sizes: Decimal
    sell_sizes: Decimal
    buy_values: Decimal  # Σ size × price
    sell_values: Decimal


class Needs:
    def __init__(self, floor: Floor) -> None:
        self._floor = floor
        self._waiting: dict[tuple[str, str], Waiting] = {}
        self._known: dict[tuple[str, str], Known] = {}

    def of_wallet(
        self, uid: str, wallet: str, extra: Wanted | None = None, without: str | None = None
    ) -> dict[str, Need]:
        """Symbol → need, for every market of the wallet with a position or an order. `extra` is one more order,
        `without` the id of one of the same market to leave out."""
        floor = self._floor
        symbols = dict.fromkeys([*floor.positions[uid], *(s for s, orders in floor.plain[uid].items() if orders)])
        if extra is not None:
            symbols[extra.symbol] = None
        markets = [floor.markets[symbol] for symbol in symbols]
        return {
            m.symbol: self.of(uid, m, extra, without if extra and extra.symbol == m.symbol else None)
            for m in markets
            if m.instrument.wallet == wallet
        }

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
        if known is None or not fresh:
            known = self._reckon(market, version, position, cap, self.waiting(uid, market))
            self._known[uid, market.symbol] = known
        if changed or without is not None:
            added = self._one_more(uid, market, known, extra) if changed and without is None and extra else None
            wanted = extra if changed else None
            known = added or self._reckon(market, version, position, cap, self._orders(uid, market, wanted, without))
        return self._at_mark(market, known)

    def _one_more(self, uid: str, market: Market, known: Known, extra: Wanted) -> Known | None:
        """The usual case without looking at every order again; None when it is not the usual one."""
        size = known.position.size if known.position else ZERO
        closes = size < 0 if extra.buy else size > 0
        if market.instrument.inverse or known.cap or closes:
            return None
        held = abs(size) * known.position.entry if known.position else ZERO
        waiting, levels = self.waiting(uid, market), market.instrument.levels
        orders = waiting.buy_values if extra.buy else waiting.sell_values
        above = sums.bracket(levels, held + orders + extra.size * extra.price)
        need = (above - sums.bracket(levels, held)) * known.multiplier
        return known._replace(buying=need) if extra.buy else known._replace(selling=need)

    def waiting(self, uid: str, market: Market) -> Waiting:
        """Reckoned anew only when an order has come, gone or changed."""
        version = self._floor.versions[uid, market.symbol]
        found = self._waiting.get((uid, market.symbol))
        if found is None or found.version != version:
            found = self._waiting[uid, market.symbol] = self._orders(uid, market, None, None)
        return found

    def _orders(self, uid: str, market: Market, extra: Wanted | None, without: str | None) -> Waiting:
        found = [
            Wanted(order.symbol, order.side == "buy", order.remaining, order.limit_price)
            for order in self._floor.plain[uid][market.symbol].values()
            if not order.reduce_only and order.id != without and order.limit_price
        ]
        if extra:
            found.append(extra)
        buys, sells = [w for w in found if w.buy], [w for w in found if not w.buy]
        return Waiting(
            version=self._floor.versions[uid, market.symbol],
            buys=buys,
            sells=sells,
            buy_sizes=sum((w.size for w in buys), ZERO),
            sell_sizes=sum((w.size for w in sells), ZERO),
            buy_values=sum((w.size * w.price for w in buys), ZERO),
            sell_values=sum((w.size * w.price for w in sells), ZERO),
        )

    @staticmethod
    def _at_mark(market: Market, known: Known) -> Need:
        initial, maintenance = known.initial, known.maintenance
        if market.instrument.inverse:
            initial, maintenance = initial / market.mark, maintenance / market.mark
        if known.position is not None and known.position.size < 0:
            return Need(ZERO, initial, known.buying, initial + known.selling, ZERO, maintenance)
        return Need(initial, ZERO, initial + known.buying, known.selling, maintenance, ZERO)

    def _reckon(
        self, market: Market, version: int, position: Position | None, cap: Decimal | None, waiting: Waiting
    ) -> Known:
        instrument = market.instrument
        size = position.size if position else ZERO
        held = sums.notional_usd(instrument.inverse, size, position.entry) if position else ZERO
        initial = sums.bracket(instrument.levels, held) * market.status.margin_multiplier
        if cap:
            initial = max(initial, held / cap)
        buying = (waiting.buys, waiting.buy_values)
        selling = (waiting.sells, waiting.sell_values)
        return Known(
            version=version,
            position=position,
            cap=cap,
            multiplier=market.status.margin_multiplier,
            initial=initial,
            maintenance=sums.bracket(instrument.levels, held, maintenance=True),
            buying=self._side(market, max(ZERO, -size), held if size > 0 else ZERO, *buying, cap),
            selling=self._side(market, max(ZERO, size), held if size < 0 else ZERO, *selling, cap),
        )

    @staticmethod
    def _side(
        market: Market, closing: Decimal, held: Decimal, orders: list[Wanted], values: Decimal, cap: Decimal | None
    ) -> Decimal:
        """Orders of one side, worth `values`, on top of `held`; as much as `closing` only takes off the position."""
        if not orders:
            return ZERO
        instrument, total = market.instrument, ZERO
        below = sums.bracket(instrument.levels, held)
        if not (instrument.inverse or closing or cap):
            # The usual case: the slices add up, so their order does not matter.
            above = sums.bracket(instrument.levels, held + values)
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
