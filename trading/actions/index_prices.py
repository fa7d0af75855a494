"""What coins were worth when: the venue's index at the beginning of each hour, read once and kept."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import Max, Min
from django.utils import timezone

from accounts.venues import venue_for
from krakenfutures.errors import KrakenError
from krakenfutures.values import PriceSource
from trading.instruments import instruments
from trading.models import IndexPrice, LedgerEntry

log = logging.getLogger(__name__)

HOUR = timedelta(hours=1)
PAGE = 500 * HOUR  # of candles in one call


def keep_index_prices() -> int:
    """For every coin a ledger is kept in, the hours it needs and does not have. Returns how many were added."""
    spans = LedgerEntry.objects.exclude(currency="USD").values("account__environment", "currency")
    return sum(
        _keep(row["account__environment"], row["currency"], row["first"], row["last"])
        for row in spans.annotate(first=Min("at"), last=Max("at")).order_by()
    )


def index_prices(
    environment: str, currencies: Iterable[str], since: datetime | None = None, until: datetime | None = None
) -> dict[tuple[str, datetime], Decimal]:
    """By coin and beginning of the hour, as `trading.report_sums.hourly` takes them."""
    rows = IndexPrice.objects.filter(environment=environment, currency__in=list(currencies))
    rows = rows.filter(hour__gte=_hour(since)) if since else rows
    rows = rows.filter(hour__lt=until) if until else rows
    return {(currency, hour): price for currency, hour, price in rows.values_list("currency", "hour", "price")}


def _keep(environment: str, currency: str, first: datetime, last: datetime) -> int:
    symbol = next(
        (
            one.symbol
            for one in instruments(environment)
            if one.base == currency and one.perpetual and one.quote == "USD"
        ),
        None,
    )
    if symbol is None:
        return 0  # nothing is listed whose index would tell: the report says which currency has no price
    added = 0
    for since, until in _missing(environment, currency, _hour(first), _hour(min(last, timezone.now()))):
        try:
            candles = venue_for(environment).market.candles(
                symbol, source=PriceSource.INDEX, resolution="1h", since=since, until=until
            )
        except KrakenError as problem:
            log.warning("the index of %s cannot be read from %s: %s", currency, since, problem)
            break
        rows = [
            IndexPrice(environment=environment, currency=currency, hour=candle.at, price=candle.open)
            for candle in candles
            if since <= candle.at <= until
        ]
        added += len(IndexPrice.objects.bulk_create(rows, ignore_conflicts=True))
    return added


def _missing(environment: str, currency: str, first: datetime, last: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Spans of at most a page; a span begins at the first hour that is not known."""
    known = set(
        IndexPrice.objects.filter(environment=environment, currency=currency, hour__gte=first).values_list(
            "hour", flat=True
        )
    )
    hour = first
    while hour <= last:
        if hour in known:
            hour += HOUR
            continue
        end = min(hour + PAGE - HOUR, last)
        yield hour, end
        hour = end + HOUR


def _hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)
