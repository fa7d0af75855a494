"""How bytes reach a browser's socket: past Daphne, straight to its transport. The one place that knows how.

Daphne's own `send` encodes, frames and logs per socket. A frame that many sockets share is complete already, so its
bytes go to the kernel at once when nothing waits before them, and into the transport's buffer otherwise.
"""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from autobahn.websocket.protocol import WebSocketProtocol
from twisted.internet.tcp import Connection

from trading.live.frames import Frame

log = logging.getLogger(__name__)

PROTOCOL = "kfweb.protocol"
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Pipe(Protocol):
    """The way to one browser."""

    def write(self, frame: Frame) -> int:
        """Send, never wait; returns how many bytes now wait in this process for a slow reader."""

    def close(self, code: int, reason: str) -> None: ...


def with_transport(app: Any) -> Any:
    """Put the socket's protocol into the scope, where Daphne is the server; elsewhere it is None."""

    async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
        await app({**scope, PROTOCOL: protocol_behind(send)}, receive, send)

    return application


def protocol_behind(send: object) -> Any:
    """Daphne's `send` is `partial(server.handle_reply, protocol)`; None for any other server's."""
    if isinstance(send, functools.partial) and send.args and isinstance(send.args[0], WebSocketProtocol):
        return send.args[0]
    return None


def pipe_for(scope: dict[str, Any], send: Send) -> Pipe:
    protocol = scope.get(PROTOCOL)
    if protocol is not None and isinstance(protocol.transport, Connection):
        return TransportPipe(protocol)
    return PlainPipe(send)


class TransportPipe:
    """Writes to the TCP (or Unix) socket behind Daphne's protocol. TLS is not for here: it ends at the proxy, and
    where it does not, `pipe_for` takes the plain way.
    """

    __slots__ = ("protocol", "transport")

    def __init__(self, protocol: Any) -> None:
        self.protocol = protocol
        self.transport = protocol.transport

    def write(self, frame: Frame) -> int:
        transport, data = self.transport, frame.wire
        if self.protocol.state != WebSocketProtocol.STATE_OPEN or not transport.connected:
            return 0
        waiting: int = len(transport.dataBuffer) - transport.offset + transport._tempDataLen
        if not waiting:
            try:
                sent = transport.socket.send(data)
            except BlockingIOError:
                sent = 0
            except OSError:
                return 0  # it broke this instant; Twisted hears of it too, and ends the socket
            if sent == len(data):
                return 0
            data = data[sent:]
        transport.write(data)
        return waiting + len(data)

    def close(self, code: int, reason: str) -> None:
        """Says why, and a second later lets go of a peer that does not answer, with all that waited for it."""
        self.protocol.sendClose(code, reason)


class PlainPipe:
    """The ordinary ASGI way, for every other server and for tests: one task writes what is queued, in order."""

    __slots__ = ("queue", "send", "task", "waiting")

    def __init__(self, send: Send) -> None:
        self.send = send
        self.queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.waiting = 0
        self.task = asyncio.create_task(self._pump())

    def write(self, frame: Frame) -> int:
        self.waiting += len(frame.text)
        self.queue.put_nowait({"type": "websocket.send", "text": frame.text.decode()})
        return self.waiting

    def close(self, code: int, reason: str) -> None:
        self.queue.put_nowait({"type": "websocket.close", "code": code, "reason": reason})

    async def _pump(self) -> None:
        closing = False
        while not closing:
            event = await self.queue.get()
            closing = event["type"] == "websocket.close"
            try:
                await self.send(event)
            except OSError:
                log.debug("the socket went away")
                return
            self.waiting -= len(event.get("text", "").encode())
