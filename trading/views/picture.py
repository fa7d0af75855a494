"""What the pages show of one account, gathered with a handful of queries whatever the account holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, cached_property

import msgspec
from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse

from accounts.models import Account, ApiKey, AuditRow, Balances
from accounts.prepared import Prepared
from krakenfutures.values import Instrument, MarginAccount, OrderType, Ticker, Wallets
from trading import figures
from trading.actions.deadman import deadman_of
from trading.actions.halting import current_halt
from trading.actions.reaching import USABLE
from trading.instruments import instruments
from trading.live.latest import latest_tickers
from trading.models import DeadMan, Fill, Halt, Order, OrderStatus, Position, Sync
from trading.models.order import FINAL, UNSETTLED, WORKING
from trading.written import price_places, size_places

LAST_FILLS = 10
LAST_ORDERS = 50
TRIGGERS = {type.value for type in OrderType if type.is_trigger}


BALANCES = Prepared(lambda account: Balances.objects.filter(account=account))
HELD = Prepared(lambda account: Position.objects.filter(account=account))
SYNCS = Prepared(lambda account: Sync.objects.filter(account=account))
LIVE = Q(status__in=(*WORKING, *UNSETTLED)) | Q(status=OrderStatus.DRAFT, parent__isnull=False)
OPEN = Prepared(lambda account: Order.objects.filter(LIVE, account=account).select_related("by"))
FILLS = Prepared(lambda account: Fill.objects.filter(account=account)[:LAST_FILLS])
FILLS_OF = Prepared(lambda account, symbol: Fill.objects.filter(account=account, symbol=symbol)[:LAST_FILLS], int, str)


@dataclass(frozen=True, slots=True)
class PositionRow:
    position: Position
    href: str
    places: int
    size_places: int
    mark: Decimal | None
    pnl: Decimal | None
    pnl_last: Decimal | None  # the same at the last trade's price
    currency: str
    share: Decimal | None  # of the initial margin
    estimated: bool  # the venue has not said the liquidation price, so ours stands there
    distance: figures.Distance | None
    hours: int | None  # of the last day's volatility, to the liquidation price

    @property
    def side(self) -> str:
        return "long" if self.position.size > 0 else "short"


@dataclass(frozen=True, slots=True)
class OrderRow:
    order: Order
    href: str
    places: int
    size_places: int


@dataclass(frozen=True, slots=True)
class FillRow:
    fill: Fill
    href: str
    places: int
    size_places: int


@dataclass(frozen=True, slots=True)
class MarginRow:
    account: MarginAccount
    level: str


@cache
def page_of(symbol: str) -> str:
    return reverse("instrument", args=[symbol])


class Picture:
    """One account as last heard of. Every part is read when a template first asks for it, and then kept."""

    def __init__(self, account: Account, symbol: str | None = None, watched: Iterable[str] = ()) -> None:
        self.account = account
        self.environment = account.environment
        self.symbol = symbol  # narrows orders and fills to one instrument
        self.watched = {*watched, symbol} if symbol else set(watched)  # whose tickers the page wants as well

    @cached_property
    def listed(self) -> dict[str, Instrument]:
        return {instrument.symbol: instrument for instrument in instruments(self.environment)}

    @cached_property
    def tickers(self) -> Mapping[str, Ticker]:
        """Of what is watched or held, and of one perpetual a coin, for its index. No more: a venue lists hundreds."""
        pricing = {one.base: one.symbol for one in self.listed.values() if one.perpetual and one.quote == "USD"}
        held = {position.symbol for position in self._held}
        return latest_tickers(
            self.environment, sorted(self.watched | held | {pricing[coin] for coin in self._coins & pricing.keys()})
        )

    @cached_property
    def _coins(self) -> set[str]:
        if self.wallets is None:
            return set()
        return {one.currency for one in self.wallets.margin_accounts} | self.wallets.cash.keys()

    @cached_property
    def _held(self) -> list[Position]:
        return HELD.all(self.account.pk)

    @cached_property
    def key(self) -> ApiKey | None:
        return USABLE.first(self.account.pk)

    @cached_property
    def halt(self) -> Halt | None:
        return current_halt(self.account.desk)

    @cached_property
    def dead_man(self) -> DeadMan | None:
        return deadman_of(self.account)

    @cached_property
    def syncs(self) -> dict[str, Sync]:
        return {sync.stream: sync for sync in SYNCS.all(self.account.pk)}

    @cached_property
    def wallets(self) -> Wallets | None:
        stored = BALANCES.first(self.account.pk)
        return msgspec.convert(stored.wallets, Wallets) if stored else None

    @cached_property
    def totals(self) -> figures.Totals | None:
        if self.wallets is None:
            return None
        return figures.totals(self.wallets, figures.usd_prices(self.tickers, self.listed.values()))

    @cached_property
    def margin_rows(self) -> list[MarginRow]:
        accounts = self.wallets.margin_accounts if self.wallets else ()
        return [
            MarginRow(one, figures.margin_level(one.requirements.maintenance, one.portfolio_value)) for one in accounts
        ]

    @cached_property
    def positions(self) -> list[PositionRow]:
        return [self._position_row(position) for position in self._held]

    @cached_property
    def _open(self) -> list[OrderRow]:
        """Working and not yet proven orders, and those attached that wait for their parent; newest first."""
        return self._rows(OPEN.all(self.account.pk))

    @property
    def orders(self) -> list[OrderRow]:
        return [row for row in self._open if row.order.type not in TRIGGERS]

    @property
    def triggers(self) -> list[OrderRow]:
        return [row for row in self._open if row.order.type in TRIGGERS]

    @cached_property
    def history(self) -> list[OrderRow]:
        orders = Order.objects.filter(account=self.account, status__in=FINAL).select_related("by")
        return self._rows(orders[:LAST_ORDERS])

    @cached_property
    def activity(self) -> list[AuditRow]:
        """What people of the desk did about trading, newest first."""
        about = Q(action__startswith="order") | Q(action__startswith="desk.halt") | Q(action__startswith="deadman")
        about |= Q(action__startswith="preference")
        kinds = about | Q(action__startswith="account.") | Q(action__startswith="batch")
        rows = AuditRow.objects.filter(kinds, desk=self.account.desk_id).select_related("actor")
        return list(rows[:LAST_ORDERS])

    def _rows(self, orders: Iterable[Order]) -> list[OrderRow]:
        return [OrderRow(order, *self._written(order.symbol)) for order in orders]

    @cached_property
    def fills(self) -> list[FillRow]:
        rows = FILLS_OF.all(self.account.pk, self.symbol) if self.symbol else FILLS.all(self.account.pk)
        return [FillRow(fill, *self._written(fill.symbol)) for fill in rows]

    def _written(self, symbol: str) -> tuple[str, int, int]:
        """Where the instrument's page is, and the decimals of its prices and sizes."""
        instrument = self.listed.get(symbol)
        return page_of(symbol), price_places(instrument), size_places(instrument)

    def _position_row(self, position: Position) -> PositionRow:
        instrument, ticker = self.listed.get(position.symbol), self.tickers.get(position.symbol)
        mark = figures.mark_of(position, ticker)
        pnl, currency = position.unrealised_pnl, position.pnl_currency or (instrument.base if instrument else "")
        pnl_last = None
        if instrument and mark is not None:
            pnl, currency = figures.unrealised(position, instrument, mark)
        estimated = position.liquidation_price is None and instrument is not None
        position.liquidation_price = figures.liquidation_of(position, instrument, self.wallets, mark)
        if instrument and ticker and ticker.last is not None:
            pnl_last, _ = figures.unrealised(position, instrument, ticker.last)
        share = figures.return_on(position.initial_margin, pnl)
        distance = figures.distance(position, mark)
        day = (ticker.high_24h, ticker.low_24h) if ticker else (None, None)
        hours = figures.hours_away(mark, position.liquidation_price, *day)
        written = self._written(position.symbol)
        return PositionRow(position, *written, mark, pnl, pnl_last, currency, share, estimated, distance, hours)


def picture_of(request: HttpRequest, symbol: str | None = None, watched: Iterable[str] = ()) -> Picture | None:
    """Of the account this page is about; None while the desk has none.

    A page that stays open names its account (`of`), because another tab may have changed the chosen one meanwhile.
    """
    chosen: Account | None = getattr(request, "account", None)
    named = request.GET.get("of") or request.POST.get("of")
    if named and (chosen is None or str(chosen.pk) != named):
        chosen = _visible(request, named)
    return Picture(chosen, symbol, watched) if chosen else None


def _visible(request: HttpRequest, pk: str) -> Account | None:
    visible: dict[str, Account] = getattr(request, "visible_accounts", {})
    return visible.get(pk)
