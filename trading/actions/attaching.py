"""Attached stops and targets: sent once their parent has filled, and let go when the other one has done the work.

They are stored with their parent, so a process that dies in between loses none: beat finds the families that wait.
"""

from __future__ import annotations

import logging
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.actions.audit import record
from accounts.models import Account, ApiKey
from accounts.rules import NotAllowed
from krakenfutures.values import Rejected
from trading import clock
from trading.actions.cancelling import ask_to_cancel, discard
from trading.actions.intents import told, wish_of
from trading.actions.placing import ACCEPT_WITHIN, write_down
from trading.actions.reaching import trading_session
from trading.models import Order, OrderStatus
from trading.models.order import FINAL, WORKING
from trading.publish import announce
from trading.telling import tell_order

log = logging.getLogger(__name__)

S = OrderStatus
NOTHING_LEFT = {"notSent", "throttled"}  # of a placement: for certain, nothing was sent
CAME_TO_NOTHING = "The order it was attached to has not filled."
OTHER_FILLED = "The other order attached with it has filled."


def attend_attached(parent_id: UUID | str) -> None:
    """Do what is due for the orders attached to this one. Doing it twice does no harm."""
    parent = Order.objects.select_related("account__desk", "by").get(pk=parent_id)
    family = list(Order.objects.filter(parent=parent))
    if any(one.status == S.FILLED for one in family):
        for one in family:
            _let_go(one, OTHER_FILLED)
    elif parent.filled > 0:
        for one in family:
            _send(one, parent)
    elif parent.is_final:
        for one in family:
            _let_go(one, CAME_TO_NOTHING)


def sweep_attached() -> int:
    """Attend to every family that waits. Returns how many there were."""
    waiting = Q(status=S.DRAFT) & Q(parent__status__in=[S.PARTLY_FILLED, *FINAL])
    done = Q(status__in=[S.DRAFT, *WORKING]) & Q(parent__attached__status=S.FILLED)
    parents = {one.parent_id for one in Order.objects.filter(waiting | done)[:200] if one.parent_id}
    for parent_id in parents:
        attend_attached(parent_id)
    return len(parents)


def _send(draft: Order, parent: Order) -> None:
    """Of the parent's whole size: to reduce only, so the venue cuts it to the position when it fires."""
    account = parent.account
    key = _key(account)
    if draft.status != S.DRAFT or key is None or parent.by is None:
        return
    with trading_session(key) as session:
        deadline = clock.venue_now(account.environment) + ACCEPT_WITHIN
        if not _claim(draft, parent, deadline):
            return
        outcome = session.orders.place(wish_of(draft), deadline=deadline)
    if isinstance(outcome, Rejected) and outcome.code in NOTHING_LEFT:
        Order.objects.filter(pk=draft.pk, status=S.SENDING).update(status=S.DRAFT)  # the next sweep sends it
        return
    known = write_down(draft, outcome, account, parent.by)
    if known.status == S.REJECTED:
        sentence = f"The {known.get_type_display()} attached to your order was refused: {known.reason}"
        announce(account.pk, "notice", {"type": "desk", "priority": "high", "note": sentence})


def _claim(draft: Order, parent: Order, deadline: datetime) -> bool:
    """True for exactly one of those who try: the order is then stored as being sent, and theirs to send."""
    with transaction.atomic():
        draft.size, draft.deadline, draft.sent_at, draft.status = parent.size, deadline, timezone.now(), S.SENDING
        draft.updated_at = draft.sent_at
        claimed = Order.objects.filter(pk=draft.pk, status=S.DRAFT).update(
            status=S.SENDING,
            size=draft.size,
            deadline=deadline,
            sent_at=draft.sent_at,
            updated_at=draft.updated_at,
        )
        if claimed:
            record(parent.by, "order.sent", draft, desk=parent.account.desk, **told(wish_of(draft)))
            announce(draft.account_id, "order", tell_order(draft))
    return bool(claimed)


def _let_go(one: Order, why: str) -> None:
    if one.status == S.DRAFT:
        discard(one, by=None, why=why)
        return
    key = _key(one.account)
    if not one.is_working or key is None:
        return
    try:
        known = ask_to_cancel(one, key)
    except NotAllowed as refusal:
        log.warning("order %s is not needed any more and could not be cancelled yet: %s", one.pk, refusal)
        return
    with transaction.atomic():
        record(None, "order.cancel_answered", known, desk=one.account.desk, status=known.status, why=why)


def _key(account: Account) -> ApiKey | None:
    key = ApiKey.objects.usable().filter(account=account).first()
    if key is None or not key.may_trade:
        log.warning("account %s has no key to look after its attached orders with", account.pk)
        return None
    key.account = account
    return key
