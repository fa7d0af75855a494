from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from django.db import models

if TYPE_CHECKING:
    from accounts.models.user import User


class AuditQuerySet(models.QuerySet["AuditRow"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(desk__memberships__user=user)

    def delete(self) -> Any:
        raise TypeError("Audit rows are never deleted.")

    def update(self, **_fields: Any) -> int:
        raise TypeError("Audit rows are never changed.")


class AuditRow(models.Model):
    """Who did what, written in the same transaction as what it records. Appended, never changed.

    `number`, `previous` and `digest` belong to the hash chain of the desk; they stay empty until it is built.
    """

    desk = models.ForeignKey("accounts.Desk", null=True, on_delete=models.PROTECT, related_name="audit_rows")
    at = models.DateTimeField(auto_now_add=True)
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
        indexes = [models.Index(fields=["desk", "-id"]), models.Index(fields=["about"])]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.action} {self.about}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError("Audit rows are never changed.")
        super().save(*args, **kwargs)

    def delete(self, *_args: Any, **_kwargs: Any) -> Any:
        raise TypeError("Audit rows are never deleted.")
