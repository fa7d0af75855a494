"""What may be typed about an alert rule. Whether it is allowed is decided by the actions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms

from accounts.models import Account, Level, Role
from krakenfutures.numbers import plain
from trading.actions.alerts import RuleWish
from trading.alert_rules import KINDS, Kind, Sense
from trading.models import AlertRule


class AlertForm(forms.Form):
    """For one kind: what the kind does not have is not asked for."""

    kind = forms.CharField(widget=forms.HiddenInput)
    scope = forms.ChoiceField(label="For", choices=[("own", "Me alone"), ("desk", "The desk")])
    threshold = forms.DecimalField(max_digits=20, decimal_places=10)
    rearm = forms.DecimalField(
        label="Ready again", required=False, max_digits=20, decimal_places=10,
        help_text="The figure must come back to here before it fires again.",
    )  # fmt: skip
    account = forms.ChoiceField(required=False)
    symbol = forms.CharField(
        label="Instrument", required=False, max_length=40, help_text="Empty: all.",
        widget=forms.TextInput(attrs={"autocapitalize": "characters", "spellcheck": "false"}),
    )  # fmt: skip
    level = forms.ChoiceField(choices=Level.choices)
    cooldown = forms.IntegerField(
        label="At most every, min", min_value=0, max_value=1440, help_text="About the same thing."
    )
    roles = forms.MultipleChoiceField(
        label="Whom it tells", required=False, choices=Role.choices, widget=forms.CheckboxSelectMultiple,
        help_text="Of the desk. None chosen: everybody.",
    )  # fmt: skip

    def __init__(
        self, data: Any, *, kind: Kind, rule: AlertRule | None, accounts: Sequence[Account], manages: bool
    ) -> None:
        about = KINDS[kind]
        super().__init__(data, initial=_initial(kind, rule, manages))
        self.accounts = {str(one.pk): one for one in accounts}
        has_figure = about.sense in {Sense.ABOVE, Sense.BELOW}
        way = "or less" if about.sense is Sense.BELOW else "or more"
        self.fields["threshold"].label = f"Fires at, {about.unit} {way}"
        chosen = self.fields["account"]
        assert isinstance(chosen, forms.ChoiceField)
        chosen.choices = [("", "All of the desk"), *((key, one.label) for key, one in self.accounts.items())]
        left_out = {
            "threshold": not has_figure,
            "rearm": not has_figure,
            "symbol": not about.of_symbol,
            "cooldown": about.sense is Sense.EVENT,
            "scope": rule is not None or not manages,
            "roles": not manages or (rule is not None and rule.owner_id is not None),
        }
        for name in (name for name, out in left_out.items() if out):
            del self.fields[name]
        self.for_desk = rule is not None and rule.owner_id is None

    def wish(self) -> RuleWish:
        said = self.cleaned_data
        return RuleWish(
            kind=said["kind"],
            for_desk=said.get("scope") == "desk" or self.for_desk,
            account=self.accounts.get(said["account"]),
            symbol=said.get("symbol", ""),
            threshold=said.get("threshold"),
            rearm=said.get("rearm"),
            level=said["level"],
            roles=said.get("roles", []),
            cooldown=said.get("cooldown", 0) * 60,
        )


def _initial(kind: Kind, rule: AlertRule | None, manages: bool) -> dict[str, object]:
    about = KINDS[kind]
    if rule is None:
        return {
            "kind": kind.value, "scope": "desk" if manages else "own", "level": about.level, "cooldown": 5,
            "threshold": plain(about.threshold) if about.threshold is not None else None,
            "rearm": plain(about.rearm) if about.rearm is not None else None,
        }  # fmt: skip
    return {
        "kind": rule.kind, "level": rule.level, "cooldown": rule.cooldown // 60, "roles": rule.roles,
        "account": str(rule.account_id or ""), "symbol": rule.symbol,
        "threshold": plain(rule.threshold) if rule.threshold is not None else None,
        "rearm": plain(rule.rearm) if rule.rearm is not None else None,
    }  # fmt: skip
