"""What the venue's history says, row for row, under the venue's own ids. The ledger is made of it."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Self

from django.db import models
from django.db.models import Q

from accounts.models import desks_of
from trading.models.fields import Quantity

if TYPE_CHECKING:
    from accounts.models import User


class OfDeskQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: User) -> Self:
        return self.filter(account__desk__in=desks_of(user))


class HistoryEvent(models.Model):
    """What became of an order or trigger; or an entry of any stream that we could not read, raw in `unknown`."""

    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="+", db_index=False)
    source = models.CharField(max_length=16)  # the transport that numbered it
    stream = models.CharField(max_length=12)  # orders, triggers; executions or positions only when unreadable
    venue_id = models.CharField(max_length=64)
    at = models.DateTimeField()
    kind = models.CharField(max_length=40)  # placed, updated, cancelled …; an unknown one as it came
    symbol = models.CharField(max_length=40)
    venue_order_id = models.CharField(max_length=64)
    client_order_id = models.CharField(max_length=100)
    side = models.CharField(max_length=4)
    type = models.CharField(max_length=16)
    size = Quantity(null=True)  # the total, filled part included
    filled = Quantity(null=True)
    limit_price = Quantity(null=True)
    stop_price = Quantity(null=True)
    trigger_signal = models.CharField(max_length=8)
    reduce_only = models.BooleanField(default=False)
    old_size = Quantity(null=True)  # before an update, as the next two
    old_limit_price = Quantity(null=True)
    old_stop_price = Quantity(null=True)
    reason = models.CharField(max_length=120)  # the venue's own word
    error = models.CharField(max_length=120)
    unknown = models.JSONField(default=dict)
    flagged = models.BooleanField(default=False)

    objects = OfDeskQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [
            models.Index(fields=["account", "stream", "-at", "-id"], name="event_by_time"),
            models.Index(fields=["account", "stream", "symbol", "-at", "-id"], name="event_by_symbol"),
            models.Index(fields=["account", "stream", "kind", "-at", "-id"], name="event_by_kind"),
            models.Index(fields=["account", "venue_order_id"], name="event_by_order"),
            models.Index(fields=["account", "stream", "-at", "-id"], name="event_flagged", condition=Q(flagged=True)),
        ]
        constraints = [
            models.UniqueConstraint(fields=["account", "source", "stream", "venue_id"], name="one_row_an_event")
        ]

    def __str__(self) -> str:
        return f"{self.stream} {self.kind} {self.venue_order_id}"


class PositionEvent(models.Model):
    """How a position changed, and what that realised: amounts as the venue gives them, not rounded as in its log."""

    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="+", db_index=False)
    source = models.CharField(max_length=16)
    venue_id = models.CharField(max_length=160)
    at = models.DateTimeField()
    symbol = models.CharField(max_length=40)
    change = models.CharField(max_length=20)  # open, close, increase, decrease, reverse, noChange
    reason = models.CharField(max_length=24)  # trade, fundingRealisation, settlement
    old_size = Quantity()  # signed, as `new_size`
    new_size = Quantity()
    old_entry = Quantity(null=True)
    new_entry = Quantity(null=True)
    venue_fill_id = models.CharField(max_length=64)  # empty unless a trade moved it
    price = Quantity(null=True)
    size = Quantity(null=True)
    trade_kind = models.CharField(max_length=40)
    fee = Quantity(null=True)  # paid
    fee_currency = models.CharField(max_length=12)
    realised_pnl = Quantity(null=True)  # before the fee, in the currency the contract settles in
    realised_funding = Quantity(null=True)  # received; negative means paid
    settlement_price = Quantity(null=True)
    unknown = models.JSONField(default=dict)
    flagged = models.BooleanField(default=False)

    objects = OfDeskQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [
            models.Index(fields=["account", "-at", "-id"], name="position_event_by_time"),
            models.Index(fields=["account", "symbol", "-at", "-id"], name="position_event_by_symbol"),
            models.Index(fields=["account", "venue_fill_id"], name="position_event_by_fill"),
        ]
        constraints = [models.UniqueConstraint(fields=["account", "source", "venue_id"], name="one_row_a_move")]

    def __str__(self) -> str:
        return f"{self.symbol} {self.change} at {self.at}"


class LogEntry(models.Model):
    """One row of the venue's account log, as it came. Money rows count a currency, position rows count a contract.

    `number` is the venue's own id and rises within an account. A row heard on the live feed is not `proven`: the feed
    leaves figures out, and the request that reads it again writes them over it.
    """

    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="+", db_index=False)
    source = models.CharField(max_length=16)
    number = models.BigIntegerField()
    at = models.DateTimeField()
    wallet = models.CharField(max_length=24)  # cash, flex, fi_xbtusd …
    asset = models.CharField(max_length=40)  # a currency in normal form, or on position rows the contract
    kind = models.CharField(max_length=60)  # the venue's own words
    category = models.CharField(max_length=12)  # `krakenfutures.funds.category_of(kind)`, for searching
    contract = models.CharField(max_length=40)
    old = Quantity()  # balance of the asset before, or the signed position
    new = Quantity()  # after
    booking = models.CharField(max_length=64)
    reference = models.CharField(max_length=80)  # the id of the fill, or of the withdrawal
    fee = Quantity(null=True)  # paid
    realised_pnl = Quantity(null=True)  # before the fee
    realised_funding = Quantity(null=True)  # received; negative means paid
    funding_rate = Quantity(null=True)  # absolute
    price = Quantity(null=True)
    mark = Quantity(null=True)
    old_entry = Quantity(null=True)
    new_entry = Quantity(null=True)
    liquidation_fee = Quantity(null=True)
    conversion_spread = Quantity(null=True)  # percent
    collateral = models.CharField(max_length=12)
    unknown = models.JSONField(default=dict)
    flagged = models.BooleanField(default=False)
    proven = models.BooleanField(default=True)

    objects = OfDeskQuerySet.as_manager()

    class Meta:
        ordering = ["-number"]
        indexes = [
            models.Index(fields=["account", "-number"], name="log_by_number"),
            models.Index(fields=["account", "category", "-number"], name="log_by_category"),
            models.Index(fields=["account", "contract", "-number"], name="log_by_contract"),
            models.Index(fields=["account", "at"], name="log_by_time"),
            models.Index(fields=["account", "reference"], name="log_by_reference"),
            models.Index(fields=["account", "booking"], name="log_by_booking"),
            models.Index(fields=["account", "-number"], name="log_flagged", condition=Q(flagged=True)),
        ]
        constraints = [models.UniqueConstraint(fields=["account", "source", "number"], name="one_row_a_log_entry")]

    def __str__(self) -> str:
        return f"#{self.number} {self.kind}"

    @property
    def change(self) -> Decimal:
        moved: Decimal = self.new - self.old
        return moved

    @property
    def is_position(self) -> bool:
        return bool(self.contract) and self.asset == self.contract
