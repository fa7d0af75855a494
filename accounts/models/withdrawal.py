from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, Self

from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from accounts.models.desk import desks_of
from accounts.models.fields import Quantity
from accounts.withdrawal_rules import ENDED, WAITING, S, short_code
from krakenfutures.numbers import plain

if TYPE_CHECKING:
    from accounts.models.user import User


class WithdrawalStatus(models.TextChoices):
    DRAFT = S.DRAFT.value, "Draft"
    PENDING = S.PENDING.value, "Pending review"
    COOLING = S.COOLING.value, "Cooling off"
    READY = S.READY.value, "Ready"
    EXECUTING = S.EXECUTING.value, "Executing"
    CONFIRMED = S.CONFIRMED.value, "Confirmed"
    FAILED = S.FAILED.value, "Failed"
    UNCERTAIN = S.UNCERTAIN.value, "Uncertain"
    RESOLVED = S.RESOLVED.value, "Resolved"
    REJECTED = S.REJECTED.value, "Rejected"
    CANCELLED = S.CANCELLED.value, "Cancelled"
    EXPIRED = S.EXPIRED.value, "Expired"


LANDINGS = [("spot", "Kraken spot wallet"), ("wallet", "Another wallet"), ("subaccount", "Subaccount")]
VERDICTS = [("justified", "It was right"), ("not_justified", "It was not right")]
OUTCOMES = [("sent", "The money moved"), ("not_sent", "The money did not move")]


class WithdrawalQuerySet(models.QuerySet["Withdrawal"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(desk__in=desks_of(user))

    def asked_for(self) -> Self:
        """Without drafts, kept or thrown away: those are their author's alone."""
        return self.exclude(requested_at=None)


class Withdrawal(models.Model):
    """A wish that money moves, and everything known about it. Only `accounts.actions` write it.

    `sealed` is every column as last written by the desk, `seal` the vault's mark on it: what was changed since by
    another hand is noticed and named before anything is sent.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    desk = models.ForeignKey("accounts.Desk", on_delete=models.PROTECT, related_name="withdrawals")
    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="withdrawals")
    requester = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    requester_person = models.CharField(max_length=254)
    status = models.CharField(max_length=10, choices=WithdrawalStatus, default=WithdrawalStatus.DRAFT)

    # what is asked for: bound by every approval
    source = models.CharField(max_length=40)
    currency = models.CharField(max_length=12)
    amount = Quantity()
    landing = models.CharField(max_length=10, choices=LANDINGS)
    target_wallet = models.CharField(max_length=40, blank=True)
    target_account = models.CharField(max_length=64, blank=True)
    target_label = models.CharField(max_length=120, blank=True)
    reason = models.CharField(max_length=400, blank=True)
    round = models.PositiveIntegerField(default=1)  # rises with every change, and no earlier vote counts any more
    policy_number = models.PositiveIntegerField(default=0)
    digest = models.CharField(max_length=64, blank=True)

    # what the policy asks for, as of the last look
    usd = Quantity(null=True)
    is_first_time = models.BooleanField(default=False)
    approvals_needed = models.PositiveSmallIntegerField(default=0)
    requested_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    approved_at = models.DateTimeField(null=True)
    ready_at = models.DateTimeField(null=True)  # end of the cool-off
    escalated_at = models.DateTimeField(null=True)
    glass_at = models.DateTimeField(null=True)  # when the second admin broke the glass

    # the one attempt
    claims = models.PositiveIntegerField(default=0)  # the fencing number of the attempt
    lease_until = models.DateTimeField(null=True)
    holder = models.CharField(max_length=80, blank=True)
    executing_at = models.DateTimeField(null=True)
    reference = models.CharField(max_length=80, blank=True)
    finished_at = models.DateTimeField(null=True)
    remark = models.CharField(max_length=400, blank=True)  # why it waits, failed, was rejected or is uncertain

    # what the venue's own book says of it
    evidence = models.JSONField(default=dict)
    look_at = models.DateTimeField(null=True)
    ledger_row = models.BigIntegerField(null=True)
    resolution = models.CharField(max_length=8, choices=OUTCOMES, blank=True)

    created_at = models.DateTimeField()
    revision = models.PositiveIntegerField(default=0)
    sealed = models.JSONField(default=dict)
    seal = models.CharField(max_length=64, blank=True)

    objects = WithdrawalQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["desk", "status"]), models.Index(fields=["status", "look_at"])]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=[state.value for state in S]), name="a_known_state"),
            models.CheckConstraint(
                condition=~Q(status="executing") | Q(lease_until__isnull=False, claims__gt=0),
                name="executing_has_a_lease",
            ),
            models.CheckConstraint(condition=~Q(status="resolved") | ~Q(resolution=""), name="resolved_says_how"),
            models.UniqueConstraint(
                fields=["account", "ledger_row"], condition=Q(ledger_row__isnull=False), name="a_ledger_row_once"
            ),
        ]

    def __str__(self) -> str:
        return f"withdrawal {self.code or self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("withdrawal", args=[self.pk])

    @property
    def state(self) -> S:
        return S(self.status)

    @property
    def code(self) -> str:
        """The short code, the same on screen, in the notice and on the command line."""
        return short_code(self.digest) if self.digest else ""

    @property
    def is_waiting(self) -> bool:
        return self.status in WAITING

    @property
    def is_ended(self) -> bool:
        return self.status in ENDED

    @property
    def payload(self) -> dict[str, Any]:
        """Everything an approval is given to, in canonical form."""
        return {
            "id": str(self.pk),
            "desk": self.desk_id,
            "account": self.account_id,
            "venue_uid": self.account.venue_uid,
            "environment": self.account.environment,
            "requester": self.requester_id,
            "source": self.source,
            "currency": self.currency,
            "amount": plain(self.amount),
            "landing": self.landing,
            "target_wallet": self.target_wallet,
            "target_account": self.target_account,
            "reason": self.reason,
            "round": self.round,
            "policy": self.policy_number,
        }


class Vote(models.Model):
    """What a person's word about a withdrawal has in common: who, when, proven how, and never the requester's."""

    reviewer = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    reviewer_person = models.CharField(max_length=254)
    requester = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    requester_person = models.CharField(max_length=254)
    factor = models.CharField(max_length=20)  # how the person proved who they are
    factor_at = models.DateTimeField()
    note = models.CharField(max_length=400, blank=True)
    at = models.DateTimeField()
    seal = models.CharField(max_length=64, blank=True)

    class Meta:
        abstract = True


class Approval(Vote):
    """A yes to exactly one payload: it counts while the digest is still the withdrawal's."""

    withdrawal = models.ForeignKey(Withdrawal, on_delete=models.PROTECT, related_name="approvals")
    round = models.PositiveIntegerField()
    digest = models.CharField(max_length=64)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["withdrawal", "round", "reviewer"], name="one_vote_a_user"),
            models.UniqueConstraint(fields=["withdrawal", "round", "reviewer_person"], name="one_vote_a_person"),
            models.CheckConstraint(condition=~Q(reviewer=F("requester")), name="four_eyes"),
            models.CheckConstraint(
                condition=~Q(reviewer_person=F("requester_person")), name="four_eyes_of_two_people"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reviewer} approved {self.withdrawal}"


class Settlement(Vote):
    """One person's word on what became of an uncertain withdrawal; two that agree settle it."""

    withdrawal = models.ForeignKey(Withdrawal, on_delete=models.PROTECT, related_name="settlements")
    outcome = models.CharField(max_length=8, choices=OUTCOMES)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["withdrawal", "reviewer"], name="one_word_a_user"),
            models.UniqueConstraint(fields=["withdrawal", "reviewer_person"], name="one_word_a_person"),
            models.CheckConstraint(condition=~Q(reviewer=F("requester")), name="settled_by_others"),
            models.CheckConstraint(
                condition=~Q(reviewer_person=F("requester_person")), name="settled_by_other_people"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reviewer}: {self.withdrawal} {self.outcome}"


