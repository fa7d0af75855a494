"""Reads one raw record field by field and remembers what nobody asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar, overload

from krakenfutures.errors import Unreadable
from krakenfutures.numbers import to_decimal, to_time
from krakenfutures.values import Unknown

T = TypeVar("T")
Raw = Mapping[str, Any]


class Fields:
    """A field may be asked for under several names, for the two spellings Kraken uses.

    `need_…` raise `Unreadable` when it is missing; the others answer None. What is left at the end, and every word
    that was not in its table, is `unknown()`.
    """

    def __init__(self, raw: object, what: str) -> None:
        if not isinstance(raw, dict):
            raise Unreadable(f"{what}: expected an object, got {type(raw).__name__}")
        self._raw: dict[str, Any] = raw
        self._what = what
        self._seen: set[str] = set()
        self._odd: Unknown = {}

    def items(self) -> Iterator[tuple[str, Any]]:
        """Everything as it came; nothing of it counts as known."""
        yield from self._raw.items()

    def take(self, *names: str) -> Any:
        """The first of these that is there and not null; all of them count as known."""
        self._seen.update(names)
        for name in names:
            value = self._raw.get(name)
            if value is not None:
                return value
        return None

    def need(self, *names: str) -> Any:
        value = self.take(*names)
        if value is None:
            raise Unreadable(f"{self._what} has no {names[0]}")
        return value

    def ignore(self, *names: str) -> None:
        """Known, and of no use to us."""
        self._seen.update(names)

    def need_text(self, *names: str) -> str:
        return str(self.need(*names))

    def text(self, *names: str) -> str | None:
        value = self.take(*names)
        return None if value is None or value == "" else str(value)

    def need_decimal(self, *names: str) -> Decimal:
        return to_decimal(self.need(*names))

    def decimal(self, *names: str) -> Decimal | None:
        value = self.take(*names)
        return None if value is None or value == "" else to_decimal(value)

    def nonzero(self, *names: str) -> Decimal | None:
        """A decimal for which the venue writes 0 when it means "none"."""
        return self.decimal(*names) or None

    def integer(self, *names: str) -> int | None:
        value = self.decimal(*names)
        return None if value is None else int(value)

    def flag(self, *names: str) -> bool:
        """True, or the text of it in any case; missing is false."""
        value = self.take(*names)
        return value is True or (isinstance(value, str) and value.lower() == "true")

    def need_time(self, *names: str) -> datetime:
        return to_time(self.need(*names))

    def time(self, *names: str) -> datetime | None:
        value = self.take(*names)
        return None if value in (None, "", 0, "0") else to_time(value)

    @overload
    def word(self, table: Mapping[str, T], *names: str) -> T | None: ...
    @overload
    def word(self, table: Mapping[str, T], *names: str, otherwise: T) -> T: ...
    def word(self, table: Mapping[str, T], *names: str, otherwise: T | None = None) -> T | None:
        """The meaning of an enum word. One that is not in the table is kept as unknown and means `otherwise`."""
        value = self.take(*names)
        if value is None:
            return otherwise
        if isinstance(value, str) and value in table:
            return table[value]
        self.keep(next(name for name in names if self._raw.get(name) is not None), value)
        return otherwise

    def rows(self, *names: str) -> Iterator[Any]:
        """The members of a list; a missing one has none."""
        value = self.take(*names)
        if value is None:
            return iter(())
        if not isinstance(value, list):
            raise Unreadable(f"{self._what}: {names[0]} is not a list")
        return iter(value)

    def keep(self, name: str, value: object) -> None:
        """Put aside what we could not read, as it came."""
        self._odd[name] = value

    def unknown(self) -> Unknown:
        left = {name: value for name, value in self._raw.items() if name not in self._seen}
        return {**left, **self._odd} if left or self._odd else {}


def mapping_of(raw: object, what: str) -> dict[str, Any]:
    """An object whose keys are data (currencies, accounts); a missing one is empty."""
    if raw is None:
        return {}
    if not isinstance(raw, dict):
        raise Unreadable(f"{what}: expected an object, got {type(raw).__name__}")
    return raw


def rows_of(raw: object, name: str, parse: Callable[[Any], T]) -> list[T]:
    """Parses a whole answer that holds one list."""
    return [parse(row) for row in Fields(raw, "the answer").rows(name)]
