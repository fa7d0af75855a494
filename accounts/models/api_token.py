from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from accounts.models.desk import Membership, Role, desks_of

if TYPE_CHECKING:
    from datetime import datetime

    from accounts.models.user import User


class Scope(models.TextChoices):
    """What a token may be used for. Nothing here lets one approve, sign in, or touch people, keys or policies."""

    READ = "read", "Read: accounts, wallets, positions, orders, fills, withdrawals, the book"
    TRADE = "trade", "Trade: place, change and cancel orders, and ask for withdrawals that people review"


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    def visible_to(self, user: User) -> Self:
        """One's own, and everybody's on the desks one manages."""
        managed = Membership.objects.in_force().filter(user=user, role__in=[Role.ADMIN, Role.OWNER]).values("desk")
        return self.filter(Q(user=user) | Q(desk__in=managed), desk__in=desks_of(user))

    def standing(self, now: datetime | None = None) -> Self:
        """Neither revoked nor expired."""
        return self.filter(revoked_at=None, expires_at__gt=now or timezone.now())

    def in_force(self, now: datetime | None = None) -> Self:
        """Those that open anything now: standing, and the person's membership in force as it would be for a page."""
        member = Membership.objects.in_force().filter(user=OuterRef("user"), desk=OuterRef("desk"))
        return self.standing(now).filter(Exists(member))


class ApiToken(models.Model):
    """A person's way to one desk without a browser. Only a hash of it is kept; it has the person's own rights."""

    desk = models.ForeignKey("accounts.Desk", on_delete=models.CASCADE, related_name="tokens")
    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="tokens")
    label = models.CharField(max_length=60)
    hint = models.CharField(max_length=8)  # its last characters, to tell tokens apart
    token_hash = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=list)
    made_by = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")
    made_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)  # to the minute
    last_used_from = models.GenericIPAddressField(null=True)
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.label} (…{self.hint})"

    @property
    def state(self) -> str:
        """The word for people; whether it opens anything also hangs on its owner's membership."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at <= timezone.now() else "active"
