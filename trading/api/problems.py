"""Every refusal of the API, in one shape: `{"error", "message", "field"?}`."""

from __future__ import annotations

import logging
import math
from typing import Any

from django.http import Http404, HttpRequest, JsonResponse
from ninja import NinjaAPI, Schema
from ninja.errors import AuthenticationError, HttpError, ValidationError

from accounts.rights import NoRight
from accounts.rules import NotAllowed

log = logging.getLogger(__name__)

STATUS_OF = {  # of the codes that say more than "this cannot be done as you wrote it", which is 422
    "role": 403,
    "ticket_taken": 409,
    "key_reused": 409,
    "halted": 409,
    "moved": 409,
    "no_key": 409,
    "read_only_key": 409,
    "throttled": 429,
    "key": 503,
    "store": 503,
    "unread": 503,
    "vault": 503,
    "venue": 503,
}
SHOW_ONE = "Send a token in the header Authorization: Bearer TOKEN. A session or an address opens nothing here."
MISSING, EXTRA = "missing", "extra_forbidden"


class Problem(Schema):
    """What went wrong: a word for programs, a sentence for people, and the field to blame if there is one."""

    error: str
    message: str
    field: str | None = None


class Refusal(Exception):
    """A refusal of the edge itself."""

    def __init__(
        self, status: int, error: str, message: str, *, field: str | None = None, wait: float | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.error, self.message, self.field, self.wait = status, error, message, field, wait


def problem(
    status: int, error: str, message: str, *, field: str | None = None, wait: float | None = None
) -> JsonResponse:
    body = {"error": error, "message": message} | ({"field": field} if field else {})
    response = JsonResponse(body, status=status)
    if wait is not None:
        response["Retry-After"] = str(max(1, math.ceil(wait)))
    if status == 401:
        response["WWW-Authenticate"] = 'Bearer realm="kfweb"'
    return response


def handle_with(api: NinjaAPI) -> None:
    """Teach the API to say all of them."""
    api.exception_handler(Refusal)(_refusal)
    api.exception_handler(NotAllowed)(_not_allowed)
    api.exception_handler(NoRight)(_no_right)
    api.exception_handler(ValidationError)(_invalid)
    api.exception_handler(AuthenticationError)(_unauthenticated)
    api.exception_handler(HttpError)(_unreadable)
    api.exception_handler(Http404)(_not_found)
    api.exception_handler(Exception)(_failure)


def _refusal(_request: HttpRequest, refusal: Refusal) -> JsonResponse:
    return problem(refusal.status, refusal.error, refusal.message, field=refusal.field, wait=refusal.wait)


def _not_allowed(_request: HttpRequest, refusal: NotAllowed) -> JsonResponse:
    status = STATUS_OF.get(refusal.code, 422)
    wait = 1.0 if status in {429, 503} else None
    return problem(status, refusal.code, refusal.reason, field=refusal.field, wait=wait)


def _no_right(_request: HttpRequest, refusal: NoRight) -> JsonResponse:
    return problem(403, refusal.code, refusal.reason)


def _unauthenticated(_request: HttpRequest, _error: AuthenticationError) -> JsonResponse:
    return problem(401, "unauthorized", SHOW_ONE)


def _unreadable(_request: HttpRequest, error: HttpError) -> JsonResponse:
    """What ninja itself raises: a body that is no JSON."""
    return problem(error.status_code, "unreadable", "The body is no JSON.")


def _not_found(_request: HttpRequest, _error: Http404) -> JsonResponse:
    return problem(404, "not_found", "There is no such thing, or it is not yours to see.")


def _invalid(_request: HttpRequest, errors: ValidationError) -> JsonResponse:
    first = errors.errors[0]
    field = _field(first["loc"])
    return problem(422, "invalid", f"{field}: {_sentence(first)}" if field else _sentence(first), field=field)


def _field(place: tuple[Any, ...]) -> str | None:
    """`("body", "wish", "size")` is `size`: where it came from and the name of our argument say nothing to callers."""
    source, *inner = place
    names = [str(part) for part in (inner[1:] if source == "body" else inner[-1:])]
    return ".".join(names) or None


def _sentence(error: dict[str, Any]) -> str:
    if error["type"] == MISSING:
        return "This is missing."
    if error["type"] == EXTRA:
        return "There is no such field."
    return str(error["msg"]).removeprefix("Value error, ").rstrip(".") + "."


def _failure(_request: HttpRequest, error: Exception) -> JsonResponse:
    log.error("a call of the API failed", exc_info=error)
    message = "Something of ours failed; it is in the log. Ask for what you sent before you send it again."
    return problem(500, "failed", message)
