"""One browser's socket: who is there, what it wants. What it gets, the hub decides."""

from __future__ import annotations

from typing import Any


async def live(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """`/ws/live`. The protocol is written out in docs/topics/live.md."""
    await receive()
    await send({"type": "websocket.accept"})
    if not scope["user"].is_authenticated:
        await send({"type": "websocket.close", "code": 4401})
        return
    while (await receive())["type"] != "websocket.disconnect":
        pass
