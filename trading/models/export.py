from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Self

from django.db import models

if TYPE_CHECKING:
    from accounts.models import User


class ExportFormat(models.TextChoices):
    CSV = "csv", "CSV"
    PARQUET = "parquet", "Parquet"
    KOINLY = "koinly", "CSV for Koinly"
    COINTRACKING = "cointracking", "CSV for CoinTracking"


class ExportState(models.TextChoices):
    WAITING = "waiting", "Waiting"
    MAKING = "making", "Being made"
    READY = "ready", "Ready"
    FAILED = "failed", "Failed"


class ExportQuerySet(models.QuerySet["Export"]):
    def visible_to(self, user: User) -> Self:
        """One's own: what somebody took away is nobody else's download."""
        return self.filter(
            by=user, account__desk__memberships__user=user, account__desk__memberships__suspended_at=None
        )


class Export(models.Model):
    """A file somebody asked for. Its bytes are rows (`ExportPart`), so that any web process can serve them."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey("accounts.Account", on_delete=models.CASCADE, related_name="+")
    by = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+")
    format = models.CharField(max_length=16, choices=ExportFormat)
    since = models.DateTimeField(null=True)
    until = models.DateTimeField(null=True)
    state = models.CharField(max_length=8, choices=ExportState, default=ExportState.WAITING)
    asked_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True)  # of the worker that makes it
    total = models.BigIntegerField(default=0)  # rows to write
    rows = models.BigIntegerField(default=0)  # written
    size = models.BigIntegerField(default=0)  # bytes
    trouble = models.CharField(max_length=200, blank=True)

    objects = ExportQuerySet.as_manager()

    class Meta:
        ordering = ["-asked_at"]

    def __str__(self) -> str:
        return f"{self.account} {self.format}"

    @property
    def percent(self) -> int:
        return 100 if self.state == ExportState.READY else self.rows * 100 // max(self.total, 1)

    @property
    def name(self) -> str:
        kind = self.format if self.format in {ExportFormat.KOINLY, ExportFormat.COINTRACKING} else "ledger"
        ending = "parquet" if self.format == ExportFormat.PARQUET else "csv"
        return f"{kind}-{self.account_id}-{self.asked_at:%Y-%m-%dT%H%M%SZ}.{ending}"


class ExportPart(models.Model):
    """A piece of the file, from byte `start` on."""

    export = models.ForeignKey(Export, on_delete=models.CASCADE, related_name="parts")
    start = models.BigIntegerField()
    data = models.BinaryField()

    class Meta:
        ordering = ["start"]
        constraints = [models.UniqueConstraint(fields=["export", "start"], name="one_part_a_place")]

    def __str__(self) -> str:
        return f"{self.export_id} from {self.start}"
