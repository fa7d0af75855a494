from __future__ import annotations

from typing import Self

from django.db import models
from django.utils import timezone


class SetupLinkQuerySet(models.QuerySet["SetupLink"]):
    def open(self) -> Self:
        return self.filter(used_at=None, expires_at__gt=timezone.now())


class SetupLink(models.Model):
    """The one-time way in of an empty installation. Only a hash of the token is kept."""

    token_hash = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    objects = SetupLinkQuerySet.as_manager()

    def __str__(self) -> str:
        return f"set-up link of {self.made_at:%Y-%m-%d %H:%M}"
