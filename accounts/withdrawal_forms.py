"""What people may type about withdrawals and the policy. Whether it is allowed is decided by the actions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django import forms

from accounts.actions.withdrawals import Wish
from accounts.models.withdrawal import OUTCOMES, VERDICTS
from accounts.policy_rules import Policy, Tier
from accounts.templatetags.money import plainly
from accounts.withdrawal_rules import free_in, rounded_down, wallet_in_words
from krakenfutures.funds import CASH, MULTI_COLLATERAL, Destination
from krakenfutures.numbers import plain
from krakenfutures.values import Wallets

SPARE_TIERS = 4
HeldBack = Callable[[str, str], Decimal]  # by wallet and currency: what other requests hold back
GLASS_HELP = (
    "Two admins who did not ask may send without review, cool-off and hours; everybody is told, and a third person "
    "judges it afterwards."
)


class WithdrawalForm(forms.Form):
    source = forms.ChoiceField(label="From")
    amount = forms.DecimalField(
        required=False, max_digits=40, decimal_places=20, help_text="Empty: all that is free there.",
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off", "class": "num"}),
    )  # fmt: skip
    destination = forms.ChoiceField(label="To")
    reason = forms.CharField(max_length=400, help_text="The reviewers read it.")

    def __init__(
        self,
        *args: Any,
        wallets: Wallets | None,
        destinations: Iterable[Destination],
        held_back: HeldBack = lambda _wallet, _currency: Decimal(0),
        **kwargs: Any,
    ) -> None:
        """`wallets` None: nobody could be asked, so the choices are the ones that were made."""
        super().__init__(*args, **kwargs)
        source, destination = self.fields["source"], self.fields["destination"]
        if wallets is None:
            chosen = {name: self.data.get(name, "") for name in ("source", "destination")}
            wallet, _, currency = chosen["source"].partition("|")
            source.choices = [(chosen["source"], f"{currency} · {wallet_in_words(wallet)}")]  # type: ignore[attr-defined]
            destination.choices = [(chosen["destination"], "As chosen before")]  # type: ignore[attr-defined]
            return
        source.choices = list(sources(wallets, held_back))  # type: ignore[attr-defined]
        destination.choices = [(destination_key(one), one.label) for one in destinations]  # type: ignore[attr-defined]

    @property
    def wish(self) -> Wish:
        source, currency = self.cleaned_data["source"].split("|")
        landing, wallet, account = self.cleaned_data["destination"].split("|")
        return Wish(
            source=source,
            currency=currency,
            amount=self.cleaned_data["amount"],
            landing=landing,
            target_wallet=wallet,
            target_account=account,
            reason=self.cleaned_data["reason"],
        )


def sources(wallets: Wallets, held_back: HeldBack) -> Iterable[tuple[str, str]]:
    """Every wallet and currency that holds something, with what is free there beside other requests."""
    for wallet, currency in held(wallets):
        free = max(free_in(wallets, wallet, currency) - held_back(wallet, currency), Decimal(0))
        shown = plainly(rounded_down(currency, free))
        yield f"{wallet}|{currency}", f"{currency} · {shown} free · {wallet_in_words(wallet)}"  # a phone cuts the end


def held(wallets: Wallets) -> Iterable[tuple[str, str]]:
    if wallets.flex:
        yield from ((MULTI_COLLATERAL, one.currency) for one in wallets.flex.holdings if one.quantity > 0)
    yield from ((CASH, currency) for currency, quantity in wallets.cash.items() if quantity > 0)
    yield from ((one.name, one.currency) for one in wallets.margin_accounts if one.balance > 0)


def money_of(wish: Wish, amount: Decimal | None) -> str:
    """What would move, in short: the page carries it, so that nothing is asked for but what it showed."""
    where = (wish.landing, wish.target_wallet, wish.target_account)
    return "|".join((wish.source, wish.currency, plain(amount) if amount is not None else "", *where))


def destination_key(one: Destination) -> str:
    return f"{one.landing.value}|{one.wallet}|{one.account}"


class NoteForm(forms.Form):
    note = forms.CharField(required=False, max_length=400, help_text="Stays with your vote.")


class ReasonForm(forms.Form):
    reason = forms.CharField(max_length=400, help_text="The requester reads it.")


class GlassForm(forms.Form):
    note = forms.CharField(max_length=300, label="Why it cannot wait", help_text="Everybody on the desk reads it.")


class VerdictForm(forms.Form):
    verdict = forms.ChoiceField(choices=VERDICTS, widget=forms.RadioSelect, label="Was it right to break the glass?")
    note = forms.CharField(max_length=400, label="Why you think so")


class SettleForm(forms.Form):
    outcome = forms.ChoiceField(choices=OUTCOMES, widget=forms.RadioSelect, label="What became of it")
    note = forms.CharField(max_length=400, label="What you looked at")


def _span(label: str, unit: str, **options: Any) -> forms.DecimalField:
    return forms.DecimalField(label=f"{label}, {unit}", min_value=0, max_digits=8, decimal_places=2, **options)


GROUPS = {
    "Limits, empty for none": (
        "desk_day", "desk_week", "member_day", "member_week", "currency_day", "currency_week",
    ),
    "Time": ("first_time_hours", "expires_hours", "hours_from", "hours_until"),
    "People": ("review_roles", "policy_approvals"),
    "Emergencies": ("paused", "break_glass"),
}  # fmt: skip


class PolicyForm(forms.Form):
    """One version, with room for a few tiers. Empty limits mean none."""

    first_time_hours = _span("Cool-off for a first-time destination", "hours")
    expires_hours = _span("A request expires after", "hours")
    review_roles = forms.MultipleChoiceField(
        choices=[("reviewer", "Reviewers"), ("admin", "Admins"), ("owner", "Owners")],
        widget=forms.CheckboxSelectMultiple, label="Who may review",
    )  # fmt: skip
    desk_day = forms.DecimalField(label="Desk, 24 hours, USD", required=False, min_value=0, max_digits=20)
    desk_week = forms.DecimalField(label="Desk, 7 days, USD", required=False, min_value=0, max_digits=20)
    member_day = forms.DecimalField(label="One requester, 24 hours, USD", required=False, min_value=0, max_digits=20)
    member_week = forms.DecimalField(label="One requester, 7 days, USD", required=False, min_value=0, max_digits=20)
    currency_day = forms.CharField(
        required=False, label="Of a currency in 24 hours", help_text="Like “BTC 2, USD 50000”, in the currency."
    )
    currency_week = forms.CharField(required=False, label="Of a currency in 7 days")
    hours_from = forms.IntegerField(required=False, min_value=0, max_value=23, label="Only from this hour, UTC")
    hours_until = forms.IntegerField(required=False, min_value=0, max_value=24, label="until this hour, UTC")
    policy_approvals = forms.IntegerField(min_value=1, max_value=10, label="Approvals to change the policy")
    paused = forms.BooleanField(required=False, label="Pause all withdrawals")
    break_glass = forms.BooleanField(required=False, label="Break-glass", help_text=GLASS_HELP)
    reason = forms.CharField(max_length=400, label="Why")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for number in range(SPARE_TIERS):
            first = number == 0
            self.fields[f"above_{number}"] = forms.DecimalField(
                label="Above, USD", required=first, min_value=0, max_digits=20, disabled=first
            )
            self.fields[f"approvals_{number}"] = forms.IntegerField(
                label="Approvals", required=first, min_value=1, max_value=10
            )
            self.fields[f"hours_{number}"] = _span("Cool-off", "hours", required=False)

    @property
    def tier_rows(self) -> list[list[forms.BoundField]]:
        return [
            [self[f"above_{number}"], self[f"approvals_{number}"], self[f"hours_{number}"]]
            for number in range(SPARE_TIERS)
        ]

    @property
    def groups(self) -> list[tuple[str, list[forms.BoundField]]]:
        """Everything but the tiers, under the heading it belongs to."""
        return [(title, [self[name] for name in names]) for title, names in GROUPS.items()]

    @property
    def policy(self) -> Policy:
        """Raises `ValueError` with a sentence for what cannot be read."""
        data = self.cleaned_data
        hours = (data["hours_from"], data["hours_until"])
        if (hours[0] is None) != (hours[1] is None):
            raise ValueError("Give both hours, or neither.")
        return Policy(
            tiers=tuple(sorted(self._tiers(), key=lambda tier: tier.above)),
            first_time_cool_off=_hours(data["first_time_hours"]),
            review_roles=frozenset(data["review_roles"]),
            desk_day=data["desk_day"],
            desk_week=data["desk_week"],
            member_day=data["member_day"],
            member_week=data["member_week"],
            currency_day=_by_currency(data["currency_day"]),
            currency_week=_by_currency(data["currency_week"]),
            expires_after=_hours(data["expires_hours"]),
            hours=None if hours[0] is None else hours,
            paused=data["paused"],
            policy_approvals=data["policy_approvals"],
            break_glass=data["break_glass"],
        )

    def _tiers(self) -> Iterable[Tier]:
        data = self.cleaned_data
        for number in range(SPARE_TIERS):
            above = Decimal(0) if number == 0 else data[f"above_{number}"]
            if above is None:
                continue
            if data[f"approvals_{number}"] is None:
                raise ValueError(f"How many approvals above {plain(above)} USD?")
            yield Tier(above, data[f"approvals_{number}"], _hours(data[f"hours_{number}"] or Decimal(0)))


def initial_of(policy: Policy) -> dict[str, Any]:
    start: dict[str, Any] = {
        "first_time_hours": _in_hours(policy.first_time_cool_off),
        "expires_hours": _in_hours(policy.expires_after),
        "review_roles": sorted(policy.review_roles),
        "desk_day": policy.desk_day,
        "desk_week": policy.desk_week,
        "member_day": policy.member_day,
        "member_week": policy.member_week,
        "currency_day": ", ".join(f"{name} {plain(value)}" for name, value in policy.currency_day.items()),
        "currency_week": ", ".join(f"{name} {plain(value)}" for name, value in policy.currency_week.items()),
        "hours_from": policy.hours[0] if policy.hours else None,
        "hours_until": policy.hours[1] if policy.hours else None,
        "policy_approvals": policy.policy_approvals,
        "paused": policy.paused,
        "break_glass": policy.break_glass,
    }
    for number, tier in enumerate(policy.tiers[:SPARE_TIERS]):
        start |= {
            f"above_{number}": tier.above,
            f"approvals_{number}": tier.approvals,
            f"hours_{number}": _in_hours(tier.cool_off),
        }
    return start


class SimulationForm(forms.Form):
    amount = forms.DecimalField(label="Amount, USD", min_value=0, max_digits=20)
    first_time = forms.BooleanField(required=False, label="To a first-time destination")


def _hours(value: Decimal) -> timedelta:
    return timedelta(seconds=int(value * 3600))


def _in_hours(span: timedelta) -> str:
    return plain(Decimal(int(span.total_seconds())) / 3600)


def _by_currency(text: str) -> dict[str, Decimal]:
    found = {}
    for part in filter(None, (one.strip() for one in text.split(","))):
        name, _, amount = part.partition(" ")
        try:
            found[name.upper()] = Decimal(amount.strip().replace(" ", ""))
        except ArithmeticError:
            raise ValueError(f"“{part}” is not a currency and an amount.") from None
    return found
