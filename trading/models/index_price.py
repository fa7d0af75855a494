from __future__ import annotations

from django.db import models

from accounts.models import Environment
from trading.models.fields import Quantity


class IndexPrice(models.Model):
    """What a coin was worth in USD, by the venue's index, at the beginning of an hour. Never changes."""

    environment = models.CharField(max_length=12, choices=Environment)
    currency = models.CharField(max_length=12)
    hour = models.DateTimeField()
    price = Quantity()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["environment", "currency", "hour"], name="one_index_price_an_hour")
        ]

    def __str__(self) -> str:
        return f"{self.currency} {self.hour:%Y-%m-%d %H}:00 {self.price.normalize():f}"
