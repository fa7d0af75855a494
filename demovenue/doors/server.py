"""One port for everything: REST, socket, site and control calls, in front of one running exchange."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from aiohttp import web
from aiohttp.http import HttpProcessingError

from demovenue.doors import (
    charts,
    history,
    keycheck,
    rest_account,
    rest_assignment,
    rest_funds,
    rest_orders,
    rest_public,
)
from demovenue.doors.answers import gateway_not_found, respond
from demovenue.doors.control import Control
from demovenue.doors.gate import Gate
from demovenue.doors.house import House, is_loopback
from demovenue.doors.people import People
from demovenue.doors.site.pages import Site
from demovenue.doors.stream.door import StreamDoor
from demovenue.doors.stream.hub import Hub
from demovenue.doors.table import Table
from demovenue.exchange import Exchange

log = logging.getLogger("demovenue")

LONGEST_BODY = 1024 * 1024  # bytes; a batch of 500 orders has about 100 kB


@dataclass(frozen=True, slots=True)
class Options:
    host: str
    port: int
    data: Path | None
    seed: int
    allow_control: bool
    sockets: int  # per client address

    @property
    def control(self) -> bool:
        return self.allow_control or is_loopback(self.host)


def route_table() -> Table:
    table = Table()
    for module in (rest_public, rest_account, rest_assignment, rest_orders, rest_funds, history, charts, keycheck):
        module.add_routes(table)
    return table


def build(exchange: Exchange, options: Options) -> web.Application:
    """The application. It runs the exchange while it is up and leaves closing it to the caller."""
    house = House(
        exchange,
        data=options.data,
        seed=options.seed,
        control=options.control,
        loopback=is_loopback(options.host),
        sockets=options.sockets,
    )
    hub = Hub(house)
    people = People(exchange)
    gate = Gate(house, route_table())
    app = web.Application(client_max_size=LONGEST_BODY, middlewares=[_without_tracebacks])
    app.router.add_get("/ws/v1", StreamDoor(house, hub).serve)
    for prefix in ("/derivatives", "/api"):
        app.router.add_route("*", prefix + "/{path:.*}", gate.serve)
    Control(house, hub, people).add_routes(app)
    Site(house, hub, people).add_routes(app)
    app.cleanup_ctx.append(_running(house, hub))
    app.on_shutdown.append(lambda _: hub.close())
    return app


def _running(house: House, hub: Hub):  # type: ignore[no-untyped-def]
    """The exchange's own clockwork and the hub's, for as long as the application lives."""

    async def context(_: web.Application) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(house.exchange.run()), asyncio.create_task(hub.run())]
        for task in tasks:
            task.add_done_callback(_stop_if_broken)
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        house.close()

    return context


def _stop_if_broken(task: asyncio.Task[None]) -> None:
    """A market that stands still without saying so would lie to everybody: end the process instead."""
    if not task.cancelled() and task.exception() is not None:
        log.critical("the exchange stopped by itself", exc_info=task.exception())
        raise SystemExit(1)


@web.middleware
async def _without_tracebacks(request: web.Request, handler) -> web.StreamResponse:  # type: ignore[no-untyped-def]
    """Unknown paths in Kraken's words; whatever breaks is logged here and hidden there."""
    try:
        answer: web.StreamResponse = await handler(request)
    except web.HTTPNotFound:
        refused = gateway_not_found(request.path)
        return respond(refused.body(datetime.now(UTC)), status=404)
    except web.HTTPException:
        raise
    except (web.RequestPayloadError, HttpProcessingError, ConnectionError):
        return web.Response(status=400, text="The body cannot be read")
    except Exception:
        log.exception("a page broke: %s %s", request.method, request.path)
        return web.Response(status=500, text="Internal error")
    return answer
