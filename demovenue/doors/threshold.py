"""Who may come in at all: a bound on the connections of one address, looked at before a byte is read."""

from __future__ import annotations

import asyncio
import resource
from collections import defaultdict
from collections.abc import Callable
from weakref import WeakSet

MOST = 1000  # connections one address may have open
_FILES = 65_536


class Threshold:
    """Makes the protocols of a listening server. Whoever is one too many is cut off without an answer."""

    def __init__(self, server: Callable[[], asyncio.BaseProtocol], most: int = MOST) -> None:
        self._server = server
        self._most = most
        self._inside: defaultdict[str, WeakSet[asyncio.BaseTransport]] = defaultdict(WeakSet)

    def __call__(self) -> asyncio.Protocol:
        return _Newcomer(self)

    def receive(self, transport: asyncio.Transport) -> None:
        peer = transport.get_extra_info("peername")
        if len(self._inside) > self._most:
            self._forget_those_who_left()
        inside = self._inside[str(peer[0]) if peer else ""]
        if len(inside) >= self._most:
            inside -= {one for one in inside if one.is_closing()}
        if len(inside) >= self._most:
            transport.abort()
            return
        inside.add(transport)
        protocol = self._server()
        transport.set_protocol(protocol)
        protocol.connection_made(transport)

    def _forget_those_who_left(self) -> None:
        for address in [address for address, inside in self._inside.items() if not inside]:
            del self._inside[address]


class _Newcomer(asyncio.Protocol):
    """Stands at the door for the moment in which nobody knows yet who it is."""

    def __init__(self, threshold: Threshold) -> None:
        self._threshold = threshold

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._threshold.receive(transport)


def allow_many_files() -> None:
    """As many open files as the system lets this process have, within reason."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(hard, _FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
