from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models.desk import desks_of

if TYPE_CHECKING:
    from accounts.models.user import User


class AuditQuerySet(models.QuerySet["AuditRow"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(desk__in=desks_of(user))

    def delete(self) -> Any:
        raise TypeError("Audit rows are never deleted.")

    def update(self, **_fields: Any) -> int:
        raise TypeError("Audit rows are never changed.")


class AuditRow(models.Model):
    """Who did what, written in the same transaction as what it records. Appended, never changed.

    Every desk's rows are a chain: `digest` covers the row, its `number` and the digest before it (`previous`). Rows of
    no desk are a chain of their own. `accounts.chain` says how it is reckoned.
    """

    desk = models.ForeignKey("accounts.Desk", null=True, on_delete=models.PROTECT, related_name="audit_rows")
    at = models.DateTimeField(default=timezone.now)
    actor = models.ForeignKey("accounts.User", null=True, on_delete=models.PROTECT, related_name="+")
    action = models.CharField(max_length=60)  # "order.sent"
    about = models.CharField(max_length=80, blank=True)  # "order:1f0c…"
    details = models.JSONField(default=dict)
    request_id = models.CharField(max_length=40, blank=True)
    number = models.BigIntegerField(null=True)
    previous = models.CharField(max_length=64, blank=True)
    digest = models.CharField(max_length=64, blank=True)

    objects = AuditQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            # With a condition they are plain indexes: else SQLite would copy the table, and lose its triggers.
            models.UniqueConstraint(
                fields=["desk", "number"], condition=Q(number__isnull=False), name="an_audit_number_once_a_desk"
            ),
            models.UniqueConstraint(
                fields=["number"], condition=Q(desk=None, number__isnull=False), name="an_audit_number_once"
            ),
        ]
        indexes = [models.Index(fields=["desk", "-id"]), models.Index(fields=["about"])]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.action} {self.about}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError("Audit rows are never changed.")
        super().save(*args, **kwargs)

    def delete(self, *_args: Any, **_kwargs: Any) -> Any:
        raise TypeError("Audit rows are never deleted.")


class AuditHead(models.Model):
    """Where a chain ends. Writers lock it, so that they queue and no chain forks; rows cut off the end show by it."""

    chain = models.CharField(max_length=30, primary_key=True)  # "desk:1", or "house" for rows of no desk
    number = models.BigIntegerField(default=0)
    digest = models.CharField(max_length=64, blank=True)

    def __str__(self) -> str:
        return f"{self.chain} at {self.number}"
