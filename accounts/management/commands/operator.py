"""`manage.py operator add|remove|list [EMAIL]`: who may look at every desk in Django's admin."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.actions.operators import end_operator, make_operator
from accounts.models import User
from accounts.rules import NotAllowed


class Command(BaseCommand):
    help = "Lets somebody look at every desk in Django's admin (/admin/), read-only. It gives no right on any desk."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", choices=["add", "remove", "list"])
        parser.add_argument("email", nargs="?", help="of somebody who signs in here already")

    def handle(self, *_args: Any, **options: Any) -> None:
        if options["what"] == "list":
            for one in User.objects.filter(is_staff=True).order_by("email"):
                self.stdout.write(one.email)
            return
        user = User.objects.filter(email=(options["email"] or "").strip().lower()).first()
        if user is None:
            raise CommandError(f"Nobody signs in as {options['email'] or '(say whom)'}.")
        try:
            if options["what"] == "add":
                make_operator(user)
                self.stdout.write(f"{user.email} may look at every desk at /admin/. It gives no right on any desk.")
            else:
                end_operator(user)
                self.stdout.write(f"{user.email} is an operator no more.")
        except NotAllowed as refusal:
            raise CommandError(refusal.reason) from None
