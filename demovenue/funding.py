"""Hourly funding of perpetuals: paid at the full hour for the hour that ended, then the next rate is set."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from demovenue import sums
from demovenue.bank import Bank
from demovenue.charts import Charts
from demovenue.clock import from_micros, to_millis
from demovenue.events import PositionsChanged
from demovenue.floor import Floor
from demovenue.margin import Margin
from demovenue.market import Market
from demovenue.values import FundingRate, Position, PositionChange, Refused

HOUR = 3600


class Funding:
    def __init__(self, floor: Floor, bank: Bank, margin: Margin) -> None:
        self._floor = floor
        self._bank = bank
        self._margin = margin

    def observe(self, market: Market, seconds: float) -> None:
        """The premium of now counts for so long."""
        market.premium_sum += market.premium * seconds
        market.premium_seconds += seconds

    def turn_hour(self) -> None:
        """Floor time is exactly the full hour."""
        for market in list(self._floor.markets.values()):
            if market.instrument.perpetual:
                for held in list(self._floor.positions.values()):
                    if market.symbol in held:
                        self._realise(market, held[market.symbol])
                self._set_rate(market)

    def _realise(self, market: Market, position: Position) -> None:
        instrument, uid, now = market.instrument, position.account_uid, self._floor.now
        amount = sums.booked(instrument.currency, self._margin.funding(position))
        self._floor.save_position(msgspec.structs.replace(position, funded=now))
        self._bank.book(
            uid,
            instrument.wallet,
            instrument.currency,
            {"clearing": amount},
            "funding rate change",
            contract=market.symbol.lower(),
            realized_funding=amount,
            funding_rate=market.funding_rate,
            collateral=instrument.currency.upper(),
        )
        if not instrument.inverse:
            self._bank.cover_debt(uid)
        change = PositionChange(
            old_size=position.size,
            new_size=position.size,
            old_entry=position.entry,
            new_entry=position.entry,
            opened=position.opened,
            change="noChange",
            reason="fundingRealisation",
            realized_funding=amount,
            funding_at=now,
        )
        self._floor.record(uid, "positions", "PositionUpdate", market.symbol, position=change)
        self._floor.ring(PositionsChanged(account_uid=uid))

    def _set_rate(self, market: Market) -> None:
        relative = market.predicted_relative()
        market.funding_relative = relative
        market.funding_rate = sums.absolute_rate(market.instrument.inverse, relative, market.index)
        market.premium_sum = market.premium_seconds = 0.0
        self.write(market, to_millis(self._floor.now))

    def write(self, market: Market, at: int) -> None:
        """The rate in force from `at` (epoch milliseconds, a full hour) on."""
        sql = "INSERT OR REPLACE INTO funding VALUES (?, ?, ?, ?)"
        values = (f"{market.funding_rate:f}", f"{market.funding_relative:f}")
        self._floor.store.put(sql, market.symbol, at, *values)

    def history(self, market: Market, charts: Charts) -> list[FundingRate]:
        """Ascending, one an hour: the sketched past, then what was really paid."""
        if not market.instrument.perpetual:
            raise Refused("invalidArgument")
        past = [
            FundingRate(
                at=from_micros(minute * 60_000_000),
                relative=relative,
                absolute=sums.absolute_rate(market.instrument.inverse, relative, index),
            )
            for minute, relative, index in charts.past_premiums(market)
        ]
        sql = "SELECT at, absolute, relative FROM funding WHERE symbol = ? ORDER BY at"
        lived = [
            FundingRate(at=from_micros(at * 1000), absolute=Decimal(absolute), relative=Decimal(relative))
            for at, absolute, relative in self._floor.store.rows(sql, market.symbol)
        ]
        return [*(rate for rate in past if not lived or rate.at < lived[0].at), *lived]
