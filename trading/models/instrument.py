from __future__ import annotations

from django.db import models

from accounts.models import Environment


class Listing(models.Model):
    """An instrument as its venue lists it: `krakenfutures.values.Instrument`, whole."""

    environment = models.CharField(max_length=12, choices=Environment)
    symbol = models.CharField(max_length=40)
    instrument = models.JSONField()  # msgspec's JSON of `Instrument`
    seen_at = models.DateTimeField()

    class Meta:
        ordering = ["symbol"]
        constraints = [models.UniqueConstraint(fields=["environment", "symbol"], name="listed_once")]

    def __str__(self) -> str:
        return f"{self.symbol} ({self.environment})"


class Favourite(models.Model):
    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="favourites")
    symbol = models.CharField(max_length=40)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "symbol"], name="a_favourite_once")]

    def __str__(self) -> str:
        return self.symbol
