from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q

from accounts.models import desks_of

if TYPE_CHECKING:
    from accounts.models import User


class DeadManQuerySet(models.QuerySet["DeadMan"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(account__desk__in=desks_of(user))


class DeadMan(models.Model):
    """The venue's switch for an account: it cancels every open order unless it is renewed in time.

    Armed here means that it may be armed there: a call without an answer counts. All times are by our own clock.
    """

    account = models.OneToOneField(
        "accounts.Account", primary_key=True, on_delete=models.PROTECT, related_name="dead_man"
    )
    is_armed = models.BooleanField(default=False)
    seconds = models.PositiveIntegerField()
    by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    armed_at = models.DateTimeField()
    fires_at = models.DateTimeField(null=True)  # None while the venue has not said so
    tried_at = models.DateTimeField()  # when a renewal was last begun
    trouble = models.CharField(max_length=200, blank=True)  # why the last renewal failed
    seen_at = models.DateTimeField(null=True)  # when somebody who may trade was last there
    seen_by = models.ForeignKey("accounts.User", null=True, on_delete=models.PROTECT, related_name="+")
    fired_at = models.DateTimeField(null=True)

    objects = DeadManQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(seconds__gte=30), name="a_dead_man_waits_thirty_seconds"),
        ]

    def __str__(self) -> str:
        return f"dead man's switch of {self.account_id}: {'armed' if self.is_armed else 'off'}"
