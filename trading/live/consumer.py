"""One browser's socket: who is there, what it wants. What it gets, the hub decides."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Awaitable, Callable
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec
import structlog
from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY

from trading.live.browser import Browser, Who
from trading.live.hub import Hub, hub_here
from trading.live.transport import pipe_for

log = logging.getLogger(__name__)

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Wish(msgspec.Struct, tag_field="do", tag=str.lower, forbid_unknown_fields=True):
    """What a page may say."""


class Watch(Wish):
    streams: list[str]


class Unwatch(Wish):
    streams: list[str]


class Ack(Wish):
    f: int


class Pace(Wish):
    hidden: bool


class Resync(Wish):
    stream: str


class Look(Wish):
    page: Annotated[str, msgspec.Meta(pattern=r"^[a-z_]{0,40}$")]
    symbol: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_.]{0,40}$")] = ""


_wish = msgspec.json.Decoder(Watch | Unwatch | Ack | Pace | Resync | Look)


async def live(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """`/ws/live`. The protocol is written out in docs/topics/live.md."""
    await receive()
    if not same_origin(scope):
        await send({"type": "websocket.close", "code": 4403})
        return
    await send({"type": "websocket.accept"})
    who = who_is_there(scope)
    if who is None:  # accepted first: a page cannot read the reason of a refused handshake
        await send({"type": "websocket.close", "code": 4401, "reason": "please sign in"})
        return
    structlog.contextvars.bind_contextvars(socket=secrets.token_hex(4), user_id=who.user_id)
    hub, browser = hub_here(), Browser(who, pipe_for(scope, send))
    hub.enter(browser)
    try:
        while (event := await receive())["type"] != "websocket.disconnect":
            await obey(hub, browser, event.get("text") or "")
    finally:
        hub.leave(browser)
        browser.pipe.end()


def who_is_there(scope: dict[str, Any]) -> Who | None:
    user, session = scope["user"], scope["session"]
    if not user.is_authenticated or not session.session_key:
        return None
    return Who(user.pk, session.session_key, session.get(HASH_SESSION_KEY, ""))


def same_origin(scope: dict[str, Any]) -> bool:
    """The page that opens the socket came from the address the socket is opened at, port included.

    The validator around us compares names only, and cookies know no ports: the demo exchange's own site, on the same
    machine, is another origin.
    """
    headers = dict(scope["headers"])
    origin = headers.get(b"origin", b"").decode("latin1")
    return urlsplit(origin).netloc == headers.get(b"host", b"").decode("latin1") or (
        origin in settings.CSRF_TRUSTED_ORIGINS
    )


async def obey(hub: Hub, browser: Browser, text: str) -> None:
    if browser not in hub.browsers:
        return  # it was let go, and does not know yet
    try:
        wish = _wish.decode(text)
    except msgspec.DecodeError as problem:
        log.info("a browser of user %s says what we do not understand: %s", browser.who.user_id, problem)
        hub.dismiss(browser, (4400, "not understood"))
        return
    match wish:
        case Watch(streams):
            await hub.watch(browser, streams)
        case Unwatch(streams):
            hub.unwatch(browser, streams)
        case Ack(number):
            hub.seen(browser, number)
        case Pace(hidden):
            hub.pace(browser, hidden)
        case Resync(stream):
            await hub.resync(browser, stream)
        case Look(page, symbol):
            browser.looks_at = (page, symbol)
