"""How each account stands, noted every five minutes: the equity curve is made of these points."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from django.utils import timezone

from accounts.models import Balances
from krakenfutures.pnl import notional_usd
from krakenfutures.values import Ticker
from krakenfutures.words import kind_of
from trading import figures
from trading.instruments import instruments
from trading.models import EquityPoint, Position

EVERY = timedelta(minutes=5)
OLD = timedelta(minutes=5)  # wallets that are older say nothing of now
ZERO = Decimal(0)

Prices = Callable[[str], Mapping[str, Ticker]]  # of an environment's instruments, as last heard


def note_equity(prices: Prices) -> int:
    """A point for every account whose wallets are fresh; a second call within the five minutes adds none."""
    now = timezone.now()
    moment = datetime.fromtimestamp(now.timestamp() // EVERY.total_seconds() * EVERY.total_seconds(), UTC)
    fresh = Balances.objects.filter(at__gte=now - OLD).select_related("account")
    points = [_point(balances, moment, prices) for balances in fresh]
    return len(EquityPoint.objects.bulk_create(points, ignore_conflicts=True))


def _point(balances: Balances, moment: datetime, prices: Prices) -> EquityPoint:
    environment = balances.account.environment
    tickers = prices(environment)
    sums = figures.totals(balances.known, figures.usd_prices(tickers, instruments(environment)))
    exposure = ZERO
    for position in Position.objects.filter(account=balances.account):
        ticker = tickers.get(position.symbol)
        mark = ticker.mark if ticker and ticker.mark else position.entry
        exposure += notional_usd(kind_of(position.symbol), position.size, mark)
    return EquityPoint(
        account=balances.account,
        at=moment,
        equity=sums.equity,
        available=sums.available,
        used=sums.used,
        maintenance=sums.maintenance,
        unrealised=sums.unrealised_pnl,
        exposure=exposure,
        missing=list(sums.missing),
    )
