"""A key that comes back must come with the same wish. The book, written with the intent, says what that was."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import models

from accounts.models import AuditRow, Desk, Withdrawal
from accounts.rules import NotAllowed
from krakenfutures.values import NewOrder
from trading.actions.intents import told
from trading.api.wishes import MoneyWish, OrderWish
from trading.models import Batch, Order

REUSED = "This Idempotency-Key was used for something else. What came of that stands; nothing new was done."


def require_same_order(order: Order, wish: OrderWish, desk: Desk) -> None:
    """Raises `NotAllowed` (code `key_reused`) where the first order of this key was another one."""
    attached = {child.type: child.stop_price for child in order.attached.all()} if order.has_attached else {}
    wanted = {one.replace("stop_loss", "stop"): price.stop_price for one, price in wish.attached().items()}
    first = _first_told(order, "order.sent", desk)
    _require(first == told(wish.order("")) and attached == wanted)


def require_same_batch(batch: Batch, wishes: Sequence[NewOrder], desk: Desk) -> None:
    first = _first_told(batch, "orders.wished_together", desk)
    _require(first is not None and first.get("orders") == [told(wish) for wish in wishes])


def require_same_withdrawal(withdrawal: Withdrawal, asked: MoneyWish) -> None:
    wish = asked.wish()
    names = ("source", "currency", "landing", "target_wallet", "target_account", "reason")
    same = all(getattr(withdrawal, name) == getattr(wish, name) for name in names)
    _require(same and withdrawal.account_id == asked.account and wish.amount in {None, withdrawal.amount})


def _first_told(about: models.Model, action: str, desk: Desk) -> dict[str, Any] | None:
    name = f"{about._meta.model_name}:{about.pk}"
    row = AuditRow.objects.filter(desk=desk, about=name, action=action).order_by("pk").first()
    return {key: value for key, value in row.details.items() if key != "via"} if row else None


def _require(same: bool) -> None:
    if not same:
        raise NotAllowed(REUSED, field="Idempotency-Key", code="key_reused")
