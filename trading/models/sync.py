from __future__ import annotations

from django.db import models


class Sync(models.Model):
    """How far one stream of one account has been read, and how old what we know of it is."""

    account = models.ForeignKey("accounts.Account", on_delete=models.CASCADE, related_name="syncs")
    stream = models.CharField(max_length=16)  # wallets, positions, orders, fills
    cursor = models.CharField(max_length=200, blank=True)  # opaque; committed with the page it follows
    complete_to = models.DateTimeField(null=True)  # what is stored is true up to here; never moves back
    ok_at = models.DateTimeField(null=True)
    tried_at = models.DateTimeField(null=True)
    trouble = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "stream"], name="one_cursor_a_stream")]

    def __str__(self) -> str:
        return f"{self.stream} of {self.account_id}"
