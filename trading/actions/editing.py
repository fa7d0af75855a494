"""Changing an open order. Without the venue's word for it, what stands is looked up and never claimed."""

from __future__ import annotations

from decimal import Decimal

from django.db import transaction

from accounts.actions.audit import record
from accounts.models import User
from accounts.rules import NotAllowed
from krakenfutures.numbers import plain
from krakenfutures.values import Accepted, Change, OrderType
from trading import clock
from trading.actions.admitting import admit_change
from trading.actions.cancelling import after_refusal_or_loss
from trading.actions.learning import STATUS_OF, News, learn
from trading.actions.looking import reference
from trading.actions.placing import ACCEPT_WITHIN
from trading.actions.reaching import require_trader, trading_session
from trading.instruments import instrument_for
from trading.models import Order
from trading.rules import change_refusals


def edit_order(
    order: Order,
    *,
    by: User,
    size: Decimal | None = None,
    limit_price: Decimal | None = None,
    stop_price: Decimal | None = None,
    trailing_deviation: Decimal | None = None,
) -> Order:
    """Change what is given; `size` is the new total, what is filled counts into it. Returns what is known afterwards.

    Raises `NotAllowed` when a rule of ours or the venue says no: the order is then as it was.
    """
    account = order.account
    key = require_trader(by, account)
    if not order.is_working:
        raise NotAllowed(f"Only an open order can be changed; this one is {order.get_status_display().lower()}.")
    change = Change(
        size=size,
        limit_price=limit_price,
        stop_price=stop_price,
        trailing_deviation=trailing_deviation,
        trailing_unit=order.trailing_unit or None,
    )
    _require_fitting(order, change)
    for refusal in change_refusals(change, instrument_for(account.environment, order.symbol), order.filled):
        raise refusal
    with transaction.atomic():
        admit_change(account, by, order, change)
        record(by, "order.edit_sent", order, desk=account.desk, **_told(change))
    with trading_session(key) as session:
        deadline = clock.venue_now(account.environment) + ACCEPT_WITHIN
        outcome = session.orders.amend(reference(order), _whole(change, order), deadline=deadline)
    if isinstance(outcome, Accepted):
        known = learn(account.pk, _news(outcome, change), order_id=order.pk)
        assert known is not None
    else:
        known = after_refusal_or_loss(order, outcome, "edit")
    with transaction.atomic():
        record(by, "order.edit_answered", known, desk=account.desk, status=known.status)
    return known


def _require_fitting(order: Order, change: Change) -> None:
    trails = order.type == OrderType.TRAILING_STOP
    if trails and (change.limit_price is not None or change.stop_price is not None):
        reason = "The trigger of a trailing stop moves by itself; its size and its deviation can be changed."
        raise NotAllowed(reason, code="trailing")
    if change.trailing_deviation is not None and not trails:
        raise NotAllowed("Only a trailing stop has a deviation.", field="trailing_deviation", code="not_trailing")


def _whole(change: Change, order: Order) -> Change:
    """A trigger order must be told both of its prices, also the one that stays; a trailing one takes neither."""
    if order.stop_price is None or order.type == OrderType.TRAILING_STOP:
        return change
    return Change(
        size=change.size,
        limit_price=change.limit_price if change.limit_price is not None else order.limit_price,
        stop_price=change.stop_price if change.stop_price is not None else order.stop_price,
    )


def _news(outcome: Accepted, change: Change) -> News:
    said = outcome.order
    return News(
        status=STATUS_OF[outcome.state],
        filled=outcome.filled,
        venue_status=outcome.status,
        order=said,
        trailing_deviation=change.trailing_deviation,
        at=(said.updated_at if said else None) or outcome.at,
        look=said is None,  # held: the answer does not say how it stands now
    )


def _told(change: Change) -> dict[str, str]:
    names = ("size", "limit_price", "stop_price", "trailing_deviation")
    return {name: plain(number) for name in names if (number := getattr(change, name)) is not None}
