from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q

from accounts.models.desk import desks_of
from krakenfutures.values import Permission

if TYPE_CHECKING:
    from accounts.models.user import User

PERMISSIONS = [(permission.value, permission.value) for permission in Permission]


class KeyState(models.TextChoices):
    ACTIVE = "active", "Active"
    FAILING = "failing", "Failing"  # the venue refuses it; `trouble` says why
    QUARANTINED = "quarantined", "Quarantined"  # it may withdraw real money, and its desk does not withdraw
    RETIRED = "retired", "Retired"  # replaced or deleted: the ciphertext is gone


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(account__desk__in=desks_of(user))

    def stored(self) -> Self:
        """Whose ciphertext is there."""
        return self.exclude(state=KeyState.RETIRED)

    def usable(self) -> Self:
        """Those a call may be made with: also a failing one, whose next try may work."""
        return self.exclude(state__in=[KeyState.RETIRED, KeyState.QUARANTINED])


class ApiKey(models.Model):
    """A key pair of an account, sealed. Both halves are ciphertext; only `accounts.vault` opens them."""

    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="keys")
    label = models.CharField(max_length=60)
    hint = models.CharField(max_length=8)  # the last characters of the public half, to tell keys apart
    fingerprint = models.CharField(max_length=64)  # keyed hash of the public half: finds a duplicate, reveals nothing
    sealed = models.BinaryField(blank=True)  # both halves, under the row's own data key
    wrapped_key = models.BinaryField(blank=True)  # that data key, under the master key `master_key_id`
    master_key_id = models.CharField(max_length=32, blank=True)
    general = models.CharField(max_length=4, choices=PERMISSIONS, default=Permission.NONE)
    withdrawal = models.CharField(max_length=4, choices=PERMISSIONS, default=Permission.NONE)
    allowed_addresses = models.JSONField(default=list)
    state = models.CharField(max_length=12, choices=KeyState, default=KeyState.ACTIVE)
    trouble = models.CharField(max_length=200, blank=True)
    added_by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    added_at = models.DateTimeField(auto_now_add=True)
    checked_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)
    last_used_by = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")
    last_used_for = models.CharField(max_length=40, blank=True)

    in_hands_of: User | None = None  # of this object only: the person the coming calls are made for,
    in_use_for: str = ""  # and for what, where it is not trading

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["fingerprint"], condition=~Q(state=KeyState.RETIRED), name="a_key_is_stored_once"
            ),
            models.UniqueConstraint(
                fields=["account"], condition=~Q(state=KeyState.RETIRED), name="one_live_key_an_account"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.label} (…{self.hint})"

    @property
    def may_trade(self) -> bool:
        return self.general == Permission.FULL

    @property
    def may_read(self) -> bool:
        return self.general in {Permission.READ, Permission.FULL}

    @property
    def may_withdraw(self) -> bool:
        return self.withdrawal == Permission.FULL
