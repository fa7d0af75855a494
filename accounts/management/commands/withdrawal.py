"""`manage.py withdrawal show ID`: what the page shows, for whoever wants to compare the code elsewhere."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.actions.withdrawal_looks import timeline
from accounts.actions.withdrawal_moves import tampered
from accounts.models import Withdrawal
from accounts.withdrawal_rules import digest_of, in_words, lands_in_words, short_code
from krakenfutures.numbers import plain


class Command(BaseCommand):
    help = "Look at a withdrawal without a browser."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", choices=["show"])
        parser.add_argument("id", help="the request's id, or the beginning of it")

    def handle(self, *_args: Any, **options: Any) -> None:
        row = _find(options["id"])
        digest = digest_of(row.payload)
        self.stdout.write(f"Withdrawal {row.pk}")
        self.stdout.write(
            f"  code         {short_code(digest)}" + ("" if digest == row.digest else "  NOT THE APPROVED ONE")
        )
        self.stdout.write(f"  digest       {digest}")
        self.stdout.write(f"  state        {row.get_status_display()}" + (f": {row.remark}" if row.remark else ""))
        self.stdout.write(
            f"  amount       {plain(row.amount)} {row.currency} from {row.source} of {row.account.label}"
        )
        self.stdout.write(
            f"  lands in     {lands_in_words(row.landing, row.target_wallet, row.target_label, row.account.label)}"
        )
        self.stdout.write(f"  requester    {row.requester.email}: {row.reason}")
        self.stdout.write(f"  policy       {row.policy_number}, {row.approvals_needed} approvals")
        if row.reference:
            self.stdout.write(f"  reference    {row.reference}")
        changed = tampered(row)
        if changed:
            self.stdout.write(f"  TAMPERED     {', '.join(changed)}")
        for vote in row.approvals.filter(digest=row.digest).select_related("reviewer"):
            self.stdout.write(f"  approved by  {vote.reviewer.email}, {in_words(vote.at)}, proven by {vote.factor}")
        for step in timeline(row):
            self.stdout.write(f"  {in_words(step.at)}  {step.word} ({step.actor}) {step.note}".rstrip())


def _find(text: str) -> Withdrawal:
    rows = Withdrawal.objects.select_related("account", "requester")
    try:
        found = list(rows.filter(pk=UUID(text)))
    except ValueError:
        found = [row for row in rows if str(row.pk).startswith(text.lower())][:2]
    if len(found) != 1:
        raise CommandError("There is no such withdrawal." if not found else "More than one begins like that.")
    return found[0]
