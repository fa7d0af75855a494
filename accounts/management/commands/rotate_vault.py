from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.actions.rotation import forget_old_keys, new_master_key, rotate_vault
from accounts.master_keys import VaultError


class Command(BaseCommand):
    help = "Wrap every stored key under the newest master key. Safe to stop and to run again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--new-key", action="store_true", help="first draw a new master key into the key file")
        parser.add_argument(
            "--forget-old", action="store_true", help="afterwards drop the older ones from the key file"
        )

    def handle(self, *_arguments: Any, **options: Any) -> None:
        try:
            if options["new_key"]:
                self.stdout.write(f"New master key “{new_master_key()}”. Back up the key file.")
            done = rotate_vault()
            self.stdout.write(
                f"Under “{done.master_key_id}”: {done.wrapped_now} wrapped now, {done.wrapped_before} before."
            )
            if options["forget_old"]:
                forget_old_keys()
                self.stdout.write("The older master keys are gone from the file. Backups made before still need them.")
        except VaultError as error:
            raise CommandError(str(error)) from None
