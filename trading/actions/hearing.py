"""What the private feed of an account says, into rows. The feed only reports; whatever it leaves open is looked up."""

from __future__ import annotations

from django.db.models import Q
from django.utils import timezone

from krakenfutures.events import (
    BalancesChanged,
    Event,
    FillsHappened,
    FillsSnapshot,
    LedgerRows,
    Notices,
    OrderChanged,
    OrdersSnapshot,
    PositionsChanged,
)
from trading.actions.balances import merge_balances
from trading.actions.keeping import keep_log
from trading.actions.learning import STATUS_OF, News, learn, news_of_order
from trading.actions.positions import replace_positions
from trading.actions.storing import store_fills
from trading.models import Order
from trading.models.order import WORKING
from trading.publish import announce

FEED = "live feed"


def hear(account_id: int, event: Event) -> None:
    """Write down what an event says. Events of one account come one after the other, in the order they were sent."""
    match event:
        case OrdersSnapshot():
            _hear_all_open(account_id, event)
        case OrderChanged():
            learn(account_id, news_of_change(event))
        case FillsSnapshot() | FillsHappened():
            store_fills(account_id, event.fills)
        case PositionsChanged():
            replace_positions(account_id, event.positions, at=timezone.now(), source="feed")
        case BalancesChanged():
            merge_balances(account_id, event, at=timezone.now())
        case LedgerRows():
            keep_log(account_id, event.rows, proven=False)
        case Notices():
            for notice in event.notices:
                announce(account_id, "notice", dict(notice))
        case _:
            pass  # the link's own business, or a feed that no row comes from


def news_of_change(event: OrderChanged) -> News:
    """A change often names only the order and the reason: what that proves is in `event.state`."""
    status = STATUS_OF[event.state]
    if event.order is not None:
        return news_of_order(event.order, state=event.state, source=FEED)
    return News(
        status=status,
        venue_order_id=event.order_id,
        client_order_id=event.client_id or "",
        venue_status=event.reason,
        source=FEED,
        look=status is None,
    )


def _hear_all_open(account_id: int, event: OrdersSnapshot) -> None:
    """The open orders at this moment. One of ours that is missing has left while nobody listened: look it up."""
    began = timezone.now()
    for order in event.orders:
        learn(account_id, news_of_order(order, source=FEED))
    listed = Q(venue_order_id__in=[order.id for order in event.orders])
    Order.objects.filter(account_id=account_id, status__in=WORKING, answered_at__lt=began).exclude(listed).update(
        resolve_after=began
    )
