"""What everybody may know."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from demovenue.facade.base import Calls
from demovenue.fees import TIERS
from demovenue.values import (
    Analytics,
    BookView,
    Candle,
    FeeTier,
    FundingRate,
    Instrument,
    InstrumentStatus,
    MarginLevel,
    MarketOrder,
    Ticker,
    TradePrint,
)


class PublicCalls(Calls):
    def instruments(self, *, expired: bool = False) -> Sequence[Instrument]:
        parts = self._parts
        return list(parts.floor.expired.values()) if expired else [m.instrument for m in parts.floor.markets.values()]

    def instrument(self, symbol: str) -> Instrument | None:
        """By upper-case symbol; expired contracts are gone."""
        market = self._parts.floor.markets.get(symbol)
        return market.instrument if market else None

    def account_levels(self, account_uid: str, symbol: str) -> Sequence[MarginLevel]:
        """The account's own ladder (`trading/instruments`)."""
        return self._parts.floor.market(symbol).instrument.levels

    def fee_tiers(self) -> Sequence[FeeTier]:
        """Ascending; the same for every market."""
        return TIERS

    def statuses(self) -> Sequence[InstrumentStatus]:
        return [market.status for market in self._parts.floor.markets.values()]

    def tickers(self) -> Sequence[Ticker]:
        return [self._parts.tickers.ticker(market) for market in self._parts.floor.markets.values()]

    def ticker(self, symbol: str) -> Ticker:
        return self._parts.tickers.ticker(self._parts.floor.market(symbol))

    def book(self, symbol: str) -> BookView:
        """The whole book; `seq` is that of the last delta told."""
        return self._parts.floor.market(symbol).view(self._parts.floor.now)

    def trades(self, symbol: str, *, before: datetime | None = None, limit: int = 100) -> Sequence[TradePrint]:
        """Newest first; about the last hours."""
        return self._parts.floor.market(symbol).tape_before(before, limit)

    def market_orders(
        self, symbol: str, *, since: datetime | None = None, before: datetime | None = None, limit: int = 1000
    ) -> Sequence[MarketOrder]:
        """What came into the book and left it unfilled, newest first; about the last minutes."""
        return self._parts.floor.market(symbol).orders_between(since, before, limit)

    def analytics(self, symbol: str, kind: str, *, since: int, until: int, interval: int) -> Analytics:
        """Epoch seconds; kinds and the shape of `data` as the charts reference has them. Refused `notFound`."""
        parts = self._parts
        return parts.analytics.series(parts.floor.market(symbol), kind, since, until, interval)

    def candle_symbols(self, tick_type: str) -> Sequence[str]:
        """`tick_type`: trade, mark, spot."""
        return self._parts.charts.symbols(tick_type)

    def candles(
        self,
        tick_type: str,
        symbol: str,
        resolution: str,
        *,
        since: int | None,
        until: int | None,
        count: int = 2000,
    ) -> tuple[Sequence[Candle], bool]:
        """Ascending, running candle included; the flag says that the range was cut. `since`, `until`: epoch
        seconds. Refused `notFound` for the symbol, `invalidArgument` for the resolution or the tick type."""
        return self._parts.charts.candles(tick_type, symbol, resolution, since, until, count)

    def funding_rates(self, symbol: str) -> Sequence[FundingRate]:
        """Ascending, hourly, 90 days. Refused `invalidArgument` when not a perpetual."""
        parts = self._parts
        return parts.funding.history(parts.floor.market(symbol), parts.charts)

    def open_interest(self, symbol: str, *, since: int, until: int, interval: int) -> Sequence[Candle]:
        """Epoch seconds; `volume` is 0."""
        return self._parts.charts.open_interest(self._parts.floor.market(symbol), since, until, interval)
