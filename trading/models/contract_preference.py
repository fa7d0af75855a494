from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models

from accounts.models import desks_of
from trading.models.fields import Quantity

if TYPE_CHECKING:
    from accounts.models import User


class ContractPreferenceQuerySet(models.QuerySet["ContractPreference"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(account__desk__in=desks_of(user))


class ContractPreference(models.Model):
    """What the venue last said an account chose for a contract. Where nothing was chosen there is no row."""

    account = models.ForeignKey("accounts.Account", on_delete=models.CASCADE, related_name="contract_preferences")
    symbol = models.CharField(max_length=40)
    max_leverage = Quantity(null=True)  # set means isolated
    pnl_currency = models.CharField(max_length=12, blank=True)
    unknown = models.JSONField(default=dict)

    objects = ContractPreferenceQuerySet.as_manager()

    class Meta:
        ordering = ["symbol"]
        constraints = [models.UniqueConstraint(fields=["account", "symbol"], name="one_preference_a_contract")]

    def __str__(self) -> str:
        return f"preference of {self.account_id} for {self.symbol}"
