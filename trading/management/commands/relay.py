from __future__ import annotations

import asyncio
import logging
import signal
from functools import partial
from typing import Any

import redis.asyncio
from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from accounts.models import ApiKey, Environment
from accounts.vault import unseal
from accounts.venues import venue_for
from krakenfutures.values import Permission
from krakenfutures.venue import Credentials
from trading.actions.hearing import hear
from trading.actions.syncing import sync_account
from trading.live.crew import Crew
from trading.live.relay import Doors, Relay

log = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Hear the exchange and tell the desk: one active an environment, a second one waits to take over."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--environment", choices=Environment.values, action="append", help="only this one (may be repeated)"
        )

    def handle(self, *_args: Any, environment: list[str] | None, **_options: Any) -> None:
        asyncio.run(serve(environment or environments()))


def environments() -> list[str]:
    """The demo exchange where it is on; production always, once a key for it exists."""
    return [*([Environment.DEMO.value] if settings.DEMO_ENABLED else []), Environment.PRODUCTION.value]


async def serve(names: list[str]) -> None:
    asked_to_stop = asyncio.Event()
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(signal_number, asked_to_stop.set)
    store: redis.asyncio.Redis = redis.asyncio.Redis.from_url(
        settings.REDIS_URL, socket_timeout=3, socket_connect_timeout=3
    )
    crew = Crew()
    for name in names:
        crew.add(_serve_one(Relay(name, doors(name), store)))
    waiting = asyncio.create_task(asked_to_stop.wait()), asyncio.create_task(crew.wait())
    try:
        done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        await crew.end(patience=2)
        await store.aclose()


async def _serve_one(relay: Relay) -> None:
    """Production is left alone until somebody has a key for it: a fresh checkout talks to nobody but the demo."""
    while relay.environment == Environment.PRODUCTION and not await relay.in_thread(
        lambda: list(usable_keys(relay.environment))
    ):
        await asyncio.sleep(2)
    await relay.run()


def doors(environment: str) -> Doors:
    return Doors(
        venue=partial(venue_for, environment),
        keys=partial(usable_keys, environment),
        open_key=open_key,
        hear=hear,
        sync=sync_account,
    )


def usable_keys(environment: str) -> list[tuple[int, int]]:
    """(key, account) of every key that may at least read."""
    keys = ApiKey.objects.usable().filter(account__environment=environment).exclude(general=Permission.NONE)
    return list(keys.values_list("pk", "account_id"))


def open_key(key_id: int) -> Credentials:
    """Opened for as long as the socket lives: every new connection has to prove itself anew."""
    return unseal(ApiKey.objects.usable().get(pk=key_id))
