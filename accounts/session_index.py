"""Middleware: which session is whose, when it was used last, and whether its browser is a new one."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable

import redis
from allauth.account.adapter import get_adapter
from django.http import HttpRequest, HttpResponse

from accounts.actions.sessions import greet_device, note_session
from accounts.models import User
from accounts.session_store import keep_awake
from accounts.store import store

log = logging.getLogger(__name__)

DEVICE = "kfweb_device"  # the cookie
YEAR = 365 * 24 * 3600
READING = frozenset({"GET", "HEAD", "OPTIONS"})
EVERY = 60  # seconds between two notes of the same session
MANY = 10_000

_asked: dict[str, float] = {}  # what of which session: until when the store need not be asked


class SessionIndex:
    """Works after the page, so that a session born of this very request is known before its first use."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        user, key = request.user, request.session.session_key
        if isinstance(user, User) and key and response.status_code < 500:
            response.setdefault("Cache-Control", "no-store")  # nobody's page is left in a browser that others use
            if _is_due(user, key):
                self._note(request, response, user, key)
            if is_by_hand(request) and _is_due(user, key, "awake"):
                keep_awake(request.session)
        return response

    def _note(self, request: HttpRequest, response: HttpResponse, user: User, key: str) -> None:
        address, agent = get_adapter().get_client_ip(request), request.headers.get("User-Agent", "")
        if not note_session(user, key, address=address, agent=agent):
            return
        known = request.COOKIES.get(DEVICE, "")
        token = greet_device(user, known, address=address, agent=agent)
        if token != known:
            response.set_cookie(DEVICE, token, YEAR, secure=request.is_secure(), httponly=True, samesite="Lax")


def is_by_hand(request: HttpRequest) -> bool:
    """Somebody opened a page or did something. What an open page fetches by itself keeps nobody signed in."""
    return request.method not in READING or request.headers.get("Sec-Fetch-Mode", "navigate") == "navigate"


def _is_due(user: User, key: str, what: str = "session") -> bool:
    """Once a minute a session; the store holds only a hash of its key. Without the store it is written every time."""
    now = time.monotonic()
    asked = f"{what}:{key}"
    if now < _asked.get(asked, 0.0):
        return False
    if len(_asked) >= MANY:
        _asked.clear()
    _asked[asked] = now + EVERY
    place = f"kfweb:{what}:{user.pk}:{hashlib.sha256(key.encode()).hexdigest()}"
    try:
        return bool(store().set(place, 1, nx=True, ex=EVERY))
    except redis.RedisError as problem:
        log.warning("the store does not say when a session was noted: %s", type(problem).__name__)
        return True
