from __future__ import annotations

from typing import TYPE_CHECKING, Self

from allauth.mfa.models import Authenticator
from django.db import models
from django.db.models import Exists, OuterRef, Q

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
        return self.filter(pk__in=desks_of(user))


class Desk(models.Model):
    """What a team shares. Every object belongs to one, and is reached through `visible_to`."""

    name = models.CharField(max_length=80)
    created_at = models.DateTimeField(auto_now_add=True)
    second_factor_required = models.BooleanField(default=False)  # a member without one sees nothing of the desk
    withdrawals_enabled = models.BooleanField(default=False)  # else a key for real money that may withdraw is held

    objects = DeskQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name


class MembershipQuerySet(models.QuerySet["Membership"]):
    def in_force(self) -> Self:
        """Those that open anything: not suspended, of an active person, with the second factor the desk asks for."""
        second = Authenticator.objects.filter(
            user=OuterRef("user"), type__in=[Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]
        )
        return self.filter(
            Q(desk__second_factor_required=False) | Exists(second), suspended_at=None, user__is_active=True
        )


class Membership(models.Model):
    """A person on a desk: their role, and how far they may go there. Limits are in USD; empty means none."""

    desk = models.ForeignKey(Desk, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role)
    since = models.DateTimeField(auto_now_add=True)
    suspended_at = models.DateTimeField(null=True, blank=True)
    largest_order = models.DecimalField(max_digits=20, decimal_places=2, null=True, blank=True)
    daily_notional = models.DecimalField(max_digits=20, decimal_places=2, null=True, blank=True)
    instruments = models.JSONField(default=list, blank=True)  # symbols; empty means all
    reduce_only = models.BooleanField(default=False)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["desk", "user"], name="one_membership_a_person")]

    def __str__(self) -> str:
        return f"{self.user} in {self.desk}: {self.role}"


def desks_of(user: User) -> models.QuerySet[Membership, dict[str, int]]:
    """The one door to everything of a desk: ids of the desks this person may see now, as a subquery."""
    return Membership.objects.in_force().filter(user=user).values("desk")  # type: ignore[return-value]


class LimitUse(models.Model):
    """What a member sent within their daily limit: one row an intent, written with the order itself."""

    desk = models.ForeignKey(Desk, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    intent = models.CharField(max_length=80, unique=True)
    notional = models.DecimalField(max_digits=24, decimal_places=2)  # USD
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["desk", "user", "at"])]

    def __str__(self) -> str:
        return f"{self.user}: {self.notional} USD"
