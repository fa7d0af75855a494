"""What an order would do, before it is sent. Pure: the figures are those of `krakenfutures`, each reckoned there once.

docs/topics/preview.md writes the steps out and says where the result is exact and where it is an estimate.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal

import msgspec

from krakenfutures import costs, fees, liquidation, pnl
from krakenfutures.margin import Exposure, Requirement, wallet_requirement
from krakenfutures.values import (
    BookSnapshot,
    ContractKind,
    Instrument,
    Level,
    MarginAccount,
    NewOrder,
    OrderType,
    Side,
    Ticker,
    Value,
    Wallets,
)

ZERO = Decimal(0)
GUARD = Decimal("0.01")  # a market order goes this far through the best price, as a share, and no further
NOW_OR_NEVER = {OrderType.MARKET, OrderType.IOC, OrderType.FOK}


class Held(Value, frozen=True):
    """An open position; `size` is signed, `max_leverage` is set when it is isolated."""

    instrument: Instrument
    size: Decimal
    entry: Decimal
    max_leverage: Decimal | None = None


class Waiting(Value, frozen=True):
    """An open order that would open something: `size` is what is not filled yet."""

    instrument: Instrument
    side: Side
    size: Decimal
    price: Decimal


class Situation(Value, frozen=True):
    """What is known when the order is written: all of one account and one environment, as last heard."""

    instrument: Instrument
    now: datetime
    wallets: Wallets | None = None
    held: tuple[Held, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    marks: Mapping[str, Decimal] = {}
    caps: Mapping[str, Decimal] = {}  # leverage that was chosen for contracts; a position says its own
    ticker: Ticker | None = None
    book: BookSnapshot | None = None
    maker: Decimal = fees.BASE_MAKER
    taker: Decimal = fees.BASE_TAKER

    @property
    def mark(self) -> Decimal | None:
        return self.ticker.mark if self.ticker else None

    @property
    def position(self) -> Held | None:
        return next((one for one in self.held if one.instrument.symbol == self.instrument.symbol), None)

    @property
    def cap(self) -> Decimal | None:
        """Of the instrument, set when it is isolated: what its position says, else what was chosen for it."""
        return self.position.max_leverage if self.position else self.caps.get(self.instrument.symbol)

    @property
    def margin_account(self) -> MarginAccount | None:
        accounts = self.wallets.margin_accounts if self.wallets else ()
        return next((one for one in accounts if one.name == self.instrument.wallet), None)


class Execution(Value, frozen=True):
    """What trades at once, level by level, and what rests afterwards at `rest_price`."""

    trades: tuple[tuple[Decimal, Decimal], ...] = ()  # size, price
    rests: Decimal = ZERO
    rest_price: Decimal | None = None

    @property
    def traded(self) -> Decimal:
        return sum((size for size, _ in self.trades), ZERO)


class Caveat(Value, frozen=True):
    """Something to know before sending. `severe` ones deserve a second look at the number in `field`."""

    code: str
    sentence: str
    severe: bool = False
    field: str | None = None


class Preview(Value, frozen=True):
    """Amounts of margin and fees are in `currency`, prices in the quote currency, sizes in the contract's unit.

    Margin is of the moment the order is accepted; position, entry and liquidation price of the moment it is filled.
    What cannot be known from what was heard is None.
    """

    currency: str
    margin_needed: Decimal
    margin_available: Decimal | None
    margin_after: Decimal | None
    fee: Decimal
    price: Decimal | None
    fills_now: Decimal
    rests: Decimal
    position_before: Decimal
    position: Decimal
    entry: Decimal | None
    realised_pnl: Decimal
    liquidation_price: Decimal | None
    distance: Decimal | None  # from the mark, signed
    distance_share: Decimal | None  # of the mark, unsigned
    cost: int
    max_leverage: Decimal | None = None  # set means isolated
    warnings: tuple[Caveat, ...] = ()


def preview(order: NewOrder, at: Situation) -> Preview:
    """The order's consequences if the book stays as it is and what rests is filled at its limit. No warnings yet."""
    size = reducible(order, at)
    execution = execute(order, size, at)
    now = _holding(at, order.side, execution.trades)
    rest = ((execution.rests, execution.rest_price),) if execution.rests and execution.rest_price else ()
    full = _holding(at, order.side, (*execution.trades, *rest))
    fee_now = _fee(at, execution.trades, at.taker)
    fee = fee_now + _fee(at, rest, at.taker if _is_taker_later(order) else at.maker)
    before, after = _needs(at), _needs(at, now, order, execution)
    threshold = _liquidation(at, full, fee)
    available = _available(at)
    change = after.initial - before.initial
    return Preview(
        currency="USD" if at.instrument.kind is not ContractKind.INVERSE else at.instrument.base,
        margin_needed=max(ZERO, change),
        margin_available=available,
        margin_after=None if available is None else available - change + _equity_change(at, now) - fee_now,
        fee=fee,
        price=pnl.average_price(at.instrument.kind, execution.trades),
        fills_now=execution.traded,
        rests=execution.rests,
        position_before=at.position.size if at.position else ZERO,
        position=full.size,
        entry=full.entry,
        realised_pnl=full.realised,
        liquidation_price=threshold,
        distance=threshold - at.mark if threshold is not None and at.mark else None,
        distance_share=_share(at.mark, threshold),
        cost=costs.REDUCE.points if order.reduce_only else costs.PLACE.points,
        max_leverage=at.cap,
    )


