"""Who sits at the browser. Sessions live in memory: after a restart people sign in again."""

from __future__ import annotations

import hmac
import secrets
import time
from collections import OrderedDict
from dataclasses import dataclass, field

from aiohttp import web

COOKIE = "demovenue"
LIFETIME = 12 * 3600  # seconds
MOST = 10_000


@dataclass(slots=True)
class Session:
    account: str | None = None
    csrf: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    started: float = field(default_factory=time.monotonic)


class Sessions:
    def __init__(self) -> None:
        self._all: OrderedDict[str, Session] = OrderedDict()

    def of(self, request: web.Request) -> tuple[str, Session]:
        """The browser's session and its token; a new one when it has none or an old one."""
        token = request.cookies.get(COOKIE, "")
        session = self._all.get(token)
        if session is None or time.monotonic() - session.started > LIFETIME:
            return self.start()
        return token, session

    def start(self, account: str | None = None) -> tuple[str, Session]:
        """A fresh token: also at sign-in, so that a token planted before it is worth nothing."""
        token, session = secrets.token_urlsafe(32), Session(account)
        self._all[token] = session
        if len(self._all) > MOST:
            self._all.popitem(last=False)
        return token, session

    def end(self, token: str) -> None:
        self._all.pop(token, None)


def set_cookie(response: web.StreamResponse, token: str) -> None:
    response.set_cookie(COOKIE, token, httponly=True, samesite="Strict", max_age=LIFETIME, path="/")


def is_genuine(session: Session, given: str) -> bool:
    return hmac.compare_digest(session.csrf.encode(), given.encode())
