"""How answers are written: one encoder, Kraken's spelling of times and numbers, and its error shapes.

The letters are those of the protocol reference: every refusal of the real venue is one of them.
"""

from __future__ import annotations

import functools
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
from aiohttp import web

_encoder = msgspec.json.Encoder(decimal_format="number")

HTTP_WORDS = {400: "BAD_REQUEST", 403: "FORBIDDEN", 404: "NOT_FOUND", 500: "INTERNAL_SERVER_ERROR"}


def encode(value: object) -> bytes:
    """JSON with decimals as numbers, exactly as many digits as they have."""
    return _encoder.encode(value)


def plain(value: Decimal) -> Decimal:
    """The same number without trailing zeros and without an exponent for whole numbers: 8.40E+4 becomes 84000."""
    trimmed = value.normalize()
    exponent = trimmed.as_tuple().exponent
    return trimmed.quantize(Decimal(1)) if isinstance(exponent, int) and exponent > 0 else trimmed


def text(value: Decimal) -> str:
    """A decimal string in plain notation, as the history and charts print them."""
    return format(plain(value), "f")


def optional_text(value: Decimal | None) -> str:
    return "" if value is None else text(value)


def iso(moment: datetime) -> str:
    """Milliseconds with trailing zeros dropped, as live servers print `serverTime`: …:46.98Z, …:34Z."""
    return iso_millis(moment)[:-1].rstrip("0").removesuffix(".") + "Z"


@functools.lru_cache(maxsize=256)
def iso_millis(moment: datetime) -> str:
    """Always three digits, as order and fill times are recorded. One answer says the same moment several times."""
    return _utc(moment).isoformat(timespec="milliseconds")[:23] + "Z"


def iso_micros(moment: datetime) -> str:
    """Six digits: only the ticker's `lastTime` is that precise."""
    return _utc(moment).isoformat(timespec="microseconds")[:26] + "Z"


def _utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo is UTC else moment.astimezone(UTC)


def millis(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


class Answer(Exception):
    """A refusal on its way out: raised anywhere below a handler, written by the doorkeeper."""

    def __init__(self, body: Callable[[datetime], bytes], status: int = 200) -> None:
        super().__init__(status)
        self.body = body
        self.status = status
        self.headers: dict[str, str] = {}
        self.content_type = "application/json"


def success(now: datetime, fields: Mapping[str, Any]) -> bytes:
    return encode({"result": "success", **fields, "serverTime": iso(now)})


def refusal(code: str) -> Answer:
    """Shape a: understood, and no."""
    return Answer(lambda now: encode({"result": "error", "serverTime": iso(now), "error": code}))


def failure(status: int, code: int, message: str) -> Answer:
    """Shapes b to e: the newer handlers, with a number and a message."""
    word = HTTP_WORDS[status]
    errors = [{"code": code, "message": message}]

    def body(now: datetime) -> bytes:
        return encode({"status": word, "result": "error", "errors": errors, "serverTime": iso(now)})

    return Answer(body, status)


def invalid_argument(name: str) -> Answer:
    return failure(400, 11, f"Argument invalid: {name}")


def not_found() -> Answer:
    return failure(404, 0, "404 NOT_FOUND")


def bad_request() -> Answer:
    return failure(400, 0, "400 BAD_REQUEST")


def gateway_not_found(path: str) -> Answer:
    """Shape f: a path not even the gateway knows."""

    def body(now: datetime) -> bytes:
        fields = {"timestamp": millis(now), "path": path, "status": 404, "error": "Not Found", "message": ""}
        return encode({**fields, "requestId": uuid.uuid4().hex[:8] + "-1"})

    return Answer(body, 404)


def history_unauthorized() -> Answer:
    reason = "You are not authorized to access this endpoint."
    return Answer(lambda _: encode({"status": "unauthorized", "reason": reason}), 401)


def history_exhausted(seconds: float) -> Answer:
    answer = plain_words("Rate limit exceeded", 429)
    answer.headers["rate-limit-reset"] = str(max(1, round(seconds)))
    return answer


def keycheck_unauthorized(message: str = "authentication failed") -> Answer:
    body = {"error": "Unauthorized", "message": message, "suberror": None}
    return Answer(lambda _: encode(body), 401)


def plain_words(words: str, status: int) -> Answer:
    """Shape j: the charts and the history pool speak plain text."""
    answer = Answer(lambda _: words.encode(), status)
    answer.content_type = "text/plain"
    return answer


def respond(
    body: bytes,
    *,
    status: int = 200,
    content_type: str = "application/json",
    headers: Mapping[str, str] | None = None,
) -> web.Response:
    return web.Response(body=body, status=status, content_type=content_type, headers=headers)
