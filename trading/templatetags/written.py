"""The filters of `trading.written`. Load with `{% load written %}`."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from krakenfutures.numbers import plain
from krakenfutures.values import Holding
from trading import written

register = template.Library()
FIGURE_SPACE, POINT_SPACE = "\N{FIGURE SPACE}", "\N{PUNCTUATION SPACE}"


@register.filter
def fixed(value: Decimal | None, places: int) -> str:
    return written.fixed(value, places)


@register.filter
def signed(value: Decimal | None, places: int) -> str:
    return written.fixed(value, places, sign=True)


@register.filter
def free(value: Decimal | None) -> str:
    return written.free(value)


@register.filter
def size_word(value: Decimal | None) -> str:
    """A signed size as people say it beside its side."""
    return written.free(abs(value)) if isinstance(value, Decimal) else written.NOTHING


@register.filter
def average(value: Decimal | None, places: int) -> str:
    """Of many prices: it may lie between two ticks, so two decimals more."""
    return written.fixed(value, places + 2)


@register.filter
def amount(value: Decimal | None, currency: str) -> str:
    """With the decimals of the currency."""
    return written.fixed(value, written.money_places(currency))


@register.filter
def signed_amount(value: Decimal | None, currency: str) -> str:
    return written.fixed(value, written.money_places(currency), sign=True)


@register.filter
def lined_up(value: Decimal | None, currency: str) -> str:
    """As `amount`, padded so that in a column of many currencies the points stand under each other."""
    places = written.money_places(currency)
    return written.fixed(value, places) + FIGURE_SPACE * (8 - places)


@register.filter
def exact(value: Decimal | None, places: int) -> str:
    """Every digit there is, padded so that in a column the points stand under each other."""
    text = written.free(value)
    if text == written.NOTHING:
        return text
    missing = places - written.places_of(value or Decimal(0))
    point = "" if "." in text or not places else POINT_SPACE
    return text + point + FIGURE_SPACE * max(missing, 0)


@register.filter
def percent(share: Decimal | None, places: int = 1) -> str:
    return f"{written.fixed(share * 100, places)} %" if isinstance(share, Decimal) else written.NOTHING


@register.filter
def signed_percent(share: Decimal | None) -> str:
    return f"{written.fixed(share * 100, 1, sign=True)} %" if isinstance(share, Decimal) else written.NOTHING


@register.filter
def hours(count: int) -> str:
    """`37 h`, `12 d`, or that it is far."""
    if count < 96:
        return f"{count} h"
    return f"{count // 24} d" if count < 24 * 365 else "over a year"


@register.filter
def unit(share: Decimal | None) -> str:
    """Between 0 and 1, in the notation of SVG."""
    return f"{min(max(share or Decimal(0), Decimal(0)), Decimal(1)):.4f}"


@register.filter
def haircut(holding: Holding) -> Decimal | None:
    """What collateral loses of its value, as a share; counted back where the venue does not say."""
    if holding.haircut is not None:
        return holding.haircut
    return 1 - holding.collateral / holding.value if holding.value else None


@register.filter
def result(value: Decimal | None, currency: str = "") -> str:
    """The class that colours a result; none for nothing, and for what is written as zero in its currency."""
    if not value or abs(value) * 2 <= Decimal(1).scaleb(-written.money_places(currency)):
        return ""
    return "gain" if value > 0 else "loss"


@register.filter
def ms(moment: datetime | None) -> int | str:
    return written.milliseconds(moment)


@register.filter
def moment(value: datetime | None) -> SafeString | str:
    if value is None:
        return written.NOTHING
    text = written.when(value)
    return format_html('<time datetime="{}">{}</time>', value.isoformat(), text)


@register.filter
def clock(value: datetime | None) -> SafeString | str:
    """The time of day, the whole moment on hovering."""
    if value is None:
        return written.NOTHING
    text = written.when(value)
    return SafeString(f'<time datetime="{value.isoformat()}" title="{text}">{text[11:19]}</time>')


@register.filter
def code(word: str) -> str:
    """`take_profit` as people say it."""
    return word.replace("_", " ")


@register.filter
def short(value: Decimal | None) -> str:
    return written.short(value)


@register.filter
def unwind_rank(percentile: int | None) -> str:
    return written.unwind_rank(percentile)


@register.filter
def rate(share: Decimal | None) -> str:
    """A funding rate in percent, with enough decimals to see it."""
    return written.NOTHING if share is None else f"{written.fixed(share * 100, 5, sign=True)} %"


@register.filter
def bare(value: Decimal | None) -> str:
    """For scripts: plain notation, empty for nothing."""
    return "" if value is None else plain(value)


@register.filter
def span(value: timedelta) -> str:
    """A length of time in its two largest units: `3 d 4 h`, `20 min 5 s`."""
    seconds = int(value.total_seconds())
    units = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))
    first = next((place for place, (size, _) in enumerate(units) if seconds >= size), 3)
    words = []
    for size, name in units[first : first + 2]:
        words.append(f"{seconds // size} {name}")
        seconds %= size
    return " ".join(words)
