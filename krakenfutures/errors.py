"""What can go wrong between us and a venue, sorted by what the caller does next."""

from __future__ import annotations


class KrakenError(Exception):
    """Anything a venue, or the way to it, can answer instead of what was asked."""


class Unreachable(KrakenError):
    """No answer: it may have happened. Never send a write again because of this; look it up."""


class Throttled(KrakenError):
    """Too fast, and nothing happened. Wait `retry_after` seconds, then send again."""

    def __init__(self, message: str, *, retry_after: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Refused(KrakenError):
    """Kraken said no. `code` is Kraken's own word, `sentence` is for people."""

    def __init__(self, code: str, sentence: str, *, field: str | None = None) -> None:
        super().__init__(f"{sentence} ({code})")
        self.code = code
        self.sentence = sentence
        self.field = field


class Unreadable(KrakenError):
    """An answer we do not know. It may have happened, so a write treats it like `Unreachable`."""
