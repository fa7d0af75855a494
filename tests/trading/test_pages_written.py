"""Numbers and times as the pages write and read them. `written.json` holds the browser's twin to the same cases."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from trading import written
from trading.forms import read_number
from trading.templatetags import written as filters

CASES: dict[str, Any] = json.loads((Path(__file__).parent / "written.json").read_text())


@pytest.mark.parametrize(("value", "places", "sign", "text"), CASES["fixed"])
def test_a_number_has_thin_spaces_a_real_minus_and_fixed_decimals(
    value: str, places: int, sign: bool, text: str
) -> None:
    assert written.fixed(Decimal(value), places, sign=sign) == text


@pytest.mark.parametrize(("value", "text"), CASES["free"])
def test_a_free_number_has_the_decimals_it_needs(value: str, text: str) -> None:
    assert written.free(Decimal(value)) == text


@pytest.mark.parametrize(("value", "text"), CASES["short"])
def test_a_large_number_is_cut_to_a_few_figures(value: str, text: str) -> None:
    assert written.short(Decimal(value)) == text


@pytest.mark.parametrize(("value", "text"), CASES["rate"])
def test_a_funding_rate_is_in_percent(value: str, text: str) -> None:
    assert filters.rate(Decimal(value)) == text


@pytest.mark.parametrize(("typed", "number"), [case for case in CASES["typed"] if case[1]])
def test_people_may_type_thousands(typed: str, number: str) -> None:
    assert read_number(typed) == Decimal(number)


@pytest.mark.parametrize("typed", ["0,25", "abc", "1e5", "NaN", "Infinity", "0x10", "1" * 40, "--1", "1 .", "²"])
def test_what_is_no_plain_number_is_refused_in_words(typed: str) -> None:
    with pytest.raises(ValueError, match=r"\w+ \w+"):
        read_number(typed if typed != "1 ." else "1..")


@pytest.mark.parametrize(("step", "places"), [("0.5", 1), ("1", 0), ("100", 0), ("1E-10", 10), ("0.0100", 2)])
def test_a_step_says_how_many_decimals_there_are(step: str, places: int) -> None:
    assert written.places_of(Decimal(step)) == places


def test_nothing_is_a_dash() -> None:
    assert written.fixed(None, 2) == written.free(None) == written.short(None) == "–"


def test_a_time_is_in_the_readers_zone_and_names_it() -> None:
    moment = datetime(2026, 11, 22, 14, 7, 31, tzinfo=UTC)
    assert written.when(moment) == "2026-11-22 14:07:31 UTC"
    with timezone.override("Europe/Berlin"):
        assert written.when(moment) == "2026-11-22 15:07:31 CET"


@pytest.mark.parametrize(
    ("value", "currency", "word"), [("5", "USD", "gain"), ("-0.001", "USD", ""), ("-1E-8", "BTC", "loss")]
)
def test_what_is_written_as_zero_has_no_colour(value: str, currency: str, word: str) -> None:
    assert filters.result(Decimal(value), currency) == word
