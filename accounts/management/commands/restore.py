"""`manage.py restore FILE.tar`: into an empty installation, with the master key in place, and nothing running."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import vault
from accounts.actions.audit_book import findings
from accounts.backup import BackupError, restore_backup
from accounts.models import ApiKey


class Command(BaseCommand):
    help = "Brings a backup back, brings it up to date, and proves that every stored key opens and the book is whole."
    requires_system_checks: tuple[str, ...] = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *_args: Any, file: Path, **_options: Any) -> None:
        try:
            restored = restore_backup(file.resolve())
            call_command("migrate", verbosity=0, interactive=False)
            vault.check_canary()
            keys = [vault.unseal(key) for key in ApiKey.objects.stored()]
        except (BackupError, vault.VaultError, OSError) as problem:
            raise CommandError(str(problem)) from None
        self.stdout.write(f"Back at {restored.made_at}; {len(keys)} stored keys open.")
        found = list(findings())
        for finding in found:
            self.stdout.write(finding.sentence)
        if found:
            raise CommandError("The book is not whole: see above.", returncode=3)
        self.stdout.write(
            "The book is whole. What was sent after the backup is found at the exchange by the next sync."
        )
