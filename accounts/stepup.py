"""Step-up: what moves money, keys or rights wants a proof of the person that is minutes old, not the morning's.

Whoever has a second factor proves it with that one (an authenticator app, a passkey, a recovery code); their password
alone is then never enough. Whoever has none types the password again. A desk may insist on a second factor: then
the middleware lets nobody without one get this far.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Any

from allauth.account.authentication import get_authentication_records
from allauth.account.internal.flows.login import record_authentication
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, QueryDict
from django.shortcuts import resolve_url

from accounts.factors import has_second_factor
from accounts.models import User

View = Callable[..., HttpResponseBase]
__all__ = ["Factor", "ask", "fresh_factor", "fresh_for", "has_second_factor", "note_password", "require_fresh_factor"]

PASSWORD = "password"  # noqa: S105 - the name of a method


KEPT = "typed"  # in the session: what a form held when the proof was too old
SECRET = re.compile(r"secret|private|password|key|token|code", re.I)  # never kept, whoever names a field so
LONGEST = 2000  # characters of a field


@dataclass(frozen=True, slots=True)
class Factor:
    """How and when a person proved who they are, for the page and for the book."""

    kind: str  # "password", "totp", "webauthn", "recovery_codes"
    at: datetime

    @property
    def is_second(self) -> bool:
        return self.kind != PASSWORD


def fresh_for() -> timedelta:
    """How old a proof may be (`KFWEB_STEP_UP_SECONDS`)."""
    return timedelta(seconds=settings.STEP_UP_SECONDS)


def note_password(request: HttpRequest, user: User) -> None:
    """The person has just chosen or given their password on a page of ours, and was signed in by it."""
    record_authentication(request, user, method=PASSWORD)


def fresh_factor(request: HttpRequest) -> Factor | None:
    """The newest proof of this session that is strong enough for this person and young enough, if there is one."""
    user = request.user
    if not isinstance(user, User):
        return None
    records = get_authentication_records(request, user)
    wanted = "mfa" if has_second_factor(user) else PASSWORD
    proofs = [record for record in records if record.get("method") == wanted]
    if not proofs:
        return None
    newest = max(proofs, key=lambda record: record["at"])
    age = time.time() - newest["at"]
    if not 0 <= age < fresh_for().total_seconds():  # a time to come is no proof either
        return None
    return Factor(str(newest.get("type", PASSWORD)), datetime.fromtimestamp(newest["at"], UTC))


def require_fresh_factor(view: View | None = None, *, back: str | None = None) -> Any:
    """Ask for a fresh factor before the view runs, for reading its form as for sending it.

    Without one nothing is done: the person proves themselves and comes back to the page (a view that takes no GET
    names another one in `back`), where what they typed stands again, secrets excepted. Use `fresh_factor(request)`
    inside to write down how.
    """

    def decorate(function: View) -> View:
        @wraps(function)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if fresh_factor(request) is None:
                return ask(request, back=back)
            return function(request, *args, **kwargs)

        return guarded

    return decorate(view) if view is not None else decorate


def ask(request: HttpRequest, *, back: str | None = None) -> HttpResponse:
    """Off to the page that takes a factor, and back to where the person was."""
    query = QueryDict(mutable=True)
    query[REDIRECT_FIELD_NAME] = resolve_url(back) if back else request.get_full_path()
    address = f"{resolve_url('account_reauthenticate')}?{query.urlencode(safe='/')}"
    if request.method != "GET":
        messages.warning(
            request,
            "Nothing was done yet: confirm that it is you, then do it again. What you typed is kept, but for secrets.",
        )
        request.session[KEPT] = {
            "path": resolve_url(back) if back else request.path,
            "fields": _harmless(request.POST),
        }
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204, headers={"HX-Redirect": address})
    return HttpResponseRedirect(address)


def typed_before(request: HttpRequest) -> dict[str, list[str]]:
    """What this page's form held when the person was sent off to prove themselves. Told once."""
    kept = request.session.get(KEPT)
    if not kept or request.method != "GET" or kept["path"] != request.path:
        return {}
    del request.session[KEPT]
    fields: dict[str, list[str]] = kept["fields"]
    return fields


def _harmless(typed: QueryDict) -> dict[str, list[str]]:
    return {name: [one[:LONGEST] for one in values] for name, values in typed.lists() if not SECRET.search(name)}