class GlassVote(Vote):
    """One admin's word, with the reason as its note, that exactly this payload cannot wait for its review."""

    withdrawal = models.ForeignKey(Withdrawal, on_delete=models.PROTECT, related_name="glass_votes")
    round = models.PositiveIntegerField()
    digest = models.CharField(max_length=64)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["withdrawal", "round", "reviewer"], name="one_glass_a_user"),
            models.UniqueConstraint(fields=["withdrawal", "round", "reviewer_person"], name="one_glass_a_person"),
            models.CheckConstraint(condition=~Q(reviewer=F("requester")), name="glass_broken_by_others"),
            models.CheckConstraint(
                condition=~Q(reviewer_person=F("requester_person")), name="glass_broken_by_other_people"
            ),
            models.CheckConstraint(condition=~Q(note=""), name="glass_broken_for_a_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.reviewer} broke the glass of {self.withdrawal}"


class GlassReview(Vote):
    """What somebody else thinks of a broken glass, afterwards."""

    withdrawal = models.OneToOneField(Withdrawal, on_delete=models.PROTECT, related_name="glass_review")
    verdict = models.CharField(max_length=13, choices=VERDICTS)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(reviewer=F("requester")), name="glass_reviewed_by_others"),
            models.CheckConstraint(
                condition=~Q(reviewer_person=F("requester_person")), name="glass_reviewed_by_other_people"
            ),
            models.CheckConstraint(condition=~Q(note=""), name="glass_reviewed_with_a_note"),
        ]

    def __str__(self) -> str:
        return f"{self.reviewer}: breaking the glass of {self.withdrawal} was {self.get_verdict_display()}"


class Glance(models.Model):
    """What somebody last saw of a withdrawal, so that the page can say what changed since."""

    withdrawal = models.ForeignKey(Withdrawal, on_delete=models.CASCADE, related_name="glances")
    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+")
    payload = models.JSONField()
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["withdrawal", "user"], name="one_glance_a_person")]

    def __str__(self) -> str:
        return f"{self.user} saw {self.withdrawal}"
