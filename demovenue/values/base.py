"""The shape of every value."""

from __future__ import annotations

import msgspec


class Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A frozen record; `msgspec.json` writes decimals as strings and times as ISO 8601, and leaves out defaults."""


class Refused(Exception):
    """The exchange says no. `word` is Kraken's own (`insufficientFunds`), `number` is for preferences (87 …)."""

    def __init__(self, word: str, number: int | None = None) -> None:
        super().__init__(word)
        self.word = word
        self.number = number
