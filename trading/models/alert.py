from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q

from accounts.models import Level, Role, desks_of
from trading.alert_rules import KINDS, Band, Kind, band_of
from trading.models.fields import Quantity

if TYPE_CHECKING:
    from accounts.models import User

KIND_CHOICES = [(kind.value, about.label) for kind, about in KINDS.items()]


class AlertRuleQuerySet(models.QuerySet["AlertRule"]):
    def visible_to(self, user: User) -> Self:
        """The desk's own rules, and the person's."""
        return self.filter(Q(owner=None) | Q(owner=user), desk__in=desks_of(user))


class AlertRule(models.Model):
    """What a person (`owner`) or everybody of a desk (no owner, perhaps only some roles) wants to be told."""

    desk = models.ForeignKey("accounts.Desk", on_delete=models.CASCADE, related_name="alert_rules")
    owner = models.ForeignKey("accounts.User", null=True, on_delete=models.CASCADE, related_name="alert_rules")
    made_by = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")
    kind = models.CharField(max_length=12, choices=KIND_CHOICES)
    account = models.ForeignKey("accounts.Account", null=True, on_delete=models.CASCADE, related_name="+")  # None: all
    symbol = models.CharField(max_length=40, blank=True)  # empty: all
    threshold = Quantity(null=True)
    rearm = Quantity(null=True)
    level = models.CharField(max_length=8, choices=Level, default=Level.WARNING)
    roles = models.JSONField(default=list)  # of a desk's rule: whom it tells; empty means everybody
    cooldown = models.PositiveIntegerField(default=300)  # seconds between two firings about the same thing
    is_on = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    on_since = models.DateTimeField()  # what happened before is no news

    objects = AlertRuleQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [models.CheckConstraint(condition=Q(kind__in=list(Kind)), name="an_alert_has_a_known_kind")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.desk}"

    @property
    def band(self) -> Band:
        return band_of(Kind(self.kind), self.threshold, self.rearm)

    @property
    def role_words(self) -> str:
        return ", ".join(Role(role).label.lower() for role in self.roles) or "everybody"


class AlertState(models.Model):
    """Whether a rule has fired about one thing. Whoever changes it from not fired to fired tells the people."""

    rule = models.ForeignKey(AlertRule, on_delete=models.CASCADE, related_name="states")
    subject = models.CharField(max_length=120)  # "account:7", "position:7:PF_XBTUSD"
    fired_at = models.DateTimeField(null=True)
    told_at = models.DateTimeField(null=True)
    figure = Quantity(null=True)  # as last read
    read_at = models.DateTimeField()
    # of events: everything up to `cursor` was told; up to `horizon` was there at the look before
    cursor = models.BigIntegerField(default=0)
    horizon = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["rule", "subject"], name="one_state_a_subject")]

    def __str__(self) -> str:
        return f"{self.rule}: {self.subject}"
