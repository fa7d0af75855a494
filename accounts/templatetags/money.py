"""Amounts as people read them. Load with `{% load money %}`."""

from __future__ import annotations

from decimal import Decimal

from django import template

from accounts.velocity_rules import Velocity
from accounts.withdrawal_rules import short_code, wallet_in_words

register = template.Library()
THIN = "\N{NARROW NO-BREAK SPACE}"


@register.filter
def plainly(value: Decimal | str | None) -> str:
    """Every digit, thousands apart, a real minus sign; a dash for what is unknown."""
    if value is None or value == "":
        return "–"
    text = f"{Decimal(value).normalize():f}"
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


@register.filter
def wallet(name: str) -> str:
    return wallet_in_words(name)


@register.filter
def bar(one: Velocity) -> list[tuple[str, str, str]]:
    """What is used, reserved and asked of a limit, end to end: a name, where it begins, how long it is; in percent."""
    found, begins = [], Decimal(0)
    for name, amount in (("used", one.used), ("reserved", one.reserved), ("asked", one.asked)):
        ends = min(begins + (amount / one.limit * 100 if one.limit else Decimal(100)), Decimal(100))
        found.append((name, f"{begins:.2f}", f"{ends - begins:.2f}"))
        begins = ends
    return found
