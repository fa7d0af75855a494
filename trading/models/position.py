from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models

from accounts.models import desks_of
from trading.models.fields import Quantity

if TYPE_CHECKING:
    from accounts.models import User


class PositionQuerySet(models.QuerySet["Position"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(account__desk__in=desks_of(user))


class Position(models.Model):
    """What the venue last said of an open position. A closed one has no row."""

    account = models.ForeignKey("accounts.Account", on_delete=models.CASCADE, related_name="positions")
    symbol = models.CharField(max_length=40)
    size = Quantity()  # signed: negative is short
    entry = Quantity()
    unrealised_pnl = Quantity(null=True)
    unrealised_funding = Quantity(null=True)
    pnl_currency = models.CharField(max_length=12, blank=True)
    liquidation_price = Quantity(null=True)
    initial_margin = Quantity(null=True)
    maintenance_margin = Quantity(null=True)
    mark = Quantity(null=True)
    max_leverage = Quantity(null=True)  # set means isolated
    unwind_percentile = models.PositiveSmallIntegerField(null=True)  # 100 is first in line
    at = models.DateTimeField()  # when the venue said so
    source = models.CharField(max_length=8)  # "rest" or "feed"
    unknown = models.JSONField(default=dict)

    objects = PositionQuerySet.as_manager()

    class Meta:
        ordering = ["symbol"]
        constraints = [models.UniqueConstraint(fields=["account", "symbol"], name="one_position_a_symbol")]

    def __str__(self) -> str:
        return f"{self.size.normalize():f} {self.symbol}"
