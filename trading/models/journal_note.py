from __future__ import annotations

from django.db import models

from trading.models.history import OfDeskQuerySet


class JournalNote(models.Model):
    """What the desk wrote about one round trip: by the contract and the moment at which it began."""

    account = models.ForeignKey("accounts.Account", on_delete=models.CASCADE, related_name="+")
    symbol = models.CharField(max_length=40)
    began = models.DateTimeField()
    text = models.TextField(max_length=4000, blank=True)
    tags = models.JSONField(default=list)  # of words in small letters, in the order in which they were typed
    by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")  # who wrote last
    at = models.DateTimeField()

    objects = OfDeskQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "symbol", "began"], name="one_note_a_round_trip")]

    def __str__(self) -> str:
        return f"{self.symbol} {self.began:%Y-%m-%d %H:%M}"
