"""`manage.py demo_desk`: a desk on the demo exchange to look at, with people, accounts and trades."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts.actions.withdrawal_demo import furnish_withdrawals
from accounts.models import User
from accounts.rules import NotAllowed
from accounts.vault import VaultError
from krakenfutures.errors import KrakenError
from trading.actions import demo_desk
from trading.actions.alerts import add_usual_rules
from trading.actions.demo_desk import Made
from trading.actions.demo_past import live_until_now
from trading.models import Fill

SHORT_PAST = (
    "The history begins today: the exchange's clock is everybody's, so it is not turned. For weeks of it, start a new"
    " exchange in the past (a new data folder and KFWEB_DEMO_PAST_DAYS=21) and run this again."
)


class Command(BaseCommand):
    help = (
        "Builds a desk on the demo exchange: owner, trader, reviewer, viewer; two accounts that have traded;"
        " withdrawals in every state."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the desk as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        desk = demo_desk.demo_desk()
        fresh = not demo_desk.is_complete(desk)
        password = demo_desk.new_password() if fresh else ""
        try:
            owner, trader, reviewer, _ = demo_desk.people_of(desk, password)
            made = [demo_desk.account_of(desk, plan, owner=owner) for plan in demo_desk.PLANS]
            placed = self._trade(made, by=trader)
            add_usual_rules(desk, by=owner)
            demo_desk.patiently(
                lambda: furnish_withdrawals(made[0].account, owner=owner, trader=trader, reviewer=reviewer)
            )
        except (NotAllowed, KrakenError, VaultError) as problem:
            sentence = problem.reason if isinstance(problem, NotAllowed) else str(problem)
            raise CommandError(f"{sentence} The desk and its demo exchange must be running (make run).") from None
        if fresh and not demo_desk.given_password():
            self.stderr.write(f"Everybody new signs in with the password {password} (said only now).")
        if options["json"]:
            self.stdout.write(json.dumps(_as_json(desk.name, made), indent=1))
        else:
            self._tell(desk.name, made, placed)
        if not Fill.objects.filter(account__desk=desk, at__lt=timezone.now() - timedelta(days=1)).exists():
            self.stderr.write(SHORT_PAST)

    def _trade(self, made: list[Made], *, by: User) -> list[int]:
        """Only in accounts that have not: first through the exchange's past, if it has one."""
        new = [one for one in made if not demo_desk.has_traded(one.account, by=by)]
        if len(new) == len(made):
            live_until_now([one.account for one in made], by=by, tell=self.stderr.write)
        plans = zip(made, demo_desk.PLANS, strict=True)
        return [demo_desk.trade(one.account, plan, by=by) if one in new else 0 for one, plan in plans]

    def _tell(self, name: str, made: list[Made], placed: list[int]) -> None:
        self.stdout.write(f"The desk is called “{name}”.")
        for email, role in demo_desk.PEOPLE.items():
            self.stdout.write(f"  {role.label:<9} {email}")
        for one, orders in zip(made, placed, strict=True):
            self.stdout.write(f"  Account {one.account.label} ({one.account.demo_email}): {orders} orders placed now.")
            if one.private_key:
                self.stdout.write(
                    f"    public key {one.public_key}\n    private key {one.private_key} (said only now)"
                )


def _as_json(name: str, made: list[Made]) -> dict[str, Any]:
    return {
        "desk": name,
        "people": [{"email": email, "role": role.value} for email, role in demo_desk.PEOPLE.items()],
        "accounts": [
            {
                "id": one.account.pk,
                "label": one.account.label,
                "demo_email": one.account.demo_email,
                "demo_password": one.password or None,
                "demo_public_key": one.public_key or None,
                "demo_private_key": one.private_key,
            }
            for one in made
        ],
    }
