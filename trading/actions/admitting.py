"""The one gate in front of everything that adds risk: orders, edits, batches, reversals, whatever comes next."""

from __future__ import annotations

from collections.abc import Sequence

from accounts.models import Account, User
from accounts.rules import NotAllowed
from krakenfutures.values import Change, NewOrder
from trading.models import Halt, Order
from trading.rules import adds_risk


def admit(account: Account, by: User, wishes: Sequence[NewOrder]) -> None:
    """Raises `NotAllowed` where one of these may not leave the desk now. What only reduces always may.

    Call it inside the transaction that stores the intents, last before anything is sent: a halt that was there first
    is then seen for certain, in whichever process it was called.
    """
    if any(not wish.reduce_only for wish in wishes):
        require_no_halt(account)


def admit_change(account: Account, by: User, order: Order, change: Change) -> None:
    """The same for an edit: one that only makes the order smaller, or is of a reduce-only order, always may."""
    if adds_risk(order, change):
        require_no_halt(account)


def require_no_halt(account: Account) -> None:
    """Read from the database every time: no process may go on because it has not heard of the halt yet."""
    halt = Halt.objects.standing().filter(desk_id=account.desk_id).select_related("by").first()
    if halt is not None:
        why = f" ({halt.reason})" if halt.reason else ""
        raise NotAllowed(
            f"The desk is halted by {halt.by}{why}: nothing that adds risk is sent. Cancelling and reducing work.",
            code="halted",
        )
