"""Batches: every line checked before anything is sent, a result for each; again goes only what is not there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from uuid import UUID, uuid5

import msgspec
from django.db import transaction

from accounts.models import Account, User
from accounts.rules import NotAllowed
from trading.actions.intents import row_of, wish_of
from trading.actions.placing import check
from trading.actions.reaching import require_trader
from trading.actions.together import send_drafts, store_drafts
from trading.batch_lines import MOST_LINES, Line, LineError
from trading.models import Batch, Order, OrderStatus

S = OrderStatus
NEVER_LEFT = {"notSent", "throttled"}  # refusals that prove that nothing was sent


def check_batch(account: Account, *, by: User, lines: Sequence[Line]) -> list[LineError]:
    """What our rules find wrong, line by line: the first thing of each. Raises for whoever may not trade."""
    require_trader(by, account)
    return list(_errors(account, lines))


def send_batch(intent_id: UUID, *, account: Account, by: User, lines: Sequence[Line]) -> Batch:
    """Store and send these orders, at most once for an intent: a second call gets the first one's batch.

    Raises `NotAllowed` (code `lines`) before anything is stored when a rule of ours says no to one of them. What the
    venue refuses, or does not answer, is in the lines of the batch.
    """
    key = require_trader(by, account)
    if seen := Batch.objects.filter(pk=intent_id).first():
        if seen.account_id != account.pk:
            raise NotAllowed("This batch was used for another account. Open a new one.", code="ticket_taken")
        return seen
    if wrong := next(_errors(account, lines), None):
        raise NotAllowed(f"Line {wrong.line}: {wrong.sentence}", field=wrong.field, code="lines")
    rows = [_row(intent_id, number, line, account, by) for number, line in enumerate(lines, start=1)]
    with transaction.atomic():
        batch, made = Batch.objects.get_or_create(
            pk=intent_id, defaults={"account": account, "by": by, "size": len(lines)}
        )
        ours = made and store_drafts(rows, account=account, by=by, about=batch)
    if ours:
        send_drafts([row.pk for row in rows], account=account, by=by, key=key, about=batch)
    return batch


def retry_batch(intent_id: UUID, *, batch: Batch, by: User) -> Batch:
    """Send again what is proven not to have arrived, each under a new name; lines that never left are sent at last.

    At most once for an intent, and two people at once do it once. What is uncertain or was refused by the venue stays
    as it is. Raises `NotAllowed` (code `nothing_to_retry`) where no line is left for it.
    """
    account = batch.account
    key = require_trader(by, account)
    with transaction.atomic():
        Batch.objects.select_for_update().get(pk=batch.pk)
        newest = [line.order for line in batch.lines()]
        again = [_again(intent_id, order, account, by) for order in newest if never_arrived(order)]
        drafts = [order.pk for order in newest if order.status == S.DRAFT]
        if _done_already(intent_id, batch):
            return batch
        if not again and not drafts:
            reason = "No line of this batch is proven not to have arrived, so nothing is sent again."
            raise NotAllowed(reason, code="nothing_to_retry")
        if again and not store_drafts(again, account=account, by=by, about=batch):
            return batch
    send_drafts([*drafts, *(row.pk for row in again)], account=account, by=by, key=key, about=batch)
    return batch


def never_arrived(order: Order) -> bool:
    return order.status == S.NEVER_ARRIVED or (order.status == S.REJECTED and order.reason_code in NEVER_LEFT)


def _errors(account: Account, lines: Sequence[Line]) -> Iterator[LineError]:
    if not 0 < len(lines) <= MOST_LINES:
        yield LineError(line=0, field="", sentence=f"A batch has 1 to {MOST_LINES} orders.")
    for line in lines:
        try:
            check(line.wish("unsent"), account.environment)
        except NotAllowed as refusal:
            yield LineError(line=line.number, field=refusal.field or "", sentence=refusal.reason)


def _row(intent_id: UUID, number: int, line: Line, account: Account, by: User) -> Order:
    own = uuid5(intent_id, f"line {number}")
    row = row_of(line.wish(str(own)), account, by)
    row.batch_id, row.line = intent_id, number
    return row


def _again(intent_id: UUID, order: Order, account: Account, by: User) -> Order:
    own = uuid5(intent_id, f"line {order.line}")
    row = row_of(msgspec.structs.replace(wish_of(order), client_id=str(own)), account, by)
    row.batch_id, row.line = order.batch_id, order.line
    return row


def _done_already(intent_id: UUID, batch: Batch) -> bool:
    names = [uuid5(intent_id, f"line {number}") for number in range(1, batch.size + 1)]
    return Order.objects.filter(pk__in=names).exists()
