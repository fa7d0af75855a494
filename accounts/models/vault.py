from __future__ import annotations

from django.db import models
from django.db.models import Q


class VaultCanary(models.Model):
    """The one row that proves the master key at start. What it seals is the key of the fingerprints."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    sealed = models.BinaryField()
    wrapped_key = models.BinaryField()
    master_key_id = models.CharField(max_length=32)
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="one_canary")]

    def __str__(self) -> str:
        return f"canary under {self.master_key_id}"
