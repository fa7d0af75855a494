"""`manage.py retain`: let go of old detail now, or say how much of it there is."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from trading.actions.retention import retain


class Command(BaseCommand):
    help = "Lets go of order events and five-minute equity points beyond the ages that the settings name."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only say how many rows it would be")

    def handle(self, *args: Any, **options: Any) -> None:
        found = retain(dry=options["dry_run"])
        verb = "would go" if options["dry_run"] else "are gone"
        self.stdout.write(f"{found.order_events:,} order events and {found.equity_points:,} equity points {verb}.")
