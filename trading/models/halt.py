from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q

from accounts.models import desks_of

if TYPE_CHECKING:
    from accounts.models import User


class HaltQuerySet(models.QuerySet["Halt"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(desk__in=desks_of(user))

    def standing(self) -> Self:
        return self.filter(lifted_at__isnull=True)


class Halt(models.Model):
    """Nothing that adds risk leaves the desk while one stands. It is a row, so that it outlives every process."""

    desk = models.ForeignKey("accounts.Desk", on_delete=models.PROTECT, related_name="halts")
    by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField(auto_now_add=True)
    lifted_by = models.ForeignKey("accounts.User", null=True, on_delete=models.PROTECT, related_name="+")
    lifted_at = models.DateTimeField(null=True)

    objects = HaltQuerySet.as_manager()

    class Meta:
        ordering = ["-at"]
        constraints = [
            models.UniqueConstraint(fields=["desk"], condition=Q(lifted_at__isnull=True), name="one_halt_a_desk"),
            models.CheckConstraint(
                condition=Q(lifted_at__isnull=True, lifted_by__isnull=True)
                | Q(lifted_at__isnull=False, lifted_by__isnull=False),
                name="who_lifts_a_halt_is_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.desk} halted since {self.at:%Y-%m-%d %H:%M:%S}"
