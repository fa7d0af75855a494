"""Tasks that live and end together."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any


class Crew:
    """Unlike a `TaskGroup` it takes no for an answer: redis-py now and then swallows a cancellation that comes while
    it waits for the store, and a task that was asked to end once would go on for ever.
    """

    def __init__(self) -> None:
        self.tasks: set[asyncio.Task[None]] = set()
        self.trouble: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def add(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        if not task.cancelled() and (problem := task.exception()) and not self.trouble.done():
            self.trouble.set_exception(problem)

    async def wait(self) -> None:
        """For ever, or until one of the tasks fails: then raises what it raised."""
        await asyncio.shield(self.trouble)

    async def end(self, *, patience: float = 0.2) -> None:
        """Ask all of them to end, again and again, until they have. `patience` is in seconds."""
        while self.tasks:
            for task in self.tasks:
                task.cancel()
            await asyncio.wait(self.tasks, timeout=patience)
        if not self.trouble.cancel() and not self.trouble.cancelled():
            self.trouble.exception()  # seen, so that nobody complains it was not
