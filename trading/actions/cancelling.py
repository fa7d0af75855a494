"""Cancelling: what the venue confirms is cancelled; everything else is looked up and never claimed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.actions.audit import record
from accounts.models import Account, ApiKey, User
from accounts.rules import NotAllowed
from krakenfutures import values
from krakenfutures.errors import KrakenError, Refused, Throttled
from krakenfutures.values import Accepted, Lost, OrderRef, Outcome, Rejected
from trading import clock
from trading.actions.learning import News, learn
from trading.actions.looking import reference
from trading.actions.placing import ACCEPT_WITHIN
from trading.actions.reaching import require_trader, trading_session
from trading.actions.resolving import MARGIN, resolve
from trading.models import Order, OrderStatus
from trading.models.order import FINAL
from trading.publish import announce
from trading.telling import tell_order

NOT_OPEN = {"filled", "notFound"}  # the venue's refusals of a cancel that say: look what became of it


def cancel_order(order: Order, *, by: User) -> Order:
    """Ask the venue to cancel, and return what is known afterwards: it may be cancelled, filled, or still open.

    Raises `NotAllowed` where the cancel could not be sent at all. Cancelling what is no longer open changes nothing.
    """
    account = order.account
    key = require_trader(by, account)
    if order.is_final:
        return order
    if order.status == OrderStatus.DRAFT:
        return discard(order, by=by, why="Cancelled before it was sent.")
    with transaction.atomic():
        record(by, "order.cancel_sent", order, desk=account.desk)
    known = ask_to_cancel(order, key)
    with transaction.atomic():
        record(by, "order.cancel_answered", known, desk=account.desk, status=known.status)
    return known


def ask_to_cancel(order: Order, key: ApiKey) -> Order:
    """The asking alone, for whoever has the right to. Raises `NotAllowed` as `cancel_order` does."""
    with trading_session(key) as session:
        deadline = clock.venue_now(key.account.environment) + ACCEPT_WITHIN
        outcome = session.orders.cancel(reference(order), deadline=deadline)
    return after_cancel(order, outcome)


def after_cancel(order: Order, outcome: Outcome) -> Order:
    """What is known of an order after the answer to its cancel, or the lack of one."""
    if not isinstance(outcome, Accepted):
        return after_refusal_or_loss(order, outcome, "cancel")
    said = _cancelled(reference(order), said=outcome.order, at=outcome.at)
    known = learn(order.account_id, said, order_id=order.pk)
    assert known is not None
    return known


def discard(order: Order, *, by: User | None, why: str) -> Order:
    """Drop a draft: nothing of it has left. One that is being sent at this moment stays as it is."""
    with transaction.atomic():
        drafts = Order.objects.filter(pk=order.pk, status=OrderStatus.DRAFT)
        dropped = drafts.update(
            status=OrderStatus.CANCELLED, reason_code="discarded", reason=why[:300], updated_at=timezone.now()
        )
        order.refresh_from_db()
        if dropped:
            record(by, "order.discarded", order, desk=order.account.desk, why=why)
            announce(order.account_id, "order", tell_order(order))
    return order


def cancel_all(account: Account, *, by: User, symbol: str | None = None) -> list[Order]:
    """Cancel every order of the account (of one symbol), also those of others. Returns each one it concerned.

    Raises `NotAllowed` where nothing was sent or the venue refused.
    """
    key = require_trader(by, account)
    with transaction.atomic():
        record(by, "orders.cancel_all_sent", account, desk=account.desk, symbol=symbol or "")
    for draft in _of(account, symbol).filter(status=OrderStatus.DRAFT):
        discard(draft, by=by, why="Cancelled before it was sent.")
    open_before = list(_open(account, symbol))
    cancelled: list[OrderRef] = []
    with trading_session(key) as session:
        try:
            cancelled = session.orders.cancel_all(symbol)
        except Throttled as problem:
            raise NotAllowed(str(problem), code="throttled") from problem
        except Refused as problem:
            raise NotAllowed(problem.sentence, code=problem.code) from problem
        except KrakenError:
            pass  # it may have happened: each order is looked up below, and nothing is claimed
    for ref in cancelled:
        learn(account.pk, _cancelled(ref))
    ids = [order.pk for order in open_before]
    if left := list(_open(account, symbol).filter(pk__in=ids)):
        look_twice(left)
    with transaction.atomic():
        record(by, "orders.cancel_all_answered", account, desk=account.desk, cancelled=len(cancelled))
    return list(Order.objects.filter(pk__in=ids))


def after_refusal_or_loss(order: Order, outcome: Rejected | Lost, what: str) -> Order:
    """What is known of an order after a cancel or an edit (`what`) that the venue did not confirm.

    Raises `NotAllowed` when the venue's refusal says nothing about the order.
    """
    if isinstance(outcome, Rejected) and outcome.code not in NOT_OPEN:
        raise NotAllowed(outcome.sentence, field=outcome.field, code=outcome.code)
    look_twice([order])
    if isinstance(outcome, Lost):
        reason = f"The {what} was sent and not answered ({outcome.why}). What you see is what a look-up found."
        Order.objects.filter(pk=order.pk).exclude(status__in=FINAL).update(
            reason_code=f"{what}_unanswered", reason=reason[:300]
        )
    order.refresh_from_db()
    return order


def look_twice(orders: Sequence[Order]) -> None:
    """Look now, and for what is still open once more when the venue can no longer act on what was lost."""
    resolve(orders[0].account_id, orders)
    later = timezone.now() + ACCEPT_WITHIN + MARGIN
    Order.objects.filter(pk__in=[order.pk for order in orders]).exclude(status__in=FINAL).update(resolve_after=later)


def _cancelled(ref: OrderRef, *, said: values.Order | None = None, at: datetime | None = None) -> News:
    return News(
        status=OrderStatus.CANCELLED,
        filled=said.filled if said else Decimal(0),
        venue_order_id=ref.venue_id or "",
        client_order_id=ref.client_id or "",
        venue_status="cancelled",
        at=at,
        answer=True,
    )


def _open(account: Account, symbol: str | None) -> QuerySet[Order]:
    return _of(account, symbol).exclude(status__in=(OrderStatus.DRAFT, *FINAL))


def _of(account: Account, symbol: str | None) -> QuerySet[Order]:
    orders = Order.objects.filter(account=account)
    return orders.filter(symbol=symbol) if symbol else orders
