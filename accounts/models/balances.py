from __future__ import annotations

import msgspec
from django.db import models

from krakenfutures.values import Wallets


class Balances(models.Model):
    """What the venue last said the account holds: `krakenfutures.values.Wallets`, whole, with its age."""

    account = models.OneToOneField("accounts.Account", on_delete=models.CASCADE, related_name="balances")
    wallets = models.JSONField()  # msgspec's JSON of `Wallets`; decimals are strings
    at = models.DateTimeField()  # when the venue said so
    source = models.CharField(max_length=8)  # "rest" or "feed"

    @property
    def known(self) -> Wallets:
        return msgspec.convert(self.wallets, Wallets)

    def __str__(self) -> str:
        return f"balances of {self.account_id} at {self.at}"
