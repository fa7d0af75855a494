from __future__ import annotations

import uuid
from decimal import Decimal
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q

from accounts.models import desks_of
from krakenfutures.values import OrderType, Side
from trading.models.fields import Quantity

if TYPE_CHECKING:
    from accounts.models import User


class OrderStatus(models.TextChoices):
    """What we know of an order. The venue's own word stands beside it in `venue_status`, raw."""

    DRAFT = "draft", "Draft"
    SENDING = "sending", "Sending"
    OPEN = "open", "Open"
    PARTLY_FILLED = "partly_filled", "Partly filled"
    FILLED = "filled", "Filled"
    CANCELLED = "cancelled", "Cancelled"
    REJECTED = "rejected", "Rejected"
    EXPIRED = "expired", "Expired"
    UNCERTAIN = "uncertain", "Uncertain"  # sent, and nobody has told us what became of it
    NEVER_ARRIVED = "never_arrived", "Never arrived"  # proven: its deadline passed and the venue has no trace


S = OrderStatus
STATUS_WORDS: dict[str, str] = dict(OrderStatus.choices)
NEXT: dict[str, set[str]] = {
    S.DRAFT: {S.SENDING, S.CANCELLED},  # attached to an order that came to nothing
    S.SENDING: {
        S.DRAFT,  # attached, and proven not to have left: it is sent again
        S.OPEN, S.PARTLY_FILLED, S.FILLED, S.CANCELLED, S.REJECTED, S.EXPIRED, S.UNCERTAIN, S.NEVER_ARRIVED,
    },
    S.UNCERTAIN: {S.OPEN, S.PARTLY_FILLED, S.FILLED, S.CANCELLED, S.REJECTED, S.EXPIRED, S.NEVER_ARRIVED},
    S.OPEN: {S.PARTLY_FILLED, S.FILLED, S.CANCELLED, S.EXPIRED, S.REJECTED},  # a trigger is refused when it fires
    S.PARTLY_FILLED: {S.FILLED, S.CANCELLED, S.EXPIRED},
    S.CANCELLED: {S.FILLED},  # a fill can overtake a cancel
    S.EXPIRED: {S.FILLED},
    S.FILLED: {S.PARTLY_FILLED},  # an edit made it larger, and the fill was heard before the edit
    S.REJECTED: set(),
    S.NEVER_ARRIVED: {S.OPEN, S.PARTLY_FILLED, S.FILLED, S.CANCELLED, S.EXPIRED},  # the venue outranks our proof
}  # fmt: skip
WORKING = (S.OPEN, S.PARTLY_FILLED)
UNSETTLED = (S.SENDING, S.UNCERTAIN)
FINAL = (S.FILLED, S.CANCELLED, S.REJECTED, S.EXPIRED, S.NEVER_ARRIVED)


class OrderQuerySet(models.QuerySet["Order"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(account__desk__in=desks_of(user))

    def working(self) -> Self:
        return self.filter(status__in=WORKING)

    def unsettled(self) -> Self:
        return self.filter(status__in=UNSETTLED)


class Order(models.Model):
    """An intent of ours, or an order found at the venue (`by` is empty then).

    `id` is the intent, minted when the ticket opens: submitting it twice finds the first. `client_order_id` is what
    the venue hears; it is stored before anything is sent.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="orders")
    by = models.ForeignKey("accounts.User", null=True, on_delete=models.PROTECT, related_name="orders")
    symbol = models.CharField(max_length=40)
    side = models.CharField(max_length=4, choices=[(s.value, s.value) for s in Side])
    type = models.CharField(max_length=16, choices=[(t.value, t.value) for t in OrderType])
    size = Quantity()
    limit_price = Quantity(null=True)
    stop_price = Quantity(null=True)
    trigger_signal = models.CharField(max_length=8, blank=True)
    reduce_only = models.BooleanField(default=False)
    trailing_deviation = Quantity(null=True)
    trailing_unit = models.CharField(max_length=8, blank=True)  # "percent" or "quote"
    # Attached orders are drafts until their parent has filled; then they are sent, to reduce only.
    parent = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="attached")
    has_attached = models.BooleanField(default=False)
    batch = models.ForeignKey("trading.Batch", null=True, on_delete=models.PROTECT, related_name="orders")
    line = models.PositiveIntegerField(null=True)  # of the batch, from 1

    status = models.CharField(max_length=16, choices=OrderStatus, default=OrderStatus.DRAFT)
    client_order_id = models.CharField(max_length=100, null=True)
    venue_order_id = models.CharField(max_length=64, null=True)
    venue_status = models.CharField(max_length=60, blank=True)
    filled = Quantity(default=0)
    average_price = Quantity(null=True)
    reason_code = models.CharField(max_length=80, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    evidence = models.JSONField(default=list)  # [{"at", "looked_in", "found"}]: what was sought while uncertain
    deadline = models.DateTimeField(null=True)  # by the venue's clock; it must not accept it later
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    updated_at = models.DateTimeField(auto_now=True)
    venue_updated_at = models.DateTimeField(null=True)  # the venue's time of its last word; older words change nothing
    resolve_after = models.DateTimeField(null=True)  # when the resolver looks next
    unknown = models.JSONField(default=dict)  # what the venue said of it and we did not know, raw

    objects = OrderQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        indexes = [
            models.Index(fields=["account", "status"]),
            models.Index(fields=["account", "-created_at"]),
            models.Index(fields=["status", "resolve_after"]),
        ]
        constraints = [
            models.UniqueConstraint(fields=["account", "client_order_id"], name="one_order_a_client_id"),
            models.UniqueConstraint(fields=["account", "venue_order_id"], name="one_order_a_venue_id"),
            models.CheckConstraint(condition=Q(status__in=OrderStatus.values), name="an_order_has_a_known_status"),
            models.CheckConstraint(condition=Q(size__gt=0), name="an_order_has_a_size"),
            models.CheckConstraint(condition=Q(filled__gte=0), name="filled_is_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.side} {self.size.normalize():f} {self.symbol} ({self.status})"

    @property
    def status_word(self) -> str:
        return STATUS_WORDS.get(self.status, self.status)

    @property
    def is_working(self) -> bool:
        return self.status in WORKING

    @property
    def is_final(self) -> bool:
        return self.status in FINAL

    @property
    def open_size(self) -> Decimal:
        left: Decimal = self.size - self.filled
        return left

    @property
    def is_unsettled(self) -> bool:
        return self.status in UNSETTLED
