"""Dated contracts come to their end: everybody is paid out at the settlement price, and new ones are listed."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from demovenue import sums
from demovenue.bank import Bank
from demovenue.cancels import Cancels
from demovenue.events import InstrumentsChanged, PositionsChanged
from demovenue.floor import Floor
from demovenue.instruments import dated_row, load, parse, settlement
from demovenue.market import Market
from demovenue.values import Position, PositionChange

ZERO = sums.ZERO


class Settlement:
    def __init__(self, floor: Floor, bank: Bank, cancels: Cancels) -> None:
        self._floor = floor
        self._bank = bank
        self._cancels = cancels

    def restore(self, symbols: list[str]) -> None:
        """What had settled before the restart."""
        rows = {row["symbol"]: row for row in load()["dated"]}
        for symbol in symbols:
            family, date = symbol.rsplit("_", 1)
            maturity = settlement(family.startswith("FI_"), datetime.strptime(date, "%y%m%d").date())  # noqa: DTZ007
            row = dated_row(rows[family], maturity)
            self._floor.expired[symbol] = parse(row, "quarter", maturity, maturity - timedelta(days=210))

    def due(self) -> list[Market]:
        now = self._floor.now
        return [m for m in self._floor.markets.values() if m.instrument.maturity and m.instrument.maturity <= now]

    def settle(self, market: Market) -> None:
        """At the index of now, which is what the reference rate is here."""
        floor = self._floor
        for uid in [uid for uid, orders in floor.orders.items() if orders]:
            self._cancels.cancel_all(uid, market.symbol, "contract_expired", "CONTRACT_EXPIRED")
        for held in list(floor.positions.values()):
            if market.symbol in held:
                self._pay_out(market, held[market.symbol])
        del floor.markets[market.symbol]
        floor.expired[market.symbol] = market.instrument
        floor.store.save_meta("expired", list(floor.expired))
        floor.ring(InstrumentsChanged())

    def _pay_out(self, market: Market, position: Position) -> None:
        instrument, uid, price = market.instrument, position.account_uid, market.index
        floor = self._floor
        realized = sums.profit(instrument.inverse, position.size, position.entry, price)
        floor.save_position(
            Position(
                account_uid=uid,
                symbol=market.symbol,
                size=ZERO,
                entry=position.entry,
                opened=position.opened,
                funded=floor.now,
            )
        )
        self._log(market, position, realized)
        if not instrument.inverse:
            self._bank.cover_debt(uid)
        change = PositionChange(
            old_size=position.size,
            new_size=ZERO,
            old_entry=position.entry,
            new_entry=position.entry,
            opened=position.opened,
            change="close",
            reason="settlement",
            realized_pnl=realized,
            settlement_price=price,
        )
        floor.record(uid, "positions", "PositionUpdate", market.symbol, position=change)
        floor.ring(PositionsChanged(account_uid=uid))

    def _log(self, market: Market, position: Position, realized: Decimal) -> None:
        """Two rows, as for a trade."""
        instrument, price = market.instrument, market.index
        shown = {
            "contract": market.symbol.lower(),
            "trade_price": price,
            "mark_price": market.mark,
            "collateral": instrument.currency.upper(),
        }
        self._bank.log(
            position.account_uid,
            instrument.wallet,
            market.symbol.lower(),
            position.size,
            ZERO,
            "settlement",
            old_average_entry_price=position.entry,
            new_average_entry_price=position.entry,
            **shown,
        )
        paid = sums.booked(instrument.currency, realized)
        self._bank.book(
            position.account_uid,
            instrument.wallet,
            instrument.currency,
            {"clearing": paid},
            "settlement",
            realized_pnl=paid,
            **shown,
        )
