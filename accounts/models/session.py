from __future__ import annotations

from django.db import models

from accounts.agents import browser_in_words


class UserSession(models.Model):
    """Which session is whose: Django's own table cannot be asked, and somebody who is removed must be found in it."""

    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="sessions")
    session_key = models.CharField(max_length=40, unique=True)
    address = models.GenericIPAddressField(null=True)
    agent = models.CharField(max_length=300, blank=True)
    since = models.DateTimeField(auto_now_add=True)
    seen_at = models.DateTimeField()  # to the minute

    class Meta:
        ordering = ["-seen_at"]

    @property
    def browser(self) -> str:
        return browser_in_words(self.agent)

    def __str__(self) -> str:
        return f"{self.user} since {self.since:%Y-%m-%d %H:%M}"


class Device(models.Model):
    """A browser a person has signed in with before, known by a cookie of which only a hash is kept."""

    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="devices")
    token_hash = models.CharField(max_length=64)
    agent = models.CharField(max_length=300, blank=True)
    first_at = models.DateTimeField(auto_now_add=True)
    last_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "token_hash"], name="a_device_once_a_person")]

    def __str__(self) -> str:
        return f"{self.user}: {self.agent}"
