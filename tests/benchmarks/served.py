"""The desk's pages in this process, with an account full of things: what the benchmarks of pages measure.

Importing this gives the process a data folder and a store of its own, and makes Django ready.
"""
# ruff: noqa: E402 - the settings are read by the first of these imports that needs them

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Any

import django

import tests.environment  # noqa: F401 - before the settings

django.setup()

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.core.management import call_command
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import include, path

from accounts.models import Desk, Membership, Role, User
from accounts.rights import DOORS, Door, Right
from tests.trading.furnished import demo_account, furnish, list_instruments


def empty(_request: HttpRequest) -> HttpResponse:
    return HttpResponse("")


DOORS["empty"] = Door(Right.LOOK)
urlpatterns = [path("empty/", empty, name="empty"), path("", include("kfweb.urls"))]


class Served:
    """`get` is a request through every middleware, without a socket."""

    def __init__(self, *, instruments: int | None = None, positions: int = 10) -> None:
        settings.ROOT_URLCONF = __name__
        call_command("migrate", interactive=False, verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0)
        desk = Desk.objects.create(name="Bench")
        owner = User.objects.create_user("owner@example.test", "correct horse battery")
        Membership.objects.create(desk=desk, user=owner, role=Role.OWNER)
        list_instruments(count=instruments)
        furnish(demo_account(desk, owner), owner, positions=positions, fills=15)
        self.cookie = session_of(owner)
        self.handler = WSGIHandler()

    def get(self, address: str) -> tuple[str, dict[str, str], bytes]:
        """Status, headers and body as sent to a browser that takes gzip."""
        answer: list[Any] = []
        bare, _, query = address.partition("?")
        environ = {
            "REQUEST_METHOD": "GET", "PATH_INFO": bare, "QUERY_STRING": query,
            "SERVER_NAME": "localhost", "SERVER_PORT": "8000", "HTTP_HOST": "localhost:8000",
            "REMOTE_ADDR": "127.0.0.1", "HTTP_COOKIE": self.cookie, "HTTP_ACCEPT_ENCODING": "gzip",
            "wsgi.input": io.BytesIO(), "wsgi.url_scheme": "http",
        }  # fmt: skip
        body = self.handler(environ, lambda status, headers: answer.extend((status, dict(headers))))
        content = b"".join(body)
        getattr(body, "close", lambda: None)()
        return answer[0], answer[1], content


def session_of(user: User) -> str:
    client = Client()
    client.force_login(user)
    return f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"


def referred(html: str) -> Iterator[str]:
    """Addresses of styles, scripts and icons in a page."""
    yield from re.findall(r'(?:href|src)="(/static/[^"]+)"', html)
