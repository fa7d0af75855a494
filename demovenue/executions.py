"""What an execution does to the people in it: position, money, log, fills, history. The house needs none of that."""

from __future__ import annotations

from datetime import datetime
from decimal import Context, Decimal
from typing import Any, NamedTuple

import msgspec

from demovenue import sums
from demovenue.bank import Bank
from demovenue.events import Filled, PositionsChanged
from demovenue.fees import Fees
from demovenue.floor import HOUSE, Floor
from demovenue.margin import Margin
from demovenue.market import Market
from demovenue.values import Fill, Order, Position, PositionChange, TradePrint

ZERO = Decimal(0)
ENTRY_DIGITS = Context(prec=20)
LOG_INFO = {
    "liquidation": "futures liquidation",
    "partialLiquidation": "futures partial liquidation",
    "assignor": "futures assignor",
    "assignee": "futures assignee",
    "unwindBankrupt": "futures unwind bankrupt",
    "unwindCounterparty": "futures unwind counterparty",
}
INSTRUMENT_NOTATION = {"xbt": "BTC"}


class Share(NamedTuple):
    """One side of an execution: whose order, and in which role."""

    order: Order  # as it was just before
    fill_type: str
    taker_order_type: str
    free: bool = False  # assignments and unwinds cost no fee


class Moved(NamedTuple):
    """A position before and after."""

    old: Position | None
    new: Position
    change: str
    realized: Decimal


def fee_currency(currency: str) -> str:
    return INSTRUMENT_NOTATION.get(currency, currency.upper())


class Executions:
    def __init__(self, floor: Floor, bank: Bank, margin: Margin, fees: Fees) -> None:
        self._floor = floor
        self._bank = bank
        self._margin = margin
        self._fees = fees

    def settle(self, market: Market, share: Share, price: Decimal, size: Decimal, trade: TradePrint) -> Order:
        """Books one side of a trade; returns the order afterwards. The book has already been matched."""
        order = share.order
        uid, side = order.account_uid, 1 if order.side == "buy" else -1
        instrument = market.instrument
        usd = sums.notional_usd(instrument.inverse, size, price)
        percent = ZERO if share.free else self._fees.percent(uid, maker=share.fill_type == "maker")
        fee = sums.fee(instrument.inverse, size, price, percent)
        funding, moved = self.move_position(uid, market, side * size, price)
        after = order.after(size, self._floor.now)
        self._log(market, share, moved, price, trade, fee, funding)
        fill = Fill(
            fill_id=trade.uid,
            account_uid=uid,
            order_id=order.id,
            cli_ord_id=order.cli_ord_id,
            symbol=market.symbol,
            side=order.side,
            size=size,
            price=price,
            at=self._floor.now,
            fill_type=share.fill_type,
            realized_pnl=moved.realized,
            fee=fee,
            fee_currency=fee_currency(instrument.currency),
            fee_percent=percent,
            remaining=after.remaining,
            order_type=order.sent_type,
            taker_order_type=share.taker_order_type,
            sequence=trade.seq,
            number=self._floor.next_number(),
            mark_price=market.mark,
            position=moved.new.size,
            order=order,
            change=_change(moved, funding, self._floor.now),
            limit_filled=share.fill_type == "maker" and after.remaining == 0,
        )
        self._floor.store.add_fill(fill)
        self._fees.add_volume(uid, usd)
        self._floor.tell(Filled(account_uid=uid, fill=fill))
        return after

    # --- positions ---------------------------------------------------------------------------------------------

    def move_position(self, uid: str, market: Market, change: Decimal, price: Decimal) -> tuple[Decimal, Moved]:
        """Realises the funding accrued so far, then changes the position. (funding, what moved)"""
        floor, inverse = self._floor, market.instrument.inverse
        old = floor.position(uid, market.symbol)
        if old is None:
            new = Position(
                account_uid=uid, symbol=market.symbol, size=change, entry=price, opened=floor.now, funded=floor.now
            )
            moved = Moved(None, new, "open", ZERO)
            funding = ZERO
        else:
            funding = sums.booked(market.instrument.currency, self._margin.funding(old))
            moved = self._changed(old, inverse, change, price)
        floor.save_position(moved.new)
        floor.ring(PositionsChanged(account_uid=uid))
        return funding, moved

    def _changed(self, old: Position, inverse: bool, change: Decimal, price: Decimal) -> Moved:
        now, size = self._floor.now, old.size + change
        if (change > 0) == (old.size > 0):
            entry = ENTRY_DIGITS.plus(sums.average_entry(inverse, old.size, old.entry, change, price))
            new = msgspec.structs.replace(old, size=size, entry=entry, funded=now)
            return Moved(old, new, "increase", ZERO)
        closed = old.size if abs(change) >= abs(old.size) else -change
        realized = sums.profit(inverse, closed, old.entry, price)
        if abs(change) <= abs(old.size):
            new = msgspec.structs.replace(old, size=size, funded=now)
            return Moved(old, new, "decrease" if size else "close", realized)
        new = msgspec.structs.replace(old, size=size, entry=price, opened=now, funded=now)
        return Moved(old, new, "reverse", realized)

    # --- records -----------------------------------------------------------------------------------------------

    def _log(
        self,
        market: Market,
        share: Share,
        moved: Moved,
        price: Decimal,
        trade: TradePrint,
        fee: Decimal,
        funding: Decimal,
    ) -> None:
        """Two rows: the position, then the money."""
        instrument, uid = market.instrument, share.order.account_uid
        columns: dict[str, Any] = {
            "contract": market.symbol.lower(),
            "trade_price": price,
            "mark_price": market.mark,
            "execution": trade.uid,
            "collateral": instrument.currency.upper(),
            "funding_rate": market.funding_rate if instrument.perpetual else None,
        }
        info = LOG_INFO.get(share.fill_type, "futures trade")
        old = moved.old
        self._bank.log(
            uid,
            instrument.wallet,
            market.symbol.lower(),
            old.size if old else ZERO,
            moved.new.size,
            info,
            old_average_entry_price=old.entry if old else None,
            new_average_entry_price=moved.new.entry,
            **columns,
        )
        realized = sums.booked(instrument.currency, moved.realized)
        fee = sums.booked(instrument.currency, fee)
        self._bank.book(
            uid,
            instrument.wallet,
            instrument.currency,
            {"clearing": realized + funding, "fees": -fee},
            info,
            fee=fee,
            realized_pnl=realized,
            realized_funding=funding,
            **columns,
        )
        if not instrument.inverse:
            self._bank.spend_credits(uid, fee)
        chosen = self._floor.accounts[uid].pnl_currency.get(market.symbol, "USD")
        if chosen != "USD" and realized > 0:
            self._bank.pay_profit_in(uid, chosen.lower().replace("btc", "xbt"), realized)

    def settle_debt(self, uid: str, market: Market) -> None:
        """After a loss in USD that the USD balance did not cover."""
        if uid != HOUSE and not market.instrument.inverse:
            self._bank.cover_debt(uid)


def _change(moved: Moved, funding: Decimal, now: datetime) -> PositionChange:
    return PositionChange(
        old_size=moved.old.size if moved.old else ZERO,
        new_size=moved.new.size,
        old_entry=moved.old.entry if moved.old else None,
        new_entry=moved.new.entry,
        opened=moved.old.opened if moved.old else None,
        change=moved.change,
        reason="trade",
        realized_funding=funding,
        funding_at=now,
    )
