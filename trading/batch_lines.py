"""Batches as people write them: pasted rows, CSV, or a ladder. Pure; every mistake names its line and its field."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Literal

from krakenfutures.contracts import round_price, round_size_down
from krakenfutures.numbers import plain
from krakenfutures.values import Instrument, NewOrder, OrderType, Side, TriggerSignal, Value

MOST_LINES = 200
COLUMNS = ("symbol", "side", "type", "size", "limit_price", "stop_price", "reduce_only")  # where there is no header
ALIASES = {
    "contract": "symbol", "instrument": "symbol", "market": "symbol", "ordertype": "type", "order_type": "type",
    "qty": "size", "quantity": "size", "amount": "size", "price": "limit_price", "limit": "limit_price",
    "limitprice": "limit_price", "stop": "stop_price", "trigger": "stop_price", "stopprice": "stop_price",
    "trigger_price": "stop_price", "reduceonly": "reduce_only", "reduce": "reduce_only", "signal": "trigger_signal",
    "deviation": "trailing_deviation", "unit": "trailing_unit",
}  # fmt: skip
KNOWN = {*COLUMNS, "trigger_signal", "trailing_deviation", "trailing_unit"}
TYPES = {
    "lmt": OrderType.LIMIT, "mkt": OrderType.MARKET, "stp": OrderType.STOP, "trailing": OrderType.TRAILING_STOP,
    "tp": OrderType.TAKE_PROFIT, **{one.value: one for one in OrderType if one is not OrderType.UNKNOWN},
}  # fmt: skip
SIDES = {"buy": Side.BUY, "b": Side.BUY, "long": Side.BUY, "sell": Side.SELL, "s": Side.SELL, "short": Side.SELL}
YES, NO = {"yes", "y", "true", "1", "x", "reduce-only"}, {"", "no", "n", "false", "0"}
NUMBER = re.compile(r"(\d+\.?\d*|\.\d+)")
SPACES = re.compile("[\\s\N{FIGURE SPACE}\N{THIN SPACE}\N{NARROW NO-BREAK SPACE}]")
Shape = Literal["flat", "rising", "falling"]


class Line(Value, frozen=True):
    """One order of a batch, as written: whether the contract allows it is checked later."""

    number: int  # of the line in what was written, from 1
    symbol: str
    side: Side
    type: OrderType
    size: Decimal
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trigger_signal: TriggerSignal | None = None
    reduce_only: bool = False
    trailing_deviation: Decimal | None = None
    trailing_unit: str | None = None

    def wish(self, client_id: str) -> NewOrder:
        named = {name: getattr(self, name) for name in self.__struct_fields__ if name != "number"}
        return NewOrder(client_id=client_id, **named)


class LineError(Value, frozen=True):
    line: int
    field: str  # "" where it is of the whole line
    sentence: str


class Parsed(Value, frozen=True):
    lines: tuple[Line, ...]
    errors: tuple[LineError, ...]


class WrongLine(Exception):
    """Something in one line cannot be read."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field
        self.sentence = sentence


def parse_lines(text: str) -> Parsed:
    """Commas, semicolons or tabs between the fields; a header may name them. Empty lines and # are left out."""
    rows = [(number, row) for number, row in _rows(text) if any(row) and not row[0].startswith("#")]
    names: Sequence[str] = COLUMNS
    errors: list[LineError] = []
    if rows and _is_header(rows[0][1]):
        number, header = rows.pop(0)
        names = [_name(word) for word in header]
        unknown = [word for word, name in zip(header, names, strict=True) if name not in KNOWN]
        errors += [LineError(line=number, field=word, sentence=f"{word!r} is no column here.") for word in unknown]
    lines: list[Line] = []
    for number, row in rows:
        if len(row) > len(names):
            errors.append(LineError(line=number, field="", sentence=f"There are more than {len(names)} fields."))
            continue
        found, wrong = read_line(number, dict(zip(names, row, strict=False)))
        lines += [found] if found else []
        errors += wrong
    if len(lines) > MOST_LINES:
        errors.append(LineError(line=0, field="", sentence=f"A batch has at most {MOST_LINES} orders."))
    return Parsed(lines=tuple(lines), errors=tuple(errors))


def read_line(number: int, fields: Mapping[str, str]) -> tuple[Line | None, list[LineError]]:
    """A row of the builder or of a file; the line, or everything that is wrong with it."""
    words = {name: value.strip() for name, value in fields.items()}
    errors: list[LineError] = []
    values: dict[str, object] = {}
    for name, read in READERS.items():
        try:
            values[name] = read(words.get(name, ""))
        except WrongLine as wrong:
            errors.append(LineError(line=number, field=name, sentence=wrong.sentence))
    return (None, errors) if errors else (Line(number=number, **values), [])  # type: ignore[arg-type]


