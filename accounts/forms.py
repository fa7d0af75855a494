"""What people may type. Whether it is allowed is decided by the actions."""

from __future__ import annotations

from typing import Any
from zoneinfo import available_timezones

from django import forms

from accounts.models import Environment, Role, Scope, User
from accounts.models.notice import THRESHOLDS
from accounts.rules import NotAllowed


class KeyForm(forms.Form):
    label = forms.CharField(max_length=60, help_text="How you will recognise it.")
    environment = forms.ChoiceField(choices=Environment.choices)
    public_key = forms.CharField(
        max_length=200,
        label="Public key",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    secret = forms.CharField(
        max_length=300,
        label="Private key",
        widget=forms.PasswordInput(attrs={"autocomplete": "off", "spellcheck": "false"}),  # never rendered back
    )


class ReplaceKeyForm(KeyForm):
    """The environment is the account's."""

    environment = None  # type: ignore[assignment]


class SetupForm(forms.Form):
    email = forms.EmailField(label="E-mail", widget=forms.EmailInput(attrs={"autocomplete": "username"}))
    password = forms.CharField(
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}), help_text="At least 12 characters."
    )
    again = forms.CharField(
        label="Password, once more", widget=forms.PasswordInput(attrs={"autocomplete": "new-password"})
    )

    def clean_again(self) -> str:
        again: str = self.cleaned_data["again"]
        if again != self.cleaned_data.get("password"):
            raise forms.ValidationError("The two passwords differ.")
        return again


class InviteForm(forms.Form):
    email = forms.EmailField(label="E-mail")
    role = forms.ChoiceField(choices=Role.choices, initial=Role.VIEWER)


class JoinForm(forms.Form):
    """For somebody who is new here; the address is the invitation's."""

    password = forms.CharField(
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}), help_text="At least 12 characters."
    )


class MemberForm(forms.Form):
    role = forms.ChoiceField(choices=Role.choices)
    largest_order = forms.DecimalField(
        label="Largest order, USD", required=False, min_value=0, max_digits=20, decimal_places=2,
        help_text="Of notional value, at the worst price it may execute at. Empty: no limit.",
    )  # fmt: skip
    daily_notional = forms.DecimalField(
        label="Sent in 24 hours, USD", required=False, min_value=0, max_digits=20, decimal_places=2,
        help_text="All orders together. Empty: no limit.",
    )  # fmt: skip
    instruments = forms.CharField(
        required=False, max_length=2000, help_text="Symbols, separated by spaces or commas. Empty: all.",
        widget=forms.TextInput(attrs={"autocapitalize": "characters", "spellcheck": "false"}),
    )  # fmt: skip
    reduce_only = forms.BooleanField(label="May only reduce positions", required=False)

    def clean_instruments(self) -> list[str]:
        typed: str = self.cleaned_data["instruments"]
        return typed.replace(",", " ").split()


class DeskForm(forms.Form):
    name = forms.CharField(max_length=80)
    second_factor_required = forms.BooleanField(
        label="Members need a second factor", required=False,
        help_text="Whoever has none sees nothing of the desk until they have set one up.",
    )  # fmt: skip
    withdrawals_enabled = forms.BooleanField(
        label="The desk withdraws", required=False,
        help_text="While it does not, a key for real money that may withdraw is held back.",
    )  # fmt: skip


class InboxForm(forms.Form):
    """Where else a person is told, from which level on, and when not."""

    email = forms.ChoiceField(label="By e-mail", choices=THRESHOLDS)
    browser = forms.ChoiceField(
        label="By this desk in a browser, while a page is open", choices=THRESHOLDS,
        help_text="Every browser asks once whether this desk may.",
    )  # fmt: skip
    webhook = forms.ChoiceField(label="By webhook", choices=THRESHOLDS)
    quiet_from = forms.TimeField(
        label="Quiet from", required=False, widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )
    quiet_to = forms.TimeField(
        label="Quiet until", required=False, widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        help_text="By your own clock. Outside the inbox you are told when they are over.",
    )  # fmt: skip
    critical_breaks_quiet = forms.BooleanField(label="What is critical breaks through", required=False)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if (cleaned.get("quiet_from") is None) != (cleaned.get("quiet_to") is None):
            self.add_error("quiet_to", "Quiet hours need both ends, or none.")
        return cleaned


class WebhookForm(forms.Form):
    label = forms.CharField(max_length=60, required=False, label="Name", help_text="How you will recognise it.")
    url = forms.CharField(
        max_length=2000, label="Address", help_text="https://… It is stored encrypted and not shown again.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "inputmode": "url"}),
    )  # fmt: skip


class TokenForm(forms.Form):
    label = forms.CharField(max_length=60, help_text="What will use it.")
    scopes = forms.MultipleChoiceField(
        choices=Scope.choices, initial=[Scope.READ], widget=forms.CheckboxSelectMultiple, label="What it may do"
    )
    days = forms.TypedChoiceField(
        label="Lives for", choices=[(7, "a week"), (30, "30 days"), (90, "90 days"), (365, "a year")], coerce=int,
        initial=90,
    )  # fmt: skip


class ProfileForm(forms.Form):
    theme = forms.ChoiceField(choices=User.Theme.choices)
    time_zone = forms.ChoiceField(
        label="Time zone",
        choices=lambda: [(name, name.replace("_", " ")) for name in sorted(available_timezones())],
        help_text="Times are shown in it, with its name; exports stay in UTC.",
    )


def blame(form: forms.Form, refusal: NotAllowed) -> None:
    """Put a refusal beside the input it speaks of, or on top of the form."""
    form.add_error(refusal.field if refusal.field in form.fields else None, refusal.reason)
