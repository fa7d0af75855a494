from __future__ import annotations

from django.db import models


class Sync(models.Model):
    """How far one stream of one account has been read, and how old what we know of it is.

    The streams: wallets, positions, orders, fills (states and newest fills); executions, order_events, trigger_events,
    position_events, log (whole histories, read backwards); ledger (derived: `cursor` says from and to which entry).
    """

    account = models.ForeignKey("accounts.Account", on_delete=models.CASCADE, related_name="syncs")
    stream = models.CharField(max_length=16)
    cursor = models.TextField(blank=True)  # opaque; committed with the page it follows
    complete_to = models.DateTimeField(null=True)  # what is stored is true up to here; never moves back
    oldest_at = models.DateTimeField(null=True)  # a history has been read back to here
    rows = models.BigIntegerField(default=0)  # of a history, stored so far
    share = models.FloatField(default=0)  # of a history read, as far as can be told; 1 when it is complete
    ok_at = models.DateTimeField(null=True)
    tried_at = models.DateTimeField(null=True)
    resumes_at = models.DateTimeField(null=True)  # the budget is spent until then
    trouble = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "stream"], name="one_cursor_a_stream")]

    def __str__(self) -> str:
        return f"{self.stream} of {self.account_id}"
