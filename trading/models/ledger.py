"""Our own ledger: derived from the account log and nothing else, so that it can be thrown away and made again."""

from __future__ import annotations

from django.db import models

from trading.models.fields import Quantity
from trading.models.history import OfDeskQuerySet


class LedgerEntry(models.Model):
    """What one money row of the account log did to one balance, by our own sum.

    amount   = realised_pnl − fee + funding + other
    balance  = the balance of the entry before in this wallet and currency + amount
    residual = the venue's own balance after this row − balance; 0 when its figures explain it to the last digit

    A row that names profit, fee or funding moves by them alone (`other` is 0); any other row (transfer, conversion,
    interest, tax …) moves by what its balances say, and that is `other`.
    """

    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="+", db_index=False)
    number = models.BigIntegerField()  # of the `LogEntry` it comes from
    at = models.DateTimeField()
    wallet = models.CharField(max_length=24)
    currency = models.CharField(max_length=12)  # of every amount here
    category = models.CharField(max_length=12)
    symbol = models.CharField(max_length=40)  # the contract; empty where there is none
    venue_fill_id = models.CharField(max_length=80)  # empty unless a fill did it
    amount = Quantity()
    realised_pnl = Quantity()  # before the fee
    fee = Quantity()  # paid; what comes back is negative
    funding = Quantity()  # received; negative means paid
    other = Quantity()
    balance = Quantity()
    residual = Quantity()

    objects = OfDeskQuerySet.as_manager()

    class Meta:
        ordering = ["-number"]
        indexes = [
            models.Index(fields=["account", "wallet", "currency", "-number"], name="ledger_by_wallet"),
            models.Index(fields=["account", "at"], name="ledger_by_time"),
            models.Index(fields=["account", "venue_fill_id"], name="ledger_by_fill"),
        ]
        constraints = [models.UniqueConstraint(fields=["account", "number"], name="one_ledger_entry_a_log_entry")]

    def __str__(self) -> str:
        return f"#{self.number} {self.amount.normalize():f} {self.currency}"


class LedgerSum(models.Model):
    """What the ledger's entries of a quarter of an hour add up to, by contract and currency: reports add these up.

    Kept in step with the ledger, in its transactions. A quarter, because midnight anywhere is at the beginning of one:
    some zones are half an hour or three quarters off the hour.
    """

    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="+", db_index=False)
    quarter = models.DateTimeField()  # its beginning
    symbol = models.CharField(max_length=40)  # empty where there is no contract
    currency = models.CharField(max_length=12)
    realised_pnl = Quantity()
    fee = Quantity()
    funding = Quantity()
    other = Quantity()
    entries = models.IntegerField()

    objects = OfDeskQuerySet.as_manager()

    class Meta:
        ordering = ["-quarter"]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "quarter", "symbol", "currency"], name="one_sum_a_quarter_symbol_currency"
            )
        ]

    def __str__(self) -> str:
        return f"{self.quarter:%Y-%m-%d %H:%M} {self.symbol} {self.currency}"


class WalletLedger(models.Model):
    """One currency of one wallet: where our ledger began, where it stands, and what it cannot explain.

    `residual` = the venue's balance after its last row − ours. `first_difference` names the first log entry after
    which the two differ, `why` says how: rows missing before it, or figures in it that do not make its change.
    """

    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="wallet_ledgers")
    wallet = models.CharField(max_length=24)
    currency = models.CharField(max_length=12)
    opening = Quantity()  # the venue's balance before the first entry; 0 when the log is read from its beginning
    balance = Quantity()  # ours, after the last entry
    venue_balance = Quantity()  # the venue's own, after the last entry
    residual = Quantity()
    entries = models.BigIntegerField()
    first_number = models.BigIntegerField()
    last_number = models.BigIntegerField()
    last_at = models.DateTimeField()
    first_difference = models.BigIntegerField(null=True)
    why = models.CharField(max_length=300, blank=True)

    objects = OfDeskQuerySet.as_manager()

    class Meta:
        ordering = ["wallet", "currency"]
        constraints = [
            models.UniqueConstraint(fields=["account", "wallet", "currency"], name="one_ledger_a_wallet_and_currency")
        ]

    def __str__(self) -> str:
        return f"{self.wallet} {self.currency}"
