"""One id from the page to the task it rang for: log lines of both carry it, and so does the page's answer."""

from __future__ import annotations

from typing import Any

import structlog
from celery.signals import before_task_publish, task_postrun, task_prerun

HEADER = "request_id"


def request_id() -> str:
    """Of the request or task this thread is at; empty outside of both."""
    return str(structlog.contextvars.get_contextvars().get(HEADER, ""))


def send_along(headers: dict[str, Any] | None = None, **_more: Any) -> None:
    if headers is not None and (current := request_id()):
        headers[HEADER] = current


def take_over(task_id: str = "", task: Any = None, **_more: Any) -> None:
    """A task that beat rang has no request; its own id stands for it."""
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=task.request.get(HEADER) or task_id, task=task.name)


def let_go(**_more: Any) -> None:
    structlog.contextvars.clear_contextvars()


before_task_publish.connect(send_along)
task_prerun.connect(take_over)
task_postrun.connect(let_go)
