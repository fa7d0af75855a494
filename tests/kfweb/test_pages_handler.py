"""Pages in lasting threads: one connection for many requests, and no request waits for another."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import path
from pytest_django import Settings

from kfweb.pages import Pages

slow_ends = threading.Event()


@login_not_required
def here(request: HttpRequest) -> HttpResponse:
    response = HttpResponse(f"{threading.current_thread().name} {request.body.decode()}")
    response.set_cookie("taste", "plain")
    return response


@login_not_required
def slow(request: HttpRequest) -> HttpResponse:
    slow_ends.wait(5)
    return HttpResponse("at last")


@login_not_required
def broken(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("a fault of ours")


@login_not_required
def parts(request: HttpRequest) -> StreamingHttpResponse:
    def told() -> Iterator[bytes]:
        yield b"one "
        time.sleep(0.01)
        yield b"two"

    return StreamingHttpResponse(told())


urlpatterns = [path("here", here), path("slow", slow), path("broken", broken), path("parts", parts)]
handler500 = "django.views.defaults.server_error"


@pytest.fixture
def pages(settings: Settings, db: None) -> Pages:
    settings.ROOT_URLCONF = __name__
    settings.MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
    settings.TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates"}]
    settings.ALLOWED_HOSTS = ["desk.test"]
    return Pages()


async def get(pages: Pages, address: str, body: bytes = b"") -> tuple[int, bytes, list[tuple[bytes, bytes]]]:
    scope: dict[str, Any] = {
        "type": "http", "method": "POST" if body else "GET", "path": f"/{address}", "query_string": b"",
        "headers": [(b"host", b"desk.test")], "http_version": "1.1", "scheme": "http", "server": ("desk.test", 80),
    }  # fmt: skip
    talk = ApplicationCommunicator(pages, scope)
    await talk.send_input({"type": "http.request", "body": body})
    start = await talk.receive_output(5)
    content, more = b"", True
    while more:
        part = await talk.receive_output(5)
        content, more = content + part.get("body", b""), part.get("more_body", False)
    await talk.wait(5)
    return start["status"], content, start["headers"]


async def test_requests_one_after_the_other_share_a_thread_and_its_connections(pages: Pages) -> None:
    """A thread may be a moment from idle when the next request comes, which then gets a second one."""
    answers = [await get(pages, "here", b"hello") for _ in range(20)]
    assert {(status, content) for status, content, _ in answers} <= {(200, b"page_0 hello"), (200, b"page_1 hello")}
    assert any(name == b"Set-Cookie" and value.startswith(b"taste=plain") for name, value in answers[0][2])


async def test_a_page_that_waits_keeps_no_other_waiting(pages: Pages) -> None:
    slow_ends.clear()
    waiting = asyncio.create_task(get(pages, "slow"))
    await asyncio.sleep(0.05)
    assert (await get(pages, "here"))[0] == 200
    assert not waiting.done()
    slow_ends.set()
    assert (await waiting)[1] == b"at last"


async def test_a_fault_is_an_error_page_and_the_next_request_is_served(pages: Pages) -> None:
    assert (await get(pages, "broken"))[0] == 500
    assert (await get(pages, "here"))[0] == 200


async def test_a_stream_arrives_whole(pages: Pages) -> None:
    assert (await get(pages, "parts"))[:2] == (200, b"one two")
