"""What people may type. Whether it is allowed is decided by the actions."""

from __future__ import annotations

from zoneinfo import available_timezones

from django import forms

from accounts.models import Environment, User
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
