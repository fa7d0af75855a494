"""`manage.py verify_audit`: is the book of who did what as it was written?"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.actions.audit_book import export_heads, exported_heads, findings
from accounts.models import AuditRow


class Command(BaseCommand):
    help = "Finds audit rows that were changed, deleted, slipped in, reordered or cut off, and names them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--export", action="store_true", help="also write down today's heads")

    def handle(self, *_args: Any, export: bool = False, **_options: Any) -> None:
        found = list(findings())
        for finding in found:
            self.stdout.write(f"{finding.kind:<10} {finding.sentence}")
        if found:
            raise CommandError(f"The book is not whole: {len(found)} findings.", returncode=3)
        days = len({head.at for head in exported_heads()})
        self.stdout.write(
            f"The book is whole: {AuditRow.objects.count()} rows, held against the heads of {days} days."
        )
        if export:
            self.stdout.write(f"Heads written to {export_heads()}")