def ladder(
    instrument: Instrument,
    *,
    side: Side,
    size: Decimal,
    first: Decimal,
    last: Decimal,
    count: int,
    shape: Shape = "flat",
    type: OrderType = OrderType.LIMIT,
    reduce_only: bool = False,
) -> list[Line]:
    """`count` orders from `first` to `last`, of `size` in all: alike, or growing or shrinking towards the last.

    Prices go to the nearest tick, sizes down to the lot, and what that leaves over goes to the largest order, so that
    the sum is `size` rounded down to the lot. Raises `WrongLine` where that makes an order of nothing.
    """
    if not 1 <= count <= MOST_LINES:
        raise WrongLine("count", f"Between 1 and {MOST_LINES} orders.")
    if min(size, first, last) <= 0:
        raise WrongLine("size" if size <= 0 else "first", "Above zero, please.")
    weights = {"flat": [1] * count, "rising": [*range(1, count + 1)], "falling": [*range(count, 0, -1)]}[shape]
    sizes = [round_size_down(instrument, size * weight / sum(weights)) for weight in weights]
    sizes[weights.index(max(weights))] += round_size_down(instrument, size) - sum(sizes)
    if min(sizes) <= 0:
        raise WrongLine("size", f"Too small for {count} orders: the step is {plain(instrument.lot)}.")
    step = (last - first) / (count - 1) if count > 1 else Decimal(0)
    prices = [round_price(instrument, first + step * place) for place in range(count)]
    if len(set(prices)) < count and first != last:
        raise WrongLine("count", f"The prices are closer than the tick of {plain(instrument.tick)}: use fewer orders.")
    return [
        Line(number=number, symbol=instrument.symbol, side=side, type=type, size=part, limit_price=price,
             reduce_only=reduce_only)
        for number, (price, part) in enumerate(zip(prices, sizes, strict=True), start=1)
    ]  # fmt: skip


# --- reading ---------------------------------------------------------------------------------------------------------


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Numbered as in an editor. The separator is the first of tab, semicolon, comma that occurs at all."""
    separator = next((one for one in "\t;," if one in text), ",")
    for number, line in enumerate(text.splitlines(), start=1):
        fields = next(csv.reader(io.StringIO(line), delimiter=separator), [])
        while fields and not fields[-1].strip():
            fields.pop()
        yield number, [field.strip() for field in fields]


def _name(word: str) -> str:
    name = word.strip().lower().replace(" ", "_").replace("-", "_")
    return ALIASES.get(name, name)


def _is_header(row: Sequence[str]) -> bool:
    return {"symbol", "side", "size"} <= {_name(word) for word in row}


def _symbol(word: str) -> str:
    if not re.fullmatch(r"\w{3,40}", word):
        raise WrongLine("symbol", "Which contract?" if not word else f"{word!r} is no contract.")
    return word.upper()


def _side(word: str) -> Side:
    if word.lower() not in SIDES:
        raise WrongLine("side", "Buy or sell?")
    return SIDES[word.lower()]


def _type(word: str) -> OrderType:
    name = word.lower().replace(" ", "_").replace("-", "_")
    if name and name not in TYPES:
        raise WrongLine("type", f"{word!r} is no type of order.")
    return TYPES.get(name, OrderType.LIMIT)


def _number(word: str) -> Decimal | None:
    bare = SPACES.sub("", word)
    if not bare:
        return None
    if len(bare) > 34 or not NUMBER.fullmatch(bare):
        raise WrongLine("", f"{word!r} is not a number; use a point for decimals.")
    return Decimal(bare)


def _size(word: str) -> Decimal:
    size = _number(word)
    if not size:
        raise WrongLine("size", "How much?")
    return size


def _flag(word: str) -> bool:
    if word.lower() not in YES | NO:
        raise WrongLine("reduce_only", "Yes or no?")
    return word.lower() in YES


def _signal(word: str) -> TriggerSignal | None:
    if word and word.lower() not in {one.value for one in TriggerSignal}:
        raise WrongLine("trigger_signal", "Mark, index or last?")
    return TriggerSignal(word.lower()) if word else None


def _unit(word: str) -> str | None:
    if word.lower() not in {"", "percent", "quote"}:
        raise WrongLine("trailing_unit", "Percent or quote?")
    return word.lower() or None


READERS = {
    "symbol": _symbol, "side": _side, "type": _type, "size": _size, "limit_price": _number, "stop_price": _number,
    "trigger_signal": _signal, "reduce_only": _flag, "trailing_deviation": _number, "trailing_unit": _unit,
}  # fmt: skip
