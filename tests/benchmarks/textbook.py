"""The textbook's consumer: a group a product, a `group_send` a tick, JSON a browser: what the hub is held against."""

from __future__ import annotations

from typing import Any

import django

django.setup()

from channels.generic.websocket import AsyncJsonWebsocketConsumer  # noqa: E402
from channels.routing import URLRouter  # noqa: E402
from django.urls import path  # noqa: E402

from tests.benchmarks.feed import SYMBOLS  # noqa: E402


class Ticks(AsyncJsonWebsocketConsumer):
    async def connect(self) -> None:
        for symbol in SYMBOLS:
            await self.channel_layer.group_add(f"ticks.{symbol}", self.channel_name)
        await self.accept()

    async def tick(self, event: dict[str, Any]) -> None:
        await self.send_json(event["tick"])


application = URLRouter([path("ticks", Ticks.as_asgi())])