def reducible(order: NewOrder, at: Situation) -> Decimal:
    """The size that counts: a reduce-only order is cut to the position. A dormant one is cut only when it wakes."""
    if not order.reduce_only:
        return order.size
    held = at.position.size if at.position else ZERO
    return min(order.size, max(ZERO, -held * order.side.sign))


def execute(order: NewOrder, size: Decimal, at: Situation) -> Execution:
    """Walks the book as the order would. A dormant order does nothing yet and is taken to fill at its own price."""
    limit = order.limit_price
    if order.type.is_trigger:
        price = limit or order.stop_price or at.mark
        return Execution(rests=size, rest_price=price)
    if order.type is OrderType.POST:
        return Execution(rests=size, rest_price=limit)
    levels = against(order.side, at)
    if order.type is OrderType.MARKET and levels:
        limit = levels[0].price * (1 + GUARD * order.side.sign)
    trades = tuple(_walk(levels, order.side, size, limit))
    left = size - sum((part for part, _ in trades), ZERO)
    if order.type is OrderType.FOK and left:
        return Execution()
    if order.type in NOW_OR_NEVER:
        return Execution(trades=trades)
    return Execution(trades=trades, rests=left, rest_price=limit)


def against(side: Side, at: Situation) -> tuple[Level, ...]:
    """What the order would meet, best first. Without a book the best price, or the mark, is taken to hold any size."""
    if at.book is not None:
        return at.book.asks if side is Side.BUY else at.book.bids
    if at.ticker is None:
        return ()
    price = (at.ticker.ask if side is Side.BUY else at.ticker.bid) or at.ticker.mark
    return (Level(price=price, size=at.instrument.max_position),) if price else ()


def _walk(
    levels: Iterable[Level], side: Side, size: Decimal, limit: Decimal | None
) -> Iterable[tuple[Decimal, Decimal]]:
    for level in levels:
        if size <= 0 or (limit is not None and (level.price - limit) * side.sign > 0):
            return
        part = min(size, level.size)
        size -= part
        yield part, level.price


def _is_taker_later(order: NewOrder) -> bool:
    """A trigger that wakes without a limit takes what is there."""
    return order.type.is_trigger and order.limit_price is None


def _fee(at: Situation, trades: Iterable[tuple[Decimal, Decimal]], rate: Decimal) -> Decimal:
    return sum((fees.fee(at.instrument.kind, size, price, rate) for size, price in trades), ZERO)


def _holding(at: Situation, side: Side, trades: Iterable[tuple[Decimal, Decimal]]) -> pnl.Holding:
    """The position after these trades, and everything they realised on the way."""
    kind, old = at.instrument.kind, at.position
    held = pnl.Holding(size=old.size if old else ZERO, entry=old.entry if old else None)
    for size, price in trades:
        after = pnl.after_trade(kind, held.size, held.entry, size * side.sign, price)
        held = msgspec.structs.replace(after, realised=held.realised + after.realised)
    return held


# --- margin ----------------------------------------------------------------------------------------------------------


def _needs(
    at: Situation,
    holding: pnl.Holding | None = None,
    order: NewOrder | None = None,
    execution: Execution | None = None,
) -> Requirement:
    """Of the instrument's wallet: as it is, or with another position in the instrument and one more order in it."""
    held = [one for one in at.held if one.instrument.wallet == at.instrument.wallet]
    if holding is not None:
        held = _with(at, held, holding)
    waiting = [one for one in at.waiting if one.instrument.wallet == at.instrument.wallet]
    rests = execution.rests if execution and order and not (order.type.is_trigger or order.reduce_only) else ZERO
    if order and execution and rests and execution.rest_price:
        new = Waiting(instrument=at.instrument, side=order.side, size=rests, price=execution.rest_price)
        waiting = [*waiting, new]
    caps = {**at.caps, **{one.instrument.symbol: one.max_leverage for one in at.held}}
    return wallet_requirement(
        [_exposure(at, one) for one in held],
        [
            Exposure(
                instrument=one.instrument,
                side=one.side,
                size=one.size,
                price=one.price,
                max_leverage=caps.get(one.instrument.symbol),
            )
            for one in waiting
        ],
    )


