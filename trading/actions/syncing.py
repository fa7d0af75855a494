"""Reading whole states and histories from the venue into rows. Reading twice does no harm."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
from django.db import transaction
from django.utils import timezone

from accounts.models import ApiKey
from accounts.venues import session_for, venue_for
from krakenfutures import values
from krakenfutures.errors import KrakenError
from krakenfutures.numbers import EPOCH
from krakenfutures.venue import Session
from trading import instruments
from trading.actions.balances import store_wallets
from trading.actions.learning import learn, news_of_order
from trading.actions.looking import PAGE
from trading.actions.positions import replace_positions
from trading.actions.progress import reading
from trading.actions.resolving import resolve
from trading.actions.storing import store_fills, store_history
from trading.models import Listing, Order, Sync
from trading.models.order import WORKING

log = logging.getLogger(__name__)

Store = Callable[[int, Sequence[values.Fill]], int]

LISTINGS_GOOD_FOR = timedelta(minutes=10)
SETTLED = timedelta(seconds=5)  # an order answered later than this ago may be missing from a list read now
PAGES = 6  # of old fills in one go: they are dear, and the budget is shared with people


def sync_account(api_key_id: int) -> int:
    """Everything of one key: after it was added, and after a connection was away. Raises `KrakenError`.

    Returns how many fills and orders were found that had not been heard of.
    """
    key = _key(api_key_id)
    if not Listing.objects.filter(environment=key.account.environment).exists():
        refresh_listings(key.account.environment)
    sync_wallets(api_key_id)
    sync_positions(api_key_id)
    return sync_fills(api_key_id) + sync_orders(api_key_id)


def sync_wallets(api_key_id: int) -> None:
    key = _key(api_key_id)
    with reading(key.account_id, "wallets") as began, session_for(key) as session:
        store_wallets(key.account_id, session.account.wallets(), at=began, source="rest")


def sync_positions(api_key_id: int) -> None:
    key = _key(api_key_id)
    with reading(key.account_id, "positions") as began, session_for(key) as session:
        replace_positions(key.account_id, session.account.positions(), at=began, source="rest")


def sync_orders(api_key_id: int) -> int:
    """Every open order, also those of others; and what became of ours that are open no longer.

    Returns how many were not as we had them.
    """
    key = _key(api_key_id)
    with reading(key.account_id, "orders") as began, session_for(key) as session:
        said = session.account.open_orders()
    for order in said:
        learn(key.account_id, news_of_order(order, source="open orders"))
    vanished = [order for order in _working_before(key.account_id, began - SETTLED) if not _listed(order, said)]
    if vanished:
        resolve(key.account_id, vanished)
    return Order.objects.filter(account_id=key.account_id, updated_at__gte=began).count()


def sync_fills(api_key_id: int) -> int:
    """The newest fills, and some of the older ones that are still missing. Returns how many were new."""
    key = _key(api_key_id)
    with reading(key.account_id, "fills"), session_for(key) as session:
        return FillReader(key.account_id, session).run()


def refresh_listings(environment: str) -> int:
    """Store every instrument the venue lists. Returns how many. Raises `KrakenError`."""
    now = timezone.now()
    rows = [
        Listing(
            environment=environment, symbol=one.symbol, instrument=json.loads(msgspec.json.encode(one)), seen_at=now
        )
        for one in venue_for(environment).market.instruments()
    ]
    Listing.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["environment", "symbol"],
        update_fields=["instrument", "seen_at"],
    )
    instruments.forget()
    return len(rows)


def refresh_old_listings(environments: Sequence[str]) -> None:
    """Refresh what is older than ten minutes, or missing."""
    for environment in environments:
        newest = Listing.objects.filter(environment=environment).order_by("-seen_at").first()
        if newest is not None and timezone.now() - newest.seen_at < LISTINGS_GOOD_FOR:
            continue
        try:
            refresh_listings(environment)
        except KrakenError as problem:
            log.warning("the instruments of %s could not be read: %s", environment, problem)


@dataclass
class Gap:
    """Fills in between are still to be read: later than `since`, earlier than `before`. Epoch milliseconds."""

    since: int
    before: int


class FillReader:
    """Reads fills newest first. What is known to be missing is kept as gaps, committed with every page.

    A reader that is killed leaves the gaps of its last page; the next one goes on there.
    """

    def __init__(self, account_id: int, session: Session) -> None:
        self._account_id = account_id
        self._session = session
        self._row, _ = Sync.objects.get_or_create(account_id=account_id, stream="fills")
        self._gaps = [Gap(*pair) for pair in json.loads(self._row.cursor or "[]")]

    def run(self) -> int:
        new = self._newest()
        for _ in range(PAGES):
            if not self._gaps:
                break
            new += self._older()
        return new

    @property
    def is_complete(self) -> bool:
        return not self._gaps

    def _newest(self) -> int:
        page = self._session.account.fills()
        known_to = self._row.complete_to
        if page and len(page) >= PAGE and (known_to is None or page[-1].at > known_to):
            self._gaps.append(Gap(since=_ms(known_to or EPOCH), before=_ms(page[-1].at) + 1))
        newest = max([fill.at for fill in page] + ([known_to] if known_to else []), default=None)
        return self._store(page, newest, store_fills)

    def _older(self) -> int:
        """One page of the latest gap. Its edge is read again: fills of one millisecond may be on both pages."""
        gap = self._gaps[-1]
        page = self._session.account.fills(before=EPOCH + timedelta(milliseconds=gap.before))
        oldest = _ms(page[-1].at) if page else 0
        if len(page) < PAGE or oldest <= gap.since:
            self._gaps.pop()
        else:
            gap.before = oldest + 1 if oldest + 1 < gap.before else oldest
        return self._store(page, self._row.complete_to, store_history)

    def _store(self, page: list[values.Fill], newest: datetime | None, store: Store) -> int:
        with transaction.atomic():
            new = store(self._account_id, page)
            self._row.complete_to = newest
            self._row.cursor = json.dumps([[gap.since, gap.before] for gap in merged(self._gaps)])
            self._row.save(update_fields=["cursor", "complete_to"])
        return new


def merged(gaps: list[Gap]) -> list[Gap]:
    """Few enough for their column: the oldest two become one, and what is known in between is read again."""
    while len(gaps) > 4:
        first, second = gaps[0], gaps[1]
        gaps[:2] = [Gap(since=min(first.since, second.since), before=max(first.before, second.before))]
    return gaps


def _ms(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(milliseconds=1)


def _key(api_key_id: int) -> ApiKey:
    return ApiKey.objects.usable().select_related("account").get(pk=api_key_id)


def _working_before(account_id: int, moment: datetime) -> list[Order]:
    orders = Order.objects.filter(account_id=account_id, status__in=WORKING)
    return [order for order in orders if (order.answered_at or order.created_at) < moment]


def _listed(order: Order, said: Sequence[values.Order]) -> bool:
    return any(
        one.id == order.venue_order_id or (one.client_id is not None and one.client_id == order.client_order_id)
        for one in said
    )
