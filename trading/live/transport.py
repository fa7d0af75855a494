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

    def write(self, frame: Frame) -> None:
        """Send; never wait."""

    def waiting(self) -> int:
        """Bytes that wait in this process for a slow reader."""

    def close(self, code: int, reason: str) -> None: ...

    def end(self) -> None:
        """The socket is gone."""


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

    def write(self, frame: Frame) -> None:
        transport, data = self.transport, frame.wire
        if self.protocol.state != WebSocketProtocol.STATE_OPEN or not transport.connected:
            return
        if not self.waiting():
            try:
                sent = transport.socket.send(data)
            except BlockingIOError:
                sent = 0
            except OSError:
                return  # it broke this instant; Twisted hears of it too, and ends the socket
            if sent == len(data):
                return
            data = data[sent:]
        transport.write(data)

    def waiting(self) -> int:
        transport = self.transport
        return int(len(transport.dataBuffer) - transport.offset + transport._tempDataLen)

    def close(self, code: int, reason: str) -> None:
        """Says why, and a second later lets go of a peer that does not answer, with all that waited for it."""
        self.protocol.sendClose(code, reason)

    def end(self) -> None:
        pass


class PlainPipe:
    """The ordinary ASGI way, for every other server and for tests: one task writes what is queued, in order."""

    __slots__ = ("queue", "queued", "send", "task")

    def __init__(self, send: Send) -> None:
        self.send = send
        self.queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.queued = 0
        self.task = asyncio.create_task(self._pump())

    def write(self, frame: Frame) -> None:
        self.queued += len(frame.text)
        self.queue.put_nowait({"type": "websocket.send", "text": frame.text.decode()})

    def waiting(self) -> int:
        return self.queued

    def close(self, code: int, reason: str) -> None:
        self.queue.put_nowait({"type": "websocket.close", "code": code, "reason": reason})

    def end(self) -> None:
        self.task.cancel()

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
            self.queued -= len(event.get("text", "").encode())
