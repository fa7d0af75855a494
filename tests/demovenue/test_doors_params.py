"""What a request says is read leniently where Kraken is lenient, and refused in its words where it is not."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from demovenue.doors.answers import Answer, iso, plain, text
from demovenue.doors.params import Params, parse_json

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def _said(answer: Answer) -> bytes:
    return answer.body(NOW)


def test_query_and_form_count_alike() -> None:
    params = Params.read("symbol=pf_xbtusd", b"size=1&reduceOnly=True")
    assert params.symbol() == "PF_XBTUSD"
    assert params.number("size") == 1
    assert params.flag("reduceOnly") is True


def test_repeated_names_and_commas_are_lists() -> None:
    params = Params.read("orderIds=a&orderIds=b", b"orderIds=c,d")
    assert params.all("orderIds") == ["a", "b", "c", "d"]


def test_raw_json_of_a_batch_is_read_as_it_is() -> None:
    raw = b'json={"batchOrder":[{"order":"cancel","cliOrdId":"a&b=c+d%20"}]}&processBefore=2026-11-22T12:00:00Z'
    params = Params.read("", raw)
    assert parse_json(params.required("json"))["batchOrder"][0]["cliOrdId"] == "a&b=c+d%20"
    assert params.moment("processBefore") == NOW


def test_encoded_json_of_a_batch_is_decoded() -> None:
    params = Params.read("", b"json=%7B%22batchOrder%22%3A%5B%5D%7D")
    assert parse_json(params.required("json")) == {"batchOrder": []}


@pytest.mark.parametrize("body", [b"\xff\xfe", b"a=%ff"])
def test_bytes_that_are_no_text_are_refused(body: bytes) -> None:
    with pytest.raises(Answer) as caught:
        Params.read("", body)
    assert b"invalidArgument" in _said(caught.value)


@pytest.mark.parametrize("value", ["NaN", "Infinity", "1e999", "abc", "9" * 41, "0x10"])
def test_a_number_that_is_none_is_refused(value: str) -> None:
    with pytest.raises(Answer) as caught:
        Params({"size": [value]}).number("size")
    assert (caught.value.status, b"Argument invalid: size" in _said(caught.value)) == (400, True)


@pytest.mark.parametrize("value", ['{"a":', "[" * 100_000, "NaN", ""])
def test_broken_json_is_krakens_json_parse_error(value: str) -> None:
    with pytest.raises(Answer) as caught:
        parse_json(value)
    assert b"Json Parse Error" in _said(caught.value)


@pytest.mark.parametrize("value", ["2026-11-22T12:00:00.000Z", "2026-11-22T12:00:00Z", "2026-11-22T12:00:00+00:00"])
def test_times_with_and_without_milliseconds_are_read(value: str) -> None:
    assert Params({"t": [value]}).moment("t") == NOW


@pytest.mark.parametrize("value", ["yesterday", "2026-13-01T00:00:00Z", "0001-01-01T00:00:00+23:59"])
def test_a_time_that_is_none_is_refused(value: str) -> None:
    with pytest.raises(Answer):
        Params({"t": [value]}).moment("t")


@pytest.mark.parametrize("value", ["-1", "1.5", "1e3", "--1", "9" * 30])
def test_a_count_that_is_none_is_refused(value: str) -> None:
    with pytest.raises(Answer):
        Params({"count": [value]}).whole("count", least=1)


def test_numbers_are_printed_plainly() -> None:
    assert str(plain(Decimal("8.40E+4"))) == "84000"
    assert text(Decimal("0.000001000")) == "0.000001"
    assert text(Decimal("0E-20")) == "0"


def test_server_time_drops_trailing_zeros() -> None:
    assert iso(NOW) == "2026-11-22T12:00:00Z"
    assert iso(NOW.replace(microsecond=980_000)) == "2026-11-22T12:00:00.98Z"
    assert iso(NOW.replace(microsecond=34_999)) == "2026-11-22T12:00:00.034Z"
