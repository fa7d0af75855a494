"""`manage.py token --email E --desk D --scopes read,trade`: a token for the own API, printed once."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.actions.tokens import make_token
from accounts.models import Desk, User
from accounts.rights import NoRight
from accounts.rules import NotAllowed


class Command(BaseCommand):
    help = "Makes a token for the own API, for somebody who is on the desk. It is printed once and not kept."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--email", required=True, help="whose token it is; it may do what this person may")
        parser.add_argument("--desk", required=True, help="the desk's name, or its number")
        parser.add_argument("--scopes", default="read", help="read, trade, or both with a comma (default: read)")
        parser.add_argument("--label", default="Made on the command line")
        parser.add_argument("--days", type=int, default=90, help="how long it lives (default: 90)")

    def handle(self, *_args: Any, **options: Any) -> None:
        user = User.objects.filter(email=options["email"].strip().lower()).first()
        if user is None:
            raise CommandError(f"Nobody signs in as {options['email']}.")
        scopes = [word.strip() for word in options["scopes"].split(",") if word.strip()]
        try:
            token, text = make_token(
                _desk(options["desk"], user), of=user, by=None, label=options["label"], scopes=scopes,
                days=options["days"],
            )  # fmt: skip
        except (NotAllowed, NoRight) as refusal:
            raise CommandError(refusal.reason) from None
        self.stdout.write(text)
        self.stderr.write(
            f"For {user.email} on “{token.desk}”, {', '.join(token.scopes)}, until {token.expires_at:%Y-%m-%d}."
            " It is not shown again."
        )


def _desk(word: str, user: User) -> Desk:
    """By name or number, of the desks this person sees; raises `CommandError` for none or several."""
    desks = Desk.objects.visible_to(user).order_by("pk")
    found = list(desks.filter(pk=int(word)) if word.isdecimal() and len(word) < 19 else desks.filter(name=word))
    if not found:
        raise CommandError(f"{user.email} is on no desk “{word}”.")
    if len(found) > 1:
        numbers = ", ".join(str(desk.pk) for desk in found)
        raise CommandError(f"Several desks are called “{word}”; give one of the numbers {numbers}.")
    return found[0]
