"""`manage.py rebuild_ledger`: make the ledger anew from the account log as it is stored."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import Account
from krakenfutures.numbers import plain
from trading.actions.ledgers import rebuild_ledger
from trading.models import WalletLedger


class Command(BaseCommand):
    help = "Throws the ledger away and derives it again from the stored account log, then says what it cannot explain."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--account", type=int, help="the id of one account; without it, all of them")

    def handle(self, *args: Any, **options: Any) -> None:
        accounts = Account.objects.order_by("pk")
        if options["account"] is not None:
            accounts = accounts.filter(pk=options["account"])
            if not accounts.exists():
                raise CommandError(f"There is no account {options['account']}.")
        for account in accounts:
            entries = rebuild_ledger(account.pk, tell=self._tell)
            self.stdout.write(f"{account} ({account.pk}): {entries:,} entries.")
            for one in WalletLedger.objects.filter(account=account):
                line = f"  {one.wallet} {one.currency}: {plain(one.balance)}, residual {plain(one.residual)}"
                self.stdout.write(f"{line}. {one.why}".rstrip(". ") + ".")

    def _tell(self, entries: int) -> None:
        if entries % 100_000 == 0:
            self.stderr.write(f"  {entries:,} entries …")
