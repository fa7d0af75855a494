"""Pages under ASGI, each request in one step of a thread that lasts.

Django's own handler opens a thread for every request, and with it a new connection to the database, and crosses
between that thread and the event loop for one middleware after the other. Our middleware and views are synchronous
all the way, so a request is handed over once, whole, to threads that keep their connections.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import IO, Any

import django
from django.conf import settings
from django.core import signals
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.core.handlers.base import BaseHandler
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import ResolverMatch, set_script_prefix

THREADS = 32  # made as they are needed: some pages wait for a venue, and must not keep the others waiting

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]


def get_pages() -> Pages:
    """The ASGI application; loads the apps."""
    django.setup(set_prefix=False)
    return Pages()


class Pages(ASGIHandler):
    def __init__(self) -> None:
        BaseHandler.__init__(self)
        self.load_middleware(is_async=False)
        self._found: dict[tuple[str, str | None, str], ResolverMatch] = {}  # at most one for each line of urls.py
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="page")

    def resolve_request(self, request: HttpRequest) -> ResolverMatch:
        """Addresses that hold nothing changing are found once: Django goes through the whole list every time."""
        place = request.path_info, getattr(request, "urlconf", None), settings.ROOT_URLCONF
        match = self._found.get(place)
        if match is None:
            match = super().resolve_request(request)
            if not match.args and not match.kwargs:
                self._found[place] = match
        request.resolver_match = match
        return match

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise ValueError(f"pages are served over http, not over {scope['type']}")
        try:
            body = await self.read_body(receive)
        except RequestAborted:
            return
        response = await self._step(self._respond, scope, body)
        await send({"type": "http.response.start", "status": response.status_code, "headers": _headers(response)})
        if not response.streaming:
            await send({"type": "http.response.body", "body": response.content})
            return
        try:
            parts = iter(response)
            while (part := await self._step(next, parts, None)) is not None:
                await send({"type": "http.response.body", "body": part, "more_body": True})
            await send({"type": "http.response.body"})
        finally:
            await self._step(response.close)

    async def _step(self, action: Callable[..., Any], *arguments: object) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._threads, action, *arguments)

    def _respond(self, scope: Scope, body: IO[bytes]) -> HttpResponseBase:
        """The whole request. What does not stream is closed here, in the thread whose connections it used."""
        set_script_prefix(get_script_prefix(scope))
        signals.request_started.send(sender=type(self), scope=scope)
        request, refusal = self.create_request(scope, body)
        response = self.get_response(request) if request is not None else refusal
        assert response is not None
        if not response.streaming:
            response.close()
        body.close()
        return response


def _headers(response: HttpResponseBase) -> list[tuple[bytes, bytes]]:
    cookies = (cookie.output(header="").strip() for cookie in response.cookies.values())
    return [
        *((name.encode("latin1"), value.encode("latin1")) for name, value in response.items()),
        *((b"Set-Cookie", cookie.encode("ascii")) for cookie in cookies),
    ]
