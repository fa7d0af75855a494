from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import F, Q

from accounts.models.desk import desks_of
from accounts.policy_document import from_document
from accounts.policy_rules import Policy

if TYPE_CHECKING:
    from accounts.models.user import User


class PolicyState(models.TextChoices):
    PROPOSED = "proposed", "Proposed"
    IN_FORCE = "in_force", "In force"
    SUPERSEDED = "superseded", "Superseded"
    REJECTED = "rejected", "Rejected"
    WITHDRAWN = "withdrawn", "Taken back"


class PolicyQuerySet(models.QuerySet["PolicyVersion"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(desk__in=desks_of(user))


class PolicyVersion(models.Model):
    """A desk's withdrawal policy, whole, never changed: a change is a new version that other people agreed to.

    `seal` is keyed by the vault over everything that must not change; `number` is given when it comes into force.
    """

    desk = models.ForeignKey("accounts.Desk", on_delete=models.PROTECT, related_name="policies")
    number = models.PositiveIntegerField(null=True)
    state = models.CharField(max_length=10, choices=PolicyState, default=PolicyState.PROPOSED)
    document = models.JSONField()
    digest = models.CharField(max_length=64)
    based_on = models.PositiveIntegerField(default=0)  # the version in force when it was proposed
    proposed_by = models.ForeignKey("accounts.User", null=True, on_delete=models.PROTECT, related_name="+")
    proposer_person = models.CharField(max_length=254, blank=True)
    reason = models.CharField(max_length=400, blank=True)
    proposed_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    remark = models.CharField(max_length=400, blank=True)
    seal = models.CharField(max_length=64, blank=True)

    objects = PolicyQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["desk", "number"], name="a_policy_number_once"),
            models.UniqueConstraint(fields=["desk"], condition=Q(state="in_force"), name="one_policy_in_force"),
            models.UniqueConstraint(fields=["desk"], condition=Q(state="proposed"), name="one_policy_proposed"),
        ]

    def __str__(self) -> str:
        return f"policy {self.number}" if self.number else f"policy proposal {self.pk}"

    @property
    def policy(self) -> Policy:
        """Raises `BadPolicy` for a document that was damaged."""
        return from_document(self.document)


class PolicyVote(models.Model):
    """One person's yes to a proposal; the proposer's never counts, and the database refuses it."""

    version = models.ForeignKey(PolicyVersion, on_delete=models.PROTECT, related_name="votes")
    reviewer = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    reviewer_person = models.CharField(max_length=254)
    proposer = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    proposer_person = models.CharField(max_length=254)
    digest = models.CharField(max_length=64)
    factor = models.CharField(max_length=20)
    factor_at = models.DateTimeField()
    at = models.DateTimeField()
    seal = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["version", "reviewer"], name="one_policy_vote_a_user"),
            models.UniqueConstraint(fields=["version", "reviewer_person"], name="one_policy_vote_a_person"),
            models.CheckConstraint(condition=~Q(reviewer=F("proposer")), name="policy_four_eyes"),
            models.CheckConstraint(
                condition=~Q(reviewer_person=F("proposer_person")), name="policy_four_eyes_of_two_people"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reviewer} on {self.version}"
