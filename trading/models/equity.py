from __future__ import annotations

from django.db import models

from trading.models.fields import Quantity
from trading.models.history import OfDeskQuerySet


class EquityPoint(models.Model):
    """How an account stood at one moment, in USD, by the same sums as the overview. Taken every five minutes.

    `exposure` is the sum of the positions' notional at the mark, unsigned. `missing` names currencies that had no
    price then and are in none of the sums.
    """

    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="+", db_index=False)
    at = models.DateTimeField()
    equity = Quantity()
    available = Quantity()
    used = Quantity()
    maintenance = Quantity()
    unrealised = Quantity()
    exposure = Quantity()
    missing = models.JSONField(default=list)

    objects = OfDeskQuerySet.as_manager()

    class Meta:
        ordering = ["-at"]
        constraints = [models.UniqueConstraint(fields=["account", "at"], name="one_equity_point_a_moment")]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.equity.normalize():f} USD"
