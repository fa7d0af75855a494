"""A socket client for tests: it keeps what it heard and waits for what it is told to wait for."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

from websockets.sync.client import connect

from tests.venue_process import DemoKey, DemoVenue, sign_challenge

Message = dict[str, Any]


class Listener:
    def __init__(self, venue: DemoVenue, *, ping_interval: float | None = 20) -> None:
        self._stack = ExitStack()
        link = connect(venue.ws_url, ping_interval=ping_interval, max_size=None, open_timeout=10)
        self.socket = self._stack.enter_context(link)
        self.heard: list[Message] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._stack.close()

    def say(self, **fields: Any) -> None:
        self.socket.send(json.dumps(fields))

    def next(self, timeout: float = 5) -> Message:
        message: Message = json.loads(self.socket.recv(timeout=timeout))
        self.heard.append(message)
        return message

    def wait(self, wanted: Callable[[Message], bool], timeout: float = 10) -> Message:
        """The next message that is wanted; the others are kept in `heard`."""
        deadline = time.monotonic() + timeout
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise AssertionError(f"not heard within {timeout} s; heard {self.heard[-5:]}")
            message = self.next(left)
            if wanted(message):
                return message

    def feed(self, name: str, timeout: float = 10) -> Message:
        return self.wait(lambda message: message.get("feed") == name and "event" not in message, timeout)

    def event(self, name: str, timeout: float = 10) -> Message:
        return self.wait(lambda message: message.get("event") == name, timeout)

    def subscribe(self, feed: str, *products: str) -> None:
        self.say(event="subscribe", feed=feed, product_ids=list(products))

    def prove(self, key: DemoKey) -> dict[str, str]:
        """The three fields that private requests carry."""
        self.say(event="challenge", api_key=key.public)
        challenge = self.event("challenge")["message"]
        signed = sign_challenge(key.private, challenge)
        return {"api_key": key.public, "original_challenge": challenge, "signed_challenge": signed}

    def subscribe_private(self, key: DemoKey, *feeds: str) -> dict[str, str]:
        proof = self.prove(key)
        for feed in feeds:
            self.say(event="subscribe", feed=feed, **proof)
        return proof
