from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q

from accounts.models.desk import desks_of

if TYPE_CHECKING:
    from accounts.models.user import User


class Environment(models.TextChoices):
    DEMO = "demo", "Demo"
    PRODUCTION = "production", "Production"


class AccountQuerySet(models.QuerySet["Account"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(desk__in=desks_of(user))


class Account(models.Model):
    """One account at a venue, as a desk sees it. Keys come and go; the account keeps its history."""

    desk = models.ForeignKey("accounts.Desk", on_delete=models.PROTECT, related_name="accounts")
    label = models.CharField(max_length=60)
    environment = models.CharField(max_length=12, choices=Environment)
    venue_uid = models.CharField(max_length=64, blank=True)  # the venue's own id of the account
    demo_email = models.CharField(max_length=120, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = AccountQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["desk", "environment", "venue_uid"],
                condition=~Q(venue_uid=""),
                name="an_account_once_a_desk",
            )
        ]

    def __str__(self) -> str:
        return self.label
