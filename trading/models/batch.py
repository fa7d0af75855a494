from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from django.db import models

from accounts.models import desks_of
from trading.models.order import Order

if TYPE_CHECKING:
    from accounts.models import User


@dataclass(frozen=True, slots=True)
class BatchLine:
    """A line and what became of its newest order. `attempts` are all of them, oldest first."""

    number: int
    attempts: tuple[Order, ...]

    @property
    def order(self) -> Order:
        return self.attempts[-1]


class BatchQuerySet(models.QuerySet["Batch"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(account__desk__in=desks_of(user))


class Batch(models.Model):
    """Orders that were wished for together. `id` is the intent: submitting it twice finds the first."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="batches")
    by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    size = models.PositiveIntegerField()  # lines
    created_at = models.DateTimeField(auto_now_add=True)

    objects = BatchQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.size} orders together"

    def lines(self) -> list[BatchLine]:
        """By number. A line has a second order only where the first is proven not to have arrived."""
        return list(self._lines())

    def _lines(self) -> Iterator[BatchLine]:
        attempts: dict[int, list[Order]] = {}
        for order in self.orders.order_by("created_at"):
            attempts.setdefault(order.line or 0, []).append(order)
        for number in sorted(attempts):
            yield BatchLine(number, tuple(attempts[number]))
