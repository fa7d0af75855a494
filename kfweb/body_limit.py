"""No call carries more than a limit: Daphne would write whatever comes to the disk before any page is asked."""

from __future__ import annotations

from typing import Any

from daphne.http_protocol import WebRequest

TOO_LARGE = b"HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


def limit_bodies(most: int) -> None:
    """From now on, for every request of this process: by the length it says, and by what really arrives."""
    take_length, take_part = WebRequest.gotLength, WebRequest.handleContentChunk

    def got_length(request: Any, length: int | None) -> None:
        take_length(request, 0 if length is not None and length > most else length)
        if length is not None and length > most:
            _refuse(request)

    def handle_content_chunk(request: Any, data: bytes) -> None:
        if request.content.closed:
            return
        if request.content.tell() + len(data) > most:
            _refuse(request)
        else:
            take_part(request, data)

    WebRequest.gotLength, WebRequest.handleContentChunk = got_length, handle_content_chunk


def _refuse(request: Any) -> None:
    """Say why and hang up; what is still on its way is dropped, and what came is let go."""
    request.content.close()
    request.channel.transport.write(TOO_LARGE)
    request.channel.transport.loseConnection()
