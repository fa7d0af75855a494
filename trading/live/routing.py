from __future__ import annotations

from django.urls import path

from trading.live.consumer import live

websocket_urls = [path("ws/live", live)]  # type: ignore[arg-type]  # an ASGI application, not a view
