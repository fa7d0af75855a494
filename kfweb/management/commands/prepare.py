from __future__ import annotations

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from accounts import vault
from accounts.actions.people import first_start


class Command(BaseCommand):
    help = "Once a release: migrate, prove the master key, collect static files, make the owner."

    def handle(self, *_arguments: Any, **_options: Any) -> None:
        call_command("migrate", interactive=False, verbosity=1)
        try:
            vault.prepare()
            setup_path = first_start()
        except (vault.VaultError, ImproperlyConfigured) as problem:
            raise CommandError(str(problem)) from None
        call_command("collectstatic", interactive=False, verbosity=0)
        if setup_path:
            self.stdout.write(f"First start: create the owner at {setup_path} (works once)")
