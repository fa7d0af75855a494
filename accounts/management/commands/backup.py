"""`manage.py backup FILE.tar`: a copy that `restore` brings back. The master key is not in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.backup import BackupError, make_backup
from accounts.master_keys import VaultError


class Command(BaseCommand):
    help = "Copies the database and the audit heads into one file, also while the desk is running."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *_args: Any, file: Path, **_options: Any) -> None:
        try:
            made = make_backup(file.resolve())
        except (BackupError, VaultError, OSError) as problem:
            raise CommandError(str(problem)) from None
        self.stdout.write(f"Written: {made} ({made.stat().st_size:,} bytes). The master key is not in it: keep both.")
