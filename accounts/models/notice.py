from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q
from django.urls import reverse

from accounts.models.desk import desks_of
from accounts.notice_rules import OFF

if TYPE_CHECKING:
    from accounts.models.user import User


class Level(models.TextChoices):
    INFO = "info", "For information"
    WARNING = "warning", "Warning"
    CRITICAL = "critical", "Critical"


class Topic(models.TextChoices):
    ALERT = "alert", "Alerts"
    WITHDRAWAL = "withdrawal", "Withdrawals"
    SECURITY = "security", "Signing in and keys"
    TEST = "test", "Tests"


THRESHOLDS = [
    ("info", "Everything"),
    ("warning", "Warnings and critical"),
    ("critical", "Critical only"),
    (OFF, "Off"),
]


class NoticeQuerySet(models.QuerySet["Notice"]):
    def visible_to(self, user: User) -> Self:
        """A person's own; what a desk told them, for as long as they are on it."""
        return self.filter(Q(desk=None) | Q(desk__in=desks_of(user)), user=user)

    def unread(self) -> Self:
        return self.filter(seen_at=None)


class Notice(models.Model):
    """A sentence for one person: in the inbox at once, and on its way to the other places they chose (`Delivery`).

    Under one `key` a person is told once; without a key always.
    """

    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="notices")
    desk = models.ForeignKey("accounts.Desk", null=True, on_delete=models.CASCADE, related_name="+")
    withdrawal = models.ForeignKey("accounts.Withdrawal", null=True, on_delete=models.CASCADE, related_name="notices")
    topic = models.CharField(max_length=12, choices=Topic, default=Topic.WITHDRAWAL)
    kind = models.CharField(max_length=30)
    level = models.CharField(max_length=8, choices=Level, default=Level.INFO)
    text = models.CharField(max_length=400)
    link = models.CharField(max_length=200, blank=True)  # a path of this desk
    key = models.CharField(max_length=120, blank=True)
    at = models.DateTimeField()
    seen_at = models.DateTimeField(null=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["user", "seen_at"])]
        constraints = [models.UniqueConstraint(fields=["user", "key"], condition=~Q(key=""), name="told_once_a_key")]

    def __str__(self) -> str:
        return self.text

    def get_absolute_url(self) -> str:
        return reverse("notice", args=[self.pk])


class NoticeSettings(models.Model):
    """Where else than in the inbox a person wants to be told, from which level on, and when not."""

    user = models.OneToOneField("accounts.User", primary_key=True, on_delete=models.CASCADE, related_name="+")
    email = models.CharField(max_length=8, choices=THRESHOLDS, default=Level.INFO)
    browser = models.CharField(max_length=8, choices=THRESHOLDS, default=OFF)
    webhook = models.CharField(max_length=8, choices=THRESHOLDS, default=Level.INFO)
    quiet_from = models.TimeField(null=True)
    quiet_to = models.TimeField(null=True)
    critical_breaks_quiet = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(quiet_from=None, quiet_to=None) | Q(quiet_from__isnull=False, quiet_to__isnull=False),
                name="quiet_hours_have_two_ends",
            )
        ]

    def __str__(self) -> str:
        return f"how {self.user} is told"


class Webhook(models.Model):
    """An address of a person's that is sent their notices. Address and secret are sealed: many carry a token."""

    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="webhooks")
    label = models.CharField(max_length=60)
    host = models.CharField(max_length=260)  # all that is shown of the address
    sealed = models.TextField(blank=True)  # the vault's text: address and secret
    made_at = models.DateTimeField(auto_now_add=True)
    failures = models.PositiveIntegerField(default=0)  # attempts in a row
    off_at = models.DateTimeField(null=True)
    off_why = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.label} ({self.host})"


class Delivery(models.Model):
    """A notice on its way to one place. The row is the queue; its id is the same at every attempt."""

    class Channel(models.TextChoices):
        EMAIL = "email", "E-mail"
        WEBHOOK = "webhook", "Webhook"

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        SENT = "sent", "Arrived"
        FAILED = "failed", "Given up"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    notice = models.ForeignKey(Notice, on_delete=models.CASCADE, related_name="deliveries")
    channel = models.CharField(max_length=8, choices=Channel)
    webhook = models.ForeignKey(Webhook, null=True, on_delete=models.CASCADE, related_name="deliveries")
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    made_at = models.DateTimeField(auto_now_add=True)
    due_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    ended_at = models.DateTimeField(null=True)
    status_code = models.PositiveSmallIntegerField(null=True)
    trouble = models.CharField(max_length=200, blank=True)  # of the last attempt

    class Meta:
        ordering = ["-made_at"]
        indexes = [models.Index(fields=["state", "due_at"]), models.Index(fields=["webhook", "-made_at"])]
        constraints = [
            models.CheckConstraint(
                condition=Q(channel="email", webhook=None) | Q(channel="webhook", webhook__isnull=False),
                name="a_webhook_delivery_names_its_webhook",
            )
        ]

    def __str__(self) -> str:
        return f"{self.notice_id} by {self.channel}: {self.state}"
