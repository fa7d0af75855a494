"""One search for some orders of one account, in three places. It reads the venue and stores only the fills it saw."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.utils import timezone

from krakenfutures import values
from krakenfutures.numbers import plain
from krakenfutures.values import OrderRef
from krakenfutures.venue import Session
from trading.actions.learning import NOTHING, Look, News, news_of_order
from trading.actions.storing import store_fills
from trading.models import Order

AT_ONCE = 50  # orders in one request
PAGE = 100  # fills in one answer
PAGES = 10  # of fills, at most, in one search: they are dear
SLACK = timedelta(minutes=1)  # fills are looked through to this long before the order was sent


class Search:
    """`venue_time` is the venue's clock before the first look: what it accepts later, this search may miss."""

    def __init__(
        self,
        session: Session,
        venue_time: datetime,
        orders: Sequence[Order],
        *,
        fills_known_to: datetime | None = None,
    ) -> None:
        self.began = timezone.now()
        self.venue_time = venue_time
        self.saw_all_fills = False
        self._session = session
        self._orders = orders
        self._fills_known_to = fills_known_to
        self._found: dict[UUID, values.Order] = {}
        self._fills: list[values.Fill] = []
        self._looks: dict[UUID, list[Look]] = {order.pk: [] for order in orders}

    def run(self) -> None:
        """Raises `KrakenError`; what was seen until then stays stored."""
        for start in range(0, len(self._orders), AT_ONCE):
            some = self._orders[start : start + AT_ONCE]
            self._match("order status", some, self._session.orders.lookup([reference(order) for order in some]))
        if missing := self._missing():
            self._match("open orders", missing, self._session.account.open_orders())
        missing = self._missing()
        if missing or any(order.filled > 0 for order in self._found.values()):
            self._read_fills(missing)

    def news_of(self, order: Order) -> News | None:
        """What the venue says of it, if it was found open or in the order status."""
        said = self._found.get(order.pk)
        return news_of_order(said) if said else None

    def looks_for(self, order: Order) -> list[Look]:
        """Where it was looked for, in order; the last says what settled it, if anything did."""
        return self._looks[order.pk]

    def _missing(self) -> list[Order]:
        return [order for order in self._orders if order.pk not in self._found]

    def _match(self, place: str, orders: Sequence[Order], said: Sequence[values.Order]) -> None:
        now = timezone.now()
        by_client = {one.client_id: one for one in said if one.client_id}
        by_venue = {one.id: one for one in said}
        for order in orders:
            match = by_client.get(order.client_order_id or "") or by_venue.get(order.venue_order_id or "")
            if match:
                self._found[order.pk] = match
            found = f"{match.state.value.replace('_', ' ')}" if match else NOTHING
            self._looks[order.pk].append(Look(looked_in=place, found=found, at=now))

    def _read_fills(self, missing: Sequence[Order]) -> None:
        """Page back until before the oldest missing order was sent, or to where every fill is stored already."""
        since = min((order.sent_at or order.created_at for order in missing), default=self.began) - SLACK
        if self._fills_known_to and self._fills_known_to > since:
            since = self._fills_known_to
        before: datetime | None = None
        for _ in range(PAGES):
            page = self._session.account.fills(before=before)
            store_fills(self._orders[0].account_id, page)
            self._fills += page
            if len(page) < PAGE or page[-1].at <= since:
                self.saw_all_fills = True
                break
            before = page[-1].at
        for order in missing:
            self._looks[order.pk].append(Look(looked_in="fills", found=self._filled(order), at=timezone.now()))

    def _filled(self, order: Order) -> str:
        ours = [fill for fill in self._fills if _is_of(fill, order)]
        if not ours:
            return NOTHING
        size = sum((fill.size for fill in ours), start=ours[0].size - ours[0].size)
        return f"{plain(size)} of {plain(order.size)} filled"


def reference(order: Order) -> OrderRef:
    return OrderRef(client_id=order.client_order_id, venue_id=order.venue_order_id)


def _is_of(fill: values.Fill, order: Order) -> bool:
    if order.venue_order_id and fill.order_id == order.venue_order_id:
        return True
    return bool(order.client_order_id) and fill.client_id == order.client_order_id
