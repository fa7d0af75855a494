"""The one gate in front of everything that adds risk: orders, edits, batches, reversals, whatever comes next."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from uuid import uuid4

import msgspec

from accounts.actions.limits import take_up
from accounts.models import Account, User
from accounts.prepared import Prepared
from accounts.rules import NotAllowed
from krakenfutures.values import Change, NewOrder
from trading.actions.intents import wish_of
from trading.models import Halt, Order
from trading.rules import adds_risk
from trading.worth import worth_usd

STANDING = Prepared(lambda desk: Halt.objects.standing().filter(desk=desk).select_related("by"))


def admit(account: Account, by: User, wishes: Sequence[NewOrder]) -> None:
    """Raises `NotAllowed` where one of these may not leave the desk now. What only reduces always may.

    Call it inside the transaction that stores the intents, last before anything is sent: a halt that was there first
    is then seen for certain, in whichever process it was called.
    """
    risky = [wish for wish in wishes if not wish.reduce_only]
    if risky:
        require_no_halt(account)
    for wish in risky:
        _take_up(account, by, wish, intent=wish.client_id, notional=worth_usd(account.environment, wish))


def admit_change(account: Account, by: User, order: Order, change: Change) -> None:
    """The same for an edit: one that only makes the order smaller, or is of a reduce-only order, always may."""
    if not adds_risk(order, change):
        return
    require_no_halt(account)
    before = wish_of(order)
    after = msgspec.structs.replace(
        before,
        size=change.size or before.size,
        limit_price=change.limit_price or before.limit_price,
        stop_price=change.stop_price or before.stop_price,
        trailing_deviation=change.trailing_deviation or before.trailing_deviation,
    )
    _take_up(account, by, after, intent=f"{order.pk}/{uuid4().hex}", notional=worth_usd(account.environment, after))


def _take_up(account: Account, by: User, wish: NewOrder, *, intent: str, notional: Decimal | None) -> None:
    """Held against the limits of whoever sends it. An edit counts whole again: what it replaces may have filled."""
    take_up(by, account.desk, intent=intent, symbol=wish.symbol, notional=notional, reduce_only=wish.reduce_only)


def require_no_halt(account: Account) -> None:
    """Read from the database every time: no process may go on because it has not heard of the halt yet."""
    halt = STANDING.first(account.desk_id)
    if halt is not None:
        why = f" ({halt.reason})" if halt.reason else ""
        raise NotAllowed(
            f"The desk is halted by {halt.by}{why}: nothing that adds risk is sent. Cancelling and reducing work.",
            code="halted",
        )
