"""When an answer is an error: each of its ten shapes becomes one of our four words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from krakenfutures.errors import KrakenError, Refused, Throttled, Unreachable, Unreadable
from krakenfutures.numbers import to_decimal
from krakenfutures.sentences import field_of, sentence

# Kraken's own trouble: whether the request was carried out is not said.
UNCERTAIN = frozenset({"Server Error", "unknownError", "Unavailable", "unavailable", "INTERNAL_SERVER_ERROR"})
# Numbers of the settings calls, which answer HTTP 500 for what is plainly a refusal.
SETTING_CODES = {
    41: "WOULD_CAUSE_LIQUIDATION",
    87: "CONTRACT_DOES_NOT_EXIST",
    88: "NOT_MULTI_COLLATERAL_CONTRACT",
    89: "CURRENCY_DOES_NOT_EXIST",
    90: "CURRENCY_DOES_NOT_EXIST",
    92: "INSUFFICIENT_MARGIN",
}


def error_in(status: int, headers: Mapping[str, str], answer: Any) -> KrakenError | None:
    """The error an answer means, or None when it is a success. `answer` is None when it was not JSON."""
    if status == 429:
        return Throttled(sentence("apiLimitExceeded"), retry_after=_wait(headers))
    code = _code(answer)
    if code is not None:
        return _error(code, headers)
    if status in (401, 403):
        return _refused("authenticationError")
    if status >= 500:
        return Unreachable(f"Kraken answered HTTP {status}: it has trouble of its own.")
    if status >= 400:
        return _refused("NOT_FOUND" if status == 404 else "BAD_REQUEST")
    if status >= 300:
        return Unreadable(f"This address answers HTTP {status} and points elsewhere; it is not Kraken's API.")
    return None if answer is not None else Unreadable("The answer is not JSON.")


def _code(answer: Any) -> str | None:
    """Kraken's own word for what is wrong, out of whichever shape it came in."""
    if not isinstance(answer, dict):
        return None
    if answer.get("status") == "unauthorized" or "suberror" in answer:
        return "authenticationError"
    if answer.get("result") != "error":
        return None
    error = answer.get("error")
    if isinstance(error, str) and error:
        return error
    errors = answer.get("errors")
    first = errors[0] if isinstance(errors, list) and errors else None
    if isinstance(first, str):
        return first
    if isinstance(first, dict):
        return _numbered(first, str(answer.get("status") or "BAD_REQUEST"))
    return str(answer.get("status") or "unknownError")


def _numbered(error: dict[str, Any], status: str) -> str:
    number, message = error.get("code"), str(error.get("message") or "")
    if isinstance(number, int) and number in SETTING_CODES:
        return SETTING_CODES[number]
    if message.startswith("Argument invalid"):
        return "invalidArgument" + message.removeprefix("Argument invalid")
    return status if message[:3].isdigit() or not message else f"{status}: {message}"


def _error(code: str, headers: Mapping[str, str]) -> KrakenError:
    if code == "apiLimitExceeded":
        return Throttled(sentence(code), retry_after=_wait(headers))
    if code.partition(":")[0] in UNCERTAIN:
        return Unreachable(sentence(code))
    return _refused(code)


def _refused(code: str) -> Refused:
    return Refused(code, sentence(code), field=field_of(code))


def _wait(headers: Mapping[str, str]) -> float:
    """Seconds, from either header the venue uses; 1 when it says nothing readable."""
    text = headers.get("Retry-After") or headers.get("rate-limit-reset") or "1"
    try:
        return max(0.0, float(to_decimal(text)))
    except Unreadable:  # Retry-After may be a date; a second is a fair first guess
        return 1.0
