"""Placing an order once, whatever happens to the answer."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.actions.audit import record
from accounts.models import Account, User
from accounts.prepared import insert
from accounts.rules import NotAllowed
from accounts.venues import venue_for
from krakenfutures.values import NewOrder, OrderType, Outcome
from trading import clock
from trading.actions.admitting import admit
from trading.actions.bells import ring
from trading.actions.intents import Attached, attached_wishes, row_of, told
from trading.actions.learning import learn_answer, news_of_placement
from trading.actions.reaching import require_trader, trading_session
from trading.instruments import instrument_for
from trading.models import Order, OrderStatus
from trading.rules import refusals

ACCEPT_WITHIN = timedelta(seconds=5)  # the venue refuses an order that reaches it later
TOO_LATE = "wouldProcessAfterSpecifiedTime"


def open_ticket() -> uuid.UUID:
    """The intent of a ticket, minted when the ticket opens."""
    return uuid.uuid4()


def place_order(
    wish: NewOrder,
    *,
    account: Account,
    by: User,
    stop_loss: Attached | None = None,
    take_profit: Attached | None = None,
) -> Order:
    """Send an order, at most once for an intent: a second call, also at the same moment, gets the first one's row.

    The intent is `wish.client_id`, a UUID from `open_ticket`. `stop_loss` and `take_profit` are stored with the order,
    and sent by `trading.actions.attaching` once it has filled.
    Raises `NotAllowed` before anything is stored when a rule of ours says no. What the venue refuses is an order too:
    its status is rejected and `reason` says why. Without an answer it is uncertain, and looked up from then on.
    """
    attached = attached_wishes(wish, stop_loss, take_profit)
    try:
        key = require_trader(by, account)
        check(wish, account.environment)
        check_attached(wish, attached, account.environment)
    except NotAllowed as refusal:
        if refusal.code != "role" and (seen := _seen(wish, account)):
            return seen  # what was sent was sent, whatever the rules would say of it now
        raise
    with trading_session(key) as session:
        order = row_of(wish, account, by)
        order.deadline = deadline = clock.venue_now(account.environment) + ACCEPT_WITHIN
        stored = _store_intent(order, wish, attached)
        if stored is not order:
            return stored
        outcome = session.orders.place(wish, deadline=deadline)
    return write_down(order, outcome, account, by)


def check(wish: NewOrder, environment: str) -> None:
    """Raises the first `NotAllowed` of our rules."""
    if wish.type not in venue_for(environment).capabilities.order_types:
        raise NotAllowed("The venue does not take this type of order.", field="type", code="type")
    for refusal in refusals(wish, instrument_for(environment, wish.symbol)):
        raise refusal


def check_attached(wish: NewOrder, attached: Sequence[NewOrder], environment: str) -> None:
    """The rules for each of them, blamed on the ticket's fields `stop_loss` and `take_profit`."""
    if attached and wish.reduce_only:
        raise NotAllowed("What only reduces opens nothing that a stop could protect.", field="reduce_only")
    instrument = instrument_for(environment, wish.symbol)
    for child in attached:
        field = "stop_loss" if child.type is OrderType.STOP else "take_profit"
        for refusal in refusals(child, instrument):
            refusal.field = field
            raise refusal


def _seen(wish: NewOrder, account: Account) -> Order | None:
    order = Order.objects.filter(pk=wish.client_id).first()
    if order is not None and order.account_id != account.pk:
        raise NotAllowed("This ticket was used for another account. Open a new one.", code="ticket_taken")
    return order


def _store_intent(order: Order, wish: NewOrder, attached: Sequence[NewOrder]) -> Order:
    """The committed row: `order` itself when it was us who stored it, and then, and only then, it is ours to send."""
    account, by = order.account, order.by
    assert by is not None
    order.status, order.sent_at, order.has_attached = OrderStatus.SENDING, timezone.now(), bool(attached)
    try:
        with transaction.atomic():
            insert(order)
            for child in attached:
                insert(_child(child, order, by))
            admit(account, by, [wish])
            record(by, "order.sent", order, desk=account.desk, **told(wish))
    except IntegrityError:
        seen = _seen(wish, account)
        if seen is None:
            raise
        return seen
    return order


def write_down(order: Order, outcome: Outcome, account: Account, by: User) -> Order:
    news = news_of_placement(outcome)
    with transaction.atomic():
        known = learn_answer(order, news)
        record(by, "order.answered", known, desk=account.desk, status=known.status, venue_status=known.venue_status)
        if known.is_unsettled:
            ring("trading.resolve_order", known.pk)
    if news.reason_code == TOO_LATE:
        clock.forget(account.environment)
    return known


def _child(wish: NewOrder, parent: Order, by: User) -> Order:
    """A draft: named and stored with its parent, sent when that has filled."""
    row = row_of(wish, parent.account, by)
    row.parent = parent
    return row
