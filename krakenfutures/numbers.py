"""Numbers and times at the door: tolerant on the way in, plain on the way out, never a float."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal, InvalidOperation, localcontext
from typing import Any, overload

import msgspec

from krakenfutures.errors import Unreadable

WIDE = Context(prec=60)  # 1e12 units at a tick of 1e-10, and room for a quotient
LARGEST_EXPONENT = 60  # beyond it, plain notation would fill the memory
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_decoder = msgspec.json.Decoder(float_hook=Decimal)


def read_json(text: str | bytes) -> Any:
    """JSON with every fraction as `Decimal` and every whole number as `int`. Raises `Unreadable`."""
    try:
        return _decoder.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise Unreadable(f"this is not JSON: {problem}") from None


def to_decimal(value: object) -> Decimal:
    """A finite decimal from a number or from its text. Raises `Unreadable`; floats and booleans are refused."""
    if isinstance(value, Decimal):
        number = value
    elif isinstance(value, str | int) and not isinstance(value, bool):
        try:
            number = Decimal(value)
        except InvalidOperation:
            raise Unreadable(f"{str(value)[:40]!r} is not a number") from None
    else:
        raise Unreadable(f"a {type(value).__name__} is not a number")
    if not number.is_finite() or abs(number.adjusted()) > LARGEST_EXPONENT:
        raise Unreadable(f"{number} is not a number of this world")
    return number


def plain(value: Decimal) -> str:
    """Plain notation, without an exponent and without needless zeros: `1E-10` becomes `0.0000000001`."""
    if not value.is_finite() or abs(value.adjusted()) > LARGEST_EXPONENT:
        raise ValueError(f"{value} cannot be written out")
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def to_time(value: object) -> datetime:
    """Aware UTC from ISO 8601 (any number of decimals) or from epoch milliseconds. Raises `Unreadable`."""
    try:
        if isinstance(value, str):
            moment = datetime.fromisoformat(value)
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
        if isinstance(value, int | Decimal) and not isinstance(value, bool):
            return EPOCH + timedelta(microseconds=int(value * 1000))
    except (ValueError, OverflowError):
        pass
    raise Unreadable(f"{str(value)[:40]!r} is not a time")


@overload
def epoch_ms(moment: datetime) -> int: ...
@overload
def epoch_ms(moment: datetime | None) -> int | None: ...
def epoch_ms(moment: datetime | None) -> int | None:
    """Epoch milliseconds; finer is cut off. Nothing for nothing."""
    return None if moment is None else (moment - EPOCH) // timedelta(milliseconds=1)


def from_epoch_ms(number: int) -> datetime:
    return EPOCH + timedelta(milliseconds=number)


def iso(moment: datetime) -> str:
    """`2026-11-22T12:00:00.000Z`, as requests carry it; finer than a millisecond is cut off."""
    if moment.tzinfo is None:
        raise ValueError("a time without its zone cannot be sent")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def is_multiple(value: Decimal, step: Decimal) -> bool:
    with localcontext(WIDE):
        return value % step == 0


def step_below(value: Decimal, step: Decimal) -> Decimal:
    """The largest multiple of `step` that is not above `value`."""
    with localcontext(WIDE):
        return (value / step).to_integral_value(ROUND_FLOOR) * step


def step_above(value: Decimal, step: Decimal) -> Decimal:
    """The smallest multiple of `step` that is not below `value`."""
    with localcontext(WIDE):
        return (value / step).to_integral_value(ROUND_CEILING) * step


def normal_currency(code: str) -> str:
    """`xbt` and `XBT` become `BTC`; everything else is only put in capitals."""
    upper = code.upper()
    return "BTC" if upper == "XBT" else upper
