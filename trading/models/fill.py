from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models

from accounts.models import desks_of
from trading.models.fields import Quantity

if TYPE_CHECKING:
    from accounts.models import User


class FillQuerySet(models.QuerySet["Fill"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(account__desk__in=desks_of(user))


class Fill(models.Model):
    """One execution of one of the account's orders, under the venue's own id."""

    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="fills", db_index=False)
    source = models.CharField(max_length=16, default="derivatives")  # the transport that numbered it
    venue_fill_id = models.CharField(max_length=64)
    venue_order_id = models.CharField(max_length=64)
    client_order_id = models.CharField(max_length=100, blank=True)
    symbol = models.CharField(max_length=40)
    side = models.CharField(max_length=4)
    size = Quantity()
    price = Quantity()
    at = models.DateTimeField()
    kind = models.CharField(max_length=40)  # maker, taker, liquidation …; an unknown one as it came
    fee = Quantity(null=True)
    fee_currency = models.CharField(max_length=12, blank=True)
    realised_pnl = Quantity(null=True)
    unknown = models.JSONField(default=dict)  # what we did not know, raw
    flagged = models.BooleanField(default=False)

    objects = FillQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [
            models.Index(fields=["account", "-at", "-id"], name="fill_by_time"),
            models.Index(fields=["account", "symbol", "-at", "-id"], name="fill_by_symbol"),
            models.Index(fields=["account", "kind", "-at", "-id"], name="fill_by_kind"),
            models.Index(fields=["account", "venue_order_id"], name="fill_by_order"),
            models.Index(fields=["account", "-at", "-id"], name="fill_flagged", condition=models.Q(flagged=True)),
        ]
        constraints = [models.UniqueConstraint(fields=["account", "source", "venue_fill_id"], name="one_row_a_fill")]

    def __str__(self) -> str:
        return f"{self.side} {self.size.normalize():f} {self.symbol} at {self.price.normalize():f}"
