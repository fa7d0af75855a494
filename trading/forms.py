"""What people type into the ticket, turned into numbers."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms

from krakenfutures.values import NewOrder, OrderType, Side, TriggerSignal
from trading.actions.intents import Attached

GROUPED = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")
SPACES = re.compile(r"[\s\u2007\u2009\u202f]")
WIDEST = 34


def read_number(text: str) -> Decimal:
    """A decimal as people type it, with thin spaces or thousands commas. Raises `ValueError` with a sentence."""
    bare = SPACES.sub("", text).replace("\N{MINUS SIGN}", "-")
    if GROUPED.fullmatch(bare):
        bare = bare.replace(",", "")
    if "," in bare:
        raise ValueError("Use a point for decimals, as in 0.25.")
    if len(bare) > WIDEST or not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)", bare):
        raise ValueError("This is not a number.")
    try:
        return Decimal(bare)
    except InvalidOperation:
        raise ValueError("This is not a number.") from None


class NumberField(forms.Field):
    def __deepcopy__(self, memo: dict[int, Any]) -> NumberField:
        return self  # every ticket would copy eight, and nobody changes one after its form is declared

    def to_python(self, value: Any) -> Decimal | None:
        text = str(value or "").strip()
        if not text:
            return None
        try:
            return read_number(text)
        except ValueError as problem:
            raise forms.ValidationError(str(problem), code="not_a_number") from None


LIMITED = ("limit", "post", "ioc", "fok")
TRIGGERS = ("stop", "take_profit")
TRAILING = ("trailing_stop",)
TAKEN_BY = {  # the types of order that take a field; with another type, whatever is left in it is not meant
    "limit_price": (*LIMITED, *TRIGGERS),
    "stop_price": TRIGGERS,
    "trigger_signal": (*TRIGGERS, *TRAILING),
    "trailing_deviation": TRAILING,
    "trailing_unit": TRAILING,
    "stop_loss": (*LIMITED, "market"),
    "take_profit": (*LIMITED, "market"),
}


class Unchanged(dict[str, forms.Field]):
    """Fields that nobody changes. Django copies them deeply for every form, which costs more than reading the form."""

    def __deepcopy__(self, _memo: object) -> Unchanged:
        return self


class WishForm(forms.Form):
    """An order that somebody may want, as far as it is typed. What the instrument allows is checked by the action."""

    side = forms.ChoiceField(choices=[(side.value, side.value) for side in Side], initial=Side.BUY.value)
    type = forms.ChoiceField(
        choices=[
            (OrderType.LIMIT.value, "Limit"),
            (OrderType.POST.value, "Post"),
            (OrderType.IOC.value, "IOC"),
            (OrderType.FOK.value, "FOK"),
            (OrderType.MARKET.value, "Market"),
            (OrderType.STOP.value, "Stop"),
            (OrderType.TAKE_PROFIT.value, "Take profit"),
            (OrderType.TRAILING_STOP.value, "Trailing"),
        ],
        initial=OrderType.LIMIT.value,
    )
    size = NumberField(error_messages={"required": "How much?"})
    limit_price = NumberField(required=False)
    stop_price = NumberField(required=False)
    trigger_signal = forms.ChoiceField(required=False, choices=[(one.value, one.value) for one in TriggerSignal])
    trailing_deviation = NumberField(required=False)
    trailing_unit = forms.ChoiceField(required=False, choices=[("percent", "percent"), ("quote", "USD")])
    stop_loss = NumberField(required=False)
    take_profit = NumberField(required=False)
    reduce_only = forms.BooleanField(required=False)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        type = data.get("type", "")
        for name, types in TAKEN_BY.items():
            if type not in types:
                data[name] = None
                self.errors.pop(name, None)
        for name, types, question in (
            ("limit_price", LIMITED, "At which price?"),
            ("stop_price", TRIGGERS, "Triggered at which price?"),
            ("trailing_deviation", TRAILING, "How far behind?"),
        ):
            if type in types and data.get(name) is None and name not in self.errors:
                self.add_error(name, forms.ValidationError(question, code="required"))
        return data

    def wish(self, client_id: str, symbol: str) -> NewOrder:
        """What was typed, without what is attached."""
        data = self.cleaned_data
        signal = data["trigger_signal"]
        trails = data["type"] in TRAILING
        return NewOrder(
            client_id=client_id,
            symbol=symbol,
            side=Side(data["side"]),
            type=OrderType(data["type"]),
            size=data["size"],
            limit_price=data["limit_price"],
            stop_price=data["stop_price"],
            trigger_signal=TriggerSignal(signal) if signal else None,
            trailing_deviation=data["trailing_deviation"],
            trailing_unit=(data["trailing_unit"] or "percent") if trails else None,
            reduce_only=data["reduce_only"],
        )


class TicketForm(WishForm):
    """A wish with its intent, to be sent."""

    intent = forms.UUIDField(widget=forms.HiddenInput)
    symbol = forms.CharField(max_length=40, widget=forms.HiddenInput)

    def attached(self) -> dict[str, Attached]:
        """By the names `place_order` has for them."""
        prices = {name: self.cleaned_data[name] for name in ("stop_loss", "take_profit")}
        return {name: Attached(stop_price=price) for name, price in prices.items() if price is not None}


for _form in (WishForm, TicketForm):
    _form.base_fields = Unchanged(_form.base_fields)


class LadderForm(forms.Form):
    """Orders between two prices. What the contract allows is checked with the lines it makes."""

    symbol = forms.CharField(max_length=40, label="Instrument", initial="PF_XBTUSD")
    side = forms.ChoiceField(choices=[(side.value, side.value) for side in Side])
    type = forms.ChoiceField(choices=[("limit", "limit"), ("post", "post")])
    size = NumberField(label="Size of all together", error_messages={"required": "How much?"})
    first = NumberField(label="First price", error_messages={"required": "From which price?"})
    last = NumberField(label="Last price", error_messages={"required": "To which price?"})
    count = forms.IntegerField(label="Orders", initial=5, min_value=1, max_value=200)
    shape = forms.ChoiceField(
        label="Sizes", choices=[("flat", "alike"), ("rising", "growing"), ("falling", "shrinking")]
    )
    reduce_only = forms.BooleanField(required=False, label="Reduce only")


class LeverageForm(forms.Form):
    max_leverage = NumberField(error_messages={"required": "Up to which leverage?"})


class EditForm(forms.Form):
    size = NumberField(error_messages={"required": "How much?"})
    limit_price = NumberField(required=False)
    stop_price = NumberField(required=False)
    trailing_deviation = NumberField(required=False)
