"""How each account stands, noted every five minutes: the equity curve is made of these points."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from accounts.models import Account, Balances
from krakenfutures.numbers import plain
from krakenfutures.pnl import notional_usd
from krakenfutures.values import Ticker
from krakenfutures.words import kind_of
from trading import figures
from trading.instruments import instruments
from trading.models import EquityPoint, Position
from trading.trip_sums import drawdown

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


def equity_curve(account: Account, since: datetime, most: int) -> dict[str, Any]:
    """`{"points": [[seconds, equity, used, exposure]…], "drawdown", "share"}`, oldest first, in USD, as plain text.

    The deepest fall is that of every point, also of those that are left out for the drawing.
    """
    rows = EquityPoint.objects.filter(account=account, at__gte=since)
    step = max(1, -(-rows.count() // most))
    drawn = rows.annotate(left_out=(Window(RowNumber(), order_by="-at") - 1) % step).filter(left_out=0).order_by("at")
    deepest, share = drawdown(rows.order_by("at").values_list("at", "equity").iterator(chunk_size=2000))
    return {
        "points": [
            [int(at.timestamp()), *map(plain, figures)]
            for at, *figures in drawn.values_list("at", "equity", "used", "exposure")
        ],
        "drawdown": plain(deepest),
        "share": None if share is None else plain(share),
    }


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
