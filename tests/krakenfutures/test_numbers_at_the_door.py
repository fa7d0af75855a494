from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krakenfutures.errors import Unreadable
from krakenfutures.numbers import (
    is_multiple,
    iso,
    normal_currency,
    plain,
    read_json,
    step_above,
    step_below,
    to_decimal,
    to_time,
)

NUMBERS = st.decimals(allow_nan=False, allow_infinity=False, places=10, min_value=-(10**12), max_value=10**12)
STEPS = st.sampled_from([Decimal(text) for text in ("1E-10", "0.00001", "0.01", "0.05", "0.5", "1", "10", "1000")])


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("1E-10", "0.0000000001"),
        ("1e12", "1000000000000"),
        ("0E-20", "0"),
        ("-0.0", "0"),
        ("12.3400", "12.34"),
        ("-5", "-5"),
    ],
)
def test_numbers_go_out_in_plain_notation(text, wanted):
    assert plain(Decimal(text)) == wanted


@given(NUMBERS)
def test_plain_notation_loses_nothing(number):
    text = plain(number)

    assert Decimal(text) == number
    assert "E" not in text.upper()


@pytest.mark.parametrize("text", ["NaN", "-Infinity", "1E+999999", "1E-999999"])
def test_a_number_that_cannot_be_written_out_is_refused(text):
    with pytest.raises(ValueError, match="written out"):
        plain(Decimal(text))


@pytest.mark.parametrize("bad", ["1e999999999", "NaN", "Infinity", "1,5", "", "--1", None, True, 1.5, [], {}])
def test_what_is_not_a_finite_decimal_is_unreadable(bad):
    with pytest.raises(Unreadable):
        to_decimal(bad)


def test_json_fractions_keep_every_digit():
    read = read_json('{"a":0.49999966035931903,"b":1000000.00000000000000000000,"c":1e-10,"d":7}')

    assert read["a"] == Decimal("0.49999966035931903")
    assert str(read["b"]) == "1000000.00000000000000000000"
    assert (read["c"], read["d"]) == (Decimal("1E-10"), 7)


@pytest.mark.parametrize("text", ["", "{", "NaN", '{"a":Infinity}', "<html>", b"\xff\xfe"])
def test_what_is_not_json_is_unreadable(text):
    with pytest.raises(Unreadable):
        read_json(text)


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        ("2026-11-22T12:00:00.000Z", datetime(2026, 11, 22, 12, tzinfo=UTC)),
        ("2026-11-22T12:00:46.98Z", datetime(2026, 11, 22, 12, 0, 46, 980000, tzinfo=UTC)),
        ("2026-11-22T12:00:34.1Z", datetime(2026, 11, 22, 12, 0, 34, 100000, tzinfo=UTC)),
        ("2018-08-31T00:00:00Z", datetime(2018, 8, 31, tzinfo=UTC)),
        ("2026-11-22T13:00:00+01:00", datetime(2026, 11, 22, 12, tzinfo=UTC)),
        (1795348800123, datetime(2026, 11, 22, 12, 0, 0, 123000, tzinfo=UTC)),
    ],
)
def test_times_are_read_in_every_spelling_kraken_uses(raw, wanted):
    assert to_time(raw) == wanted
    assert to_time(raw).tzinfo is UTC


@pytest.mark.parametrize("bad", ["yesterday", True, 10**30, [], None])
def test_what_is_not_a_time_is_unreadable(bad):
    with pytest.raises(Unreadable):
        to_time(bad)


def test_times_go_out_with_milliseconds_and_never_without_a_zone():
    assert iso(datetime(2026, 11, 22, 12, 0, 0, 7999, tzinfo=UTC)) == "2026-11-22T12:00:00.007Z"
    with pytest.raises(ValueError, match="zone"):
        iso(datetime(2026, 11, 22, 12))  # noqa: DTZ001


@given(NUMBERS, STEPS)
def test_the_neighbours_on_a_step_are_on_it_and_around_the_number(number, step):
    below, above = step_below(number, step), step_above(number, step)

    assert is_multiple(below, step)
    assert is_multiple(above, step)
    assert below <= number <= above
    assert above - below in (0, step)


def test_bitcoin_has_one_name():
    assert [normal_currency(code) for code in ("xbt", "XBT", "btc", "usd")] == ["BTC", "BTC", "BTC", "USD"]
