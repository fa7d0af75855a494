from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models

from accounts.models import desks_of

if TYPE_CHECKING:
    from accounts.models import User


class SavedViewQuerySet(models.QuerySet["SavedView"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(user=user, desk__in=desks_of(user))


class SavedView(models.Model):
    """A search in the history that somebody wants to find again; nobody else sees it."""

    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+")
    desk = models.ForeignKey("accounts.Desk", on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=40)
    query = models.CharField(max_length=500)  # of the page's address: tab and filters

    objects = SavedViewQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["user", "desk", "name"], name="one_view_a_name")]

    def __str__(self) -> str:
        return self.name
