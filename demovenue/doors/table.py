"""Which call a path is. Paths are matched as they were sent, since signatures cover them so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

if TYPE_CHECKING:
    from demovenue.doors.call import Call

Handler = Callable[["Call"], Any]
Cost = int | Callable[["Call"], int]


class Right(StrEnum):
    PUBLIC = "public"
    ANY = "any"  # any valid key, whatever it may do
    READ = "read"
    FULL = "full"
    WITHDRAW = "withdraw"


class Family(StrEnum):
    """Which part of the venue answers: they differ in how they refuse."""

    TRADING = "trading"
    HISTORY = "history"
    CHARTS = "charts"
    KEYCHECK = "keycheck"


@dataclass(frozen=True, slots=True)
class Route:
    handler: Handler
    right: Right
    cost: Cost
    family: Family
    writes: bool
    values: dict[str, str] = field(default_factory=dict)


class Table:
    def __init__(self) -> None:
        self._exact: dict[tuple[str, str], Route] = {}
        self._patterns: list[tuple[str, tuple[str, ...], Route]] = []

    def add(
        self,
        method: str,
        path: str,
        handler: Handler,
        *,
        right: Right = Right.PUBLIC,
        cost: Cost = 0,
        family: Family = Family.TRADING,
        writes: bool | None = None,
    ) -> None:
        """`{name}` in the path stands for one segment."""
        changes = method in ("POST", "PUT", "DELETE") if writes is None else writes
        route = Route(handler, right, cost, family, changes and right is not Right.PUBLIC)
        if "{" in path:
            self._patterns.append((method, tuple(path.split("/")), route))
        else:
            self._exact[method, path] = route

    def find(self, method: str, path: str) -> Route | None:
        route = self._exact.get((method, path))
        return route if route is not None else next(self._matches(method, path), None)

    def _matches(self, method: str, path: str) -> Iterator[Route]:
        segments = path.split("/")
        for wanted, pattern, route in self._patterns:
            if wanted != method or len(pattern) != len(segments):
                continue
            pairs = list(zip(pattern, segments, strict=True))
            if all(part.startswith("{") or part == segment for part, segment in pairs):
                values = {part[1:-1]: unquote(segment) for part, segment in pairs if part.startswith("{")}
                yield Route(route.handler, route.right, route.cost, route.family, route.writes, values)

    def routes(self) -> Iterator[tuple[str, str, Route]]:
        """Method, path and route of everything, for tests and the reference page."""
        for (method, path), route in self._exact.items():
            yield method, path, route
        for method, pattern, route in self._patterns:
            yield method, "/".join(pattern), route
