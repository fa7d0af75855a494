"""The door of the API: who asks, with which token, how often, and in which words."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

import structlog
from allauth.account.adapter import get_adapter
from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import HttpRequest, HttpResponseBase
from ninja.security import HttpBearer

from accounts.actions.tokens import note_use, token_in_force
from accounts.models import ApiToken, Desk, User
from accounts.rights import API, require
from accounts.throttle import Allowance, wait_for
from trading.api.problems import Refusal, problem

View = Callable[..., HttpResponseBase]

WRITING = frozenset({"POST", "PUT", "PATCH"})
OPENS_NOTHING = (
    "This token opens nothing: it is unknown, revoked or expired, or its owner is not on the desk now, or lacks the"
    " second factor the desk asks for."
)


class Asking(HttpRequest):
    """A request that has shown its token."""

    auth: ApiToken

    @property
    def desk(self) -> Desk:
        return self.auth.desk


class TokenAuth(HttpBearer):
    """Reads the header and nothing else. Raises `Refusal` or `NoRight`; a refusal gives nothing away."""

    def authenticate(self, request: HttpRequest, token: str) -> ApiToken:
        found = token_in_force(token.strip())
        if found is None:
            raise Refusal(401, "unauthorized", OPENS_NOTHING)
        structlog.contextvars.bind_contextvars(via=f"token:{found.pk}")
        if wait := wait_for(f"token:{found.pk}", _allowance()):
            sentence = f"This token calls too often. Nothing was done; again in {wait:.1f} s."
            raise Refusal(429, "too_many_calls", sentence, wait=wait)
        assert request.resolver_match is not None
        call = API[f"{request.method} {request.resolver_match.url_name}"]
        if call.scope not in found.scopes:
            raise Refusal(403, "scope", f"This token was not made for that: it lacks the scope “{call.scope}”.")
        require(found.user, found.desk, call.right)
        note_use(found, _address(request))
        return found


def _address(request: HttpRequest) -> str | None:
    """Where a call came from, for the list of tokens; None behind a proxy that does not say."""
    try:
        address: str = get_adapter().get_client_ip(request)
    except PermissionDenied:
        return None
    return address


def _allowance() -> Allowance:
    per_minute = settings.API_CALLS_PER_MINUTE
    return Allowance(burst=max(1, per_minute // 2), per_minute=per_minute)


def person_of(request: HttpRequest) -> User:
    return cast(Asking, request).auth.user


def desk_of(request: HttpRequest) -> Desk:
    return cast(Asking, request).auth.desk


def edge(view: View) -> View:
    """What must be right before a call is read, said in the API's own words; and no answer is ever kept by a cache."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = _wrong_form(request) or view(request, *args, **kwargs)
        if response.status_code == 405 and "json" not in response["Content-Type"]:
            response = _no_such_method(request, response)
        response["Cache-Control"] = "no-store"
        return response

    guarded.login_required = False  # type: ignore[attr-defined]  # a token is asked for instead
    guarded.csrf_exempt = True  # type: ignore[attr-defined]  # no cookie opens anything here
    return guarded


def _wrong_form(request: HttpRequest) -> HttpResponseBase | None:
    try:
        body = request.body
    except RequestDataTooBig:
        most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        return problem(413, "too_large", f"A call may carry {most:,} bytes.")
    if body and request.method in WRITING and request.content_type != "application/json":
        return problem(415, "media_type", "Send JSON, and say so: Content-Type: application/json.")
    return None


def _no_such_method(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    allowed = response["Allow"]
    told = problem(405, "method", f"This address takes {allowed}, not {request.method}.")
    told["Allow"] = allowed
    return told


@edge
def unknown(_request: HttpRequest, *_args: object, **_kwargs: object) -> HttpResponseBase:
    return problem(404, "not_found", "There is no such address. What there is: /api/v1/openapi.json")
