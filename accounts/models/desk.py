from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models

if TYPE_CHECKING:
    from accounts.models.user import User


class Role(models.TextChoices):
    VIEWER = "viewer", "Viewer"
    TRADER = "trader", "Trader"
    REVIEWER = "reviewer", "Reviewer"
    ADMIN = "admin", "Admin"
    OWNER = "owner", "Owner"


class DeskQuerySet(models.QuerySet["Desk"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(memberships__user=user)


class Desk(models.Model):
    """What a team shares. Every object belongs to one, and is reached through `visible_to`."""

    name = models.CharField(max_length=80)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = DeskQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    desk = models.ForeignKey(Desk, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role)
    since = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["desk", "user"], name="one_membership_a_person")]

    def __str__(self) -> str:
        return f"{self.user} in {self.desk}: {self.role}"
