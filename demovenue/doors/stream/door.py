"""The protocol of the socket: what a client may say, and the alerts it gets when it says something else."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from aiohttp import WSMsgType, web

from demovenue.doors.house import House
from demovenue.doors.signatures import answers_challenge, decode_secret
from demovenue.doors.stream.connection import Connection
from demovenue.doors.stream.hub import Hub
from demovenue.doors.stream.private import PRIVATE_FEEDS
from demovenue.doors.stream.public import PRODUCT_FEEDS

Request = dict[str, Any]

LONGEST_REQUEST = 64 * 1024
MOST_PRODUCTS = 1000


class StreamDoor:
    def __init__(self, house: House, hub: Hub) -> None:
        self.house = house
        self.hub = hub
        self._events: dict[str, Callable[[Connection, Request], None]] = {
            "subscribe": self._subscribe,
            "unsubscribe": self._unsubscribe,
            "challenge": self._challenge,
        }

    async def serve(self, request: web.Request) -> web.StreamResponse:
        peer = request.remote or ""
        if self.hub.is_full(peer):
            raise web.HTTPTooManyRequests(text="Too many connections")
        socket = web.WebSocketResponse(autoping=False, compress=False, max_msg_size=LONGEST_REQUEST)
        await socket.prepare(request)
        transport = request.transport
        assert isinstance(transport, asyncio.Transport)
        connection = Connection(socket, transport, peer)
        self.hub.join(connection)
        try:
            await self._talk(connection, socket)
        finally:
            self.hub.leave(connection)
        return socket

    async def _talk(self, connection: Connection, socket: web.WebSocketResponse) -> None:
        if self.house.faults.meet("ws_drop"):
            connection.cut()
            return
        connection.say({"event": "info", "version": 1})
        async for message in socket:
            if message.type is WSMsgType.PING:
                connection.heard()
                await socket.pong(message.data)
            elif message.type is WSMsgType.PONG:
                connection.heard()
            elif not connection.may_ask():
                await socket.close(code=1008, message=b"Too many requests")
            elif message.type is WSMsgType.TEXT:
                self._hear(connection, message.data)
            else:
                connection.alert("Bad websocket message")

    def _hear(self, connection: Connection, text: str) -> None:
        try:
            request = json.loads(text)
        except (ValueError, RecursionError):
            return connection.alert("Bad websocket message")
        if not isinstance(request, dict) or "event" not in request:
            return connection.alert("Bad request")
        reaction = self._events.get(request["event"]) if isinstance(request["event"], str) else None
        if reaction is None:
            return connection.alert("Bad websocket message")
        return reaction(connection, request)

    def _challenge(self, connection: Connection, request: Request) -> None:
        """Handed out for any key text, known or not."""
        api_key = request.get("api_key")
        if not isinstance(api_key, str) or len(connection.challenges) >= MOST_PRODUCTS:
            return connection.alert("Bad request")
        return connection.say({"event": "challenge", "message": connection.challenge(api_key)})

    # --- subscribing ------------------------------------------------------------------------------

    def _subscribe(self, connection: Connection, request: Request) -> None:
        feed = request.get("feed")
        if feed in PRIVATE_FEEDS:
            self._subscribe_private(connection, request, feed)
        elif feed in PRODUCT_FEEDS:
            self._subscribe_products(connection, request, feed)
        elif feed == "heartbeat":
            if self.hub.add(connection, ("heartbeat", "")):
                connection.say({"event": "subscribed", "feed": "heartbeat"})
            else:
                connection.alert("Already subscribed to feed, re-requesting")
        else:
            connection.alert("Couldn't subscribe to invalid feed" if isinstance(feed, str) else "Bad request")

    def _subscribe_products(self, connection: Connection, request: Request, feed: str) -> None:
        """Every acknowledgement before the first snapshot, in the order asked."""
        products = _products(request)
        if products is None:
            return connection.alert("Bad request")
        heard = []
        for product in products:
            if self.house.exchange.instrument(product.upper()) is None:
                connection.alert(f"Couldn't subscribe to invalid product `{product}`")
                continue
            heard.append(product.upper())
            if self.hub.add(connection, (feed, product.upper())):
                connection.say({"event": "subscribed", "feed": feed, "product_ids": [product.upper()]})
            else:
                connection.alert("Already subscribed to feed, re-requesting")
        for product in heard:
            self.hub.public.snapshot(connection, feed, product)
        return None

    def _subscribe_private(self, connection: Connection, request: Request, feed: str) -> None:
        account = self._proven(connection, request)
        if account is None:
            return connection.alert("Failed to subscribe to authenticated feed")
        if feed == "fills":
            products = _products(request)
            connection.product_filter = frozenset(one.upper() for one in products) if products else None
        if self.hub.add(connection, (feed, account)):
            connection.say(_acknowledgement("subscribed", request, feed))
        else:
            connection.alert("Already subscribed to feed, re-requesting")
        return self.hub.private.snapshot(connection, feed, account)

    def _proven(self, connection: Connection, request: Request) -> str | None:
        """The account whose key signed this connection's challenge. None: nobody proved anything."""
        public, original, signed = (
            request.get(name) for name in ("api_key", "original_challenge", "signed_challenge")
        )
        if not (isinstance(public, str) and isinstance(original, str) and isinstance(signed, str)):
            return None
        key = self.house.exchange.key(public)
        if key is None or key.general == "none" or connection.challenges.get(public) != original:
            return None
        if not answers_challenge(decode_secret(key.secret), original, signed):
            return None
        connection.keys.add(public)
        return key.account_uid

    # --- unsubscribing ----------------------------------------------------------------------------

    def _unsubscribe(self, connection: Connection, request: Request) -> None:
        feed = request.get("feed")
        if feed in PRIVATE_FEEDS:
            account = self._proven(connection, request)
            if account is None:
                return connection.alert("Failed to subscribe to authenticated feed")
            if not self.hub.remove(connection, (feed, account)):
                return connection.alert("Not subscribed to feed")
            return connection.say(_acknowledgement("unsubscribed", request, feed))
        if feed == "heartbeat":
            if not self.hub.remove(connection, ("heartbeat", "")):
                return connection.alert("Not subscribed to feed")
            return connection.say({"event": "unsubscribed", "feed": "heartbeat"})
        if feed not in PRODUCT_FEEDS:
            return connection.alert("Couldn't subscribe to invalid feed" if isinstance(feed, str) else "Bad request")
        return self._unsubscribe_products(connection, request, feed)

    def _unsubscribe_products(self, connection: Connection, request: Request, feed: str) -> None:
        products = _products(request)
        if products is None:
            return connection.alert("Bad request")
        for product in products:
            if self.hub.remove(connection, (feed, product.upper())):
                connection.say({"event": "unsubscribed", "feed": feed, "product_ids": [product.upper()]})
            else:
                connection.alert("Not subscribed to feed")
        return None


def _products(request: Request) -> list[str] | None:
    """The products named; None when there are none or they are no texts."""
    products = request.get("product_ids")
    if not isinstance(products, list) or not 0 < len(products) <= MOST_PRODUCTS:
        return None
    return products if all(isinstance(one, str) for one in products) else None


def _acknowledgement(event: str, request: Request, feed: str) -> Request:
    """Private acknowledgements echo what was signed; those of `balances` do not."""
    if feed == "balances":
        return {"event": event, "feed": feed}
    echoed = {name: request[name] for name in ("api_key", "original_challenge", "signed_challenge")}
    return {"event": event, "feed": feed, **echoed}