def _with(at: Situation, held: list[Held], holding: pnl.Holding) -> list[Held]:
    others = [one for one in held if one.instrument.symbol != at.instrument.symbol]
    if not holding.size or holding.entry is None:
        return others
    return [*others, Held(instrument=at.instrument, size=holding.size, entry=holding.entry, max_leverage=at.cap)]


def _exposure(at: Situation, held: Held) -> Exposure:
    """Linear positions are margined at their entry, inverse ones at the mark."""
    inverse = held.instrument.kind is ContractKind.INVERSE
    return Exposure(
        instrument=held.instrument,
        side=Side.BUY if held.size > 0 else Side.SELL,
        size=abs(held.size),
        price=at.marks.get(held.instrument.symbol, held.entry) if inverse else held.entry,
        max_leverage=held.max_leverage,
    )


def _available(at: Situation) -> Decimal | None:
    """As the venue last said it: it knows things that we do not."""
    if at.instrument.kind is ContractKind.INVERSE:
        return at.margin_account.available if at.margin_account else None
    return at.wallets.flex.available_margin if at.wallets and at.wallets.flex else None


def _equity_change(at: Situation, after: pnl.Holding) -> Decimal:
    """What trading away from the mark makes of the account's value at once, without the fee."""
    if at.mark is None:
        return ZERO
    kind, old = at.instrument.kind, at.position
    unrealised = pnl.profit(kind, old.size, old.entry, at.mark) if old else ZERO
    left = pnl.profit(kind, after.size, after.entry, at.mark) if after.entry is not None else ZERO
    return after.realised + left - unrealised


# --- liquidation -----------------------------------------------------------------------------------------------------


def liquidation_now(at: Situation) -> Decimal | None:
    """Of the position as it is."""
    return _liquidation(at, _holding(at, Side.BUY, ()), ZERO)


def _liquidation(at: Situation, full: pnl.Holding, fee: Decimal) -> Decimal | None:
    """Of the position when all is filled, not rounded. None without a position, or where no price liquidates it."""
    if not full.size or full.entry is None or at.mark is None:
        return None
    inverse = at.instrument.kind is ContractKind.INVERSE
    return _single_threshold(at, full, fee) if inverse else _flex_threshold(at, full, fee)


def _flex_threshold(at: Situation, full: pnl.Holding, fee: Decimal) -> Decimal | None:
    flex, mark = at.wallets.flex if at.wallets else None, at.mark
    if flex is None or mark is None or full.entry is None:
        return None
    if at.cap:  # isolated: only its own margin stands behind it
        alone = wallet_requirement([_exposure(at, _with(at, [], full)[0])])
        equity = alone.initial + pnl.profit(at.instrument.kind, full.size, full.entry, mark)
        return liquidation.flex_price(full.size, mark, equity, alone.maintenance)
    maintenance = flex.maintenance_margin + _needs(at, full).maintenance - _needs(at).maintenance
    equity = flex.margin_equity + _equity_change(at, full) - fee
    return liquidation.flex_price(full.size, mark, equity, maintenance)


def _single_threshold(at: Situation, full: pnl.Holding, fee: Decimal) -> Decimal | None:
    """All maturities of the account together, as if they had one mark."""
    account, mark = at.margin_account, at.mark
    if account is None or mark is None:
        return None
    held = _with(at, [one for one in at.held if one.instrument.wallet == at.instrument.wallet], full)
    contracts = sum((one.size for one in held), ZERO)
    coins = sum((one.size / one.entry for one in held), ZERO)
    if not contracts or not coins:
        return None
    maintenance = account.requirements.maintenance + _needs(at, full).maintenance - _needs(at).maintenance
    balance = account.balance + account.unrealised_funding + full.realised - fee
    return liquidation.single_threshold(contracts, contracts / coins, balance, maintenance * mark)


def _share(mark: Decimal | None, threshold: Decimal | None) -> Decimal | None:
    share = liquidation.distance(mark, threshold) if mark else None
    return None if share is None else abs(share)
