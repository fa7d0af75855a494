"""How bytes reach a browser's socket: past Daphne, straight to its transport. The one place that knows how."""

from __future__ import annotations

import functools
from typing import Any

PROTOCOL = "kfweb.protocol"


def with_transport(app: Any) -> Any:
    """Put the socket's protocol into the scope, where Daphne is the server; elsewhere it is None."""

    async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
        await app({**scope, PROTOCOL: protocol_behind(send)}, receive, send)

    return application


def protocol_behind(send: Any) -> Any:
    """Daphne's `send` is `partial(server.handle_reply, protocol)`; None for any other server's."""
    if isinstance(send, functools.partial) and send.args and hasattr(send.args[0], "transport"):
        return send.args[0]
    return None
