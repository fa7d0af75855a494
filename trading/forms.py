"""What people type into the ticket, turned into numbers."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms

from krakenfutures.values import OrderType, Side

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
    def to_python(self, value: Any) -> Decimal | None:
        text = str(value or "").strip()
        if not text:
            return None
        try:
            return read_number(text)
        except ValueError as problem:
            raise forms.ValidationError(str(problem), code="not_a_number") from None


class TicketForm(forms.Form):
    """An order that somebody wants. What the instrument allows is checked by the action."""

    intent = forms.UUIDField(widget=forms.HiddenInput)
    symbol = forms.CharField(max_length=40, widget=forms.HiddenInput)
    side = forms.ChoiceField(choices=[(side.value, side.value) for side in Side], initial=Side.BUY.value)
    type = forms.ChoiceField(
        choices=[
            (OrderType.LIMIT.value, "Limit"),
            (OrderType.POST.value, "Post"),
            (OrderType.IOC.value, "IOC"),
            (OrderType.MARKET.value, "Market"),
        ],
        initial=OrderType.LIMIT.value,
    )
    size = NumberField(error_messages={"required": "How much?"})
    limit_price = NumberField(required=False)
    reduce_only = forms.BooleanField(required=False)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("type") == OrderType.MARKET.value:
            data["limit_price"] = None  # hidden in the ticket, so whatever is left in it is not meant
        elif data.get("limit_price") is None and "limit_price" not in self.errors:
            self.add_error("limit_price", forms.ValidationError("At which price?", code="required"))
        return data


class EditForm(forms.Form):
    size = NumberField(error_messages={"required": "How much?"})
    limit_price = NumberField(required=False)
    stop_price = NumberField(required=False)
