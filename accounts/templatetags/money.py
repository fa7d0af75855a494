"""Amounts as people read them. Load with `{% load money %}`."""

from __future__ import annotations

from decimal import Decimal

from django import template

from accounts.withdrawal_rules import short_code

register = template.Library()
THIN = "\N{NARROW NO-BREAK SPACE}"


@register.filter
def plainly(value: Decimal | None) -> str:
    """Every digit, thousands apart, a real minus sign; a dash for what is unknown."""
    if value is None:
        return "–"
    text = f"{value.normalize():f}"
    whole, point, rest = text.partition(".")
    sign = "\N{MINUS SIGN}" if whole.startswith("-") else ""
    return f"{sign}{int(whole.lstrip('-') or 0):,}".replace(",", THIN) + point + rest


@register.filter
def cents(value: Decimal | None) -> str:
    """Money in USD, to the cent."""
    return "–" if value is None else f"{value:,.2f}".replace(",", THIN).replace("-", "\N{MINUS SIGN}")


@register.filter
def share(value: Decimal | None) -> str:
    return "–" if value is None else f"{value * 100:.1f}{THIN}%"


@register.filter
def code_of(digest: str) -> str:
    return short_code(digest)
