"""Batches as people write them: read whole or refused with the line and the field, and ladders that add up."""

from __future__ import annotations

from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krakenfutures.contracts import price_violation, size_violation
from krakenfutures.values import OrderType, Side, TriggerSignal
from tests.trading.desk import PF_XBTUSD, PI_XBTUSD
from trading.batch_lines import MOST_LINES, Line, WrongLine, ladder, parse_lines, read_line


def test_plain_rows_need_no_header_and_skip_what_is_empty() -> None:
    read = parse_lines("# mine\nPF_XBTUSD, buy, limit, 0.1, 59000\n\npi_xbtusd,sell,mkt,500,,,yes\n")
    assert read.errors == ()
    assert read.lines == (
        Line(number=2, symbol="PF_XBTUSD", side=Side.BUY, type=OrderType.LIMIT, size=D("0.1"), limit_price=D(59000)),
        Line(number=4, symbol="PI_XBTUSD", side=Side.SELL, type=OrderType.MARKET, size=D(500), reduce_only=True),
    )


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_header_names_the_columns_in_any_order_and_the_words_of_other_programs(separator: str) -> None:
    rows = [
        ["Qty", "Symbol", "Side", "Order Type", "Price", "Trigger", "Signal"],
        ["0.1", "PF_XBTUSD", "SELL", "stop", "", "58 000", "index"],
    ]
    read = parse_lines("\n".join(separator.join(row) for row in rows))
    assert read.errors == ()
    assert read.lines[0].stop_price == D(58000)
    assert (read.lines[0].type, read.lines[0].trigger_signal) == (OrderType.STOP, TriggerSignal.INDEX)


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ("PF_XBTUSD,maybe,limit,0.1,59000", "side"),
        ("PF_XBTUSD,buy,hope,0.1,59000", "type"),
        ("PF_XBTUSD,buy,limit,,59000", "size"),
        ("PF_XBTUSD,buy,limit,0,59000", "size"),
        ("PF_XBTUSD,buy,limit,1e5,59000", "size"),
        ("PF_XBTUSD,buy,limit,-1,59000", "size"),
        ("PF_XBTUSD,buy,limit,nan,59000", "size"),
        ("PF_XBTUSD,buy,limit,0.1,59k", "limit_price"),
        ("PF_XBTUSD,buy,stop,0.1,,x", "stop_price"),
        ("PF_XBTUSD,buy,limit,0.1,59000,,perhaps", "reduce_only"),
        (",buy,limit,0.1,59000", "symbol"),
        ("=cmd(),buy,limit,0.1,59000", "symbol"),
        ("PF_XBTUSD,buy,limit,0.1,59000,,no,surplus", ""),
    ],
)
def test_each_mistake_names_its_line_and_its_field(row: str, field: str) -> None:
    read = parse_lines(f"PF_XBTUSD,buy,limit,0.1,59000\n{row}")
    assert len(read.lines) == 1
    assert [(error.line, error.field) for error in read.errors] == [(2, field)]
    assert read.errors[0].sentence


def test_a_line_tells_everything_that_is_wrong_with_it() -> None:
    line, errors = read_line(7, {"symbol": "PF_XBTUSD", "side": "up", "size": "much"})
    assert line is None
    assert [(error.line, error.field) for error in errors] == [(7, "side"), (7, "size")]


def test_an_unknown_column_and_too_many_lines_are_told() -> None:
    assert [e.field for e in parse_lines("symbol,side,size,colour\nPF_XBTUSD,buy,1,red").errors] == ["colour"]
    assert parse_lines("PF_XBTUSD,buy,limit,1,5\n" * (MOST_LINES + 1)).errors[0].line == 0


def test_a_ladder_goes_evenly_from_the_first_price_to_the_last() -> None:
    lines = ladder(PF_XBTUSD, side=Side.BUY, size=D(1), first=D(60000), last=D(58000), count=3)
    assert [(line.limit_price, line.size) for line in lines] == [
        (D(60000), D("0.3334")), (D(59000), D("0.3333")), (D(58000), D("0.3333")),
    ]  # fmt: skip
    rising = ladder(PI_XBTUSD, side=Side.SELL, size=D(600), first=D(60000), last=D(62000), count=3, shape="rising")
    assert [line.size for line in rising] == [D(100), D(200), D(300)]
    falling = ladder(PI_XBTUSD, side=Side.SELL, size=D(600), first=D(60000), last=D(62000), count=3, shape="falling")
    assert [line.size for line in falling] == [D(300), D(200), D(100)]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"count": 0}, "count"),
        ({"count": 201}, "count"),
        ({"size": D("0.0002")}, "size"),
        ({"size": D(0)}, "size"),
        ({"last": D(60001)}, "count"),
        ({"first": D(-1)}, "first"),
    ],
)
def test_a_ladder_that_cannot_be_is_refused(changes: dict[str, D], field: str) -> None:
    wish = {"size": D(1), "first": D(60000), "last": D(58000), "count": 3}
    with pytest.raises(WrongLine) as wrong:
        ladder(PF_XBTUSD, side=Side.BUY, **{**wish, **changes})  # type: ignore[arg-type]
    assert wrong.value.field == field


@given(
    size=st.decimals("0.1", "500", places=5),
    first=st.decimals("20000", "40000", places=2),
    width=st.decimals("500", "9000", places=2),
    count=st.integers(1, 40),
    shape=st.sampled_from(["flat", "rising", "falling"]),
)
def test_every_order_of_a_ladder_is_legal_and_together_they_are_what_was_asked_for(
    size: D, first: D, width: D, count: int, shape: str
) -> None:
    last = first + width if count > 1 else first
    try:
        lines = ladder(PF_XBTUSD, side=Side.SELL, size=size, first=first, last=last, count=count, shape=shape)  # type: ignore[arg-type]
    except WrongLine as wrong:
        assert wrong.field == "size" and size / count < D("0.05")
        return
    assert size - PF_XBTUSD.lot < sum(line.size for line in lines) <= size
    for line in lines:
        assert line.limit_price is not None
        assert price_violation(PF_XBTUSD, line.limit_price) is None
        assert size_violation(PF_XBTUSD, line.size) is None
