"""`python -m demovenue`: a demo Kraken Derivatives exchange in one process."""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import signal
import ssl
import sys
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path

from aiohttp import web

from demovenue.doors.server import Options, build
from demovenue.doors.threshold import Threshold, allow_many_files
from demovenue.exchange import Exchange

LINGER = 1.0  # seconds the rest of a refused body is still read, so that the refusal arrives
BACKLOG = 1024  # connections that may wait to be let in


def main() -> None:
    parser = _arguments()
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr)
    # What aiohttp calls errors are bytes of clients that are no HTTP; what breaks here is logged by the doors.
    logging.getLogger("aiohttp").setLevel(logging.CRITICAL)
    given.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    options = Options(
        host=given.host,
        port=given.port,
        data=given.data,
        seed=given.seed,
        allow_control=given.allow_control,
        sockets=given.sockets,
    )
    tls = None if given.tls is None else _tls(parser, given.tls)
    gc.disable()  # what is built now stays: looking through it for garbage would only cost time
    try:
        exchange = Exchange(given.data, seed=given.seed, speed=given.speed, start=given.start, replay=given.replay)
    except (ValueError, OSError) as error:
        parser.error(str(error))
    gc.freeze()
    gc.enable()
    try:
        asyncio.run(_serve(build(exchange, options), options, tls))
    except OSError as error:  # the port is taken, most likely
        sys.exit(f"demovenue: {error}")
    finally:
        exchange.close()


async def _serve(app: web.Application, options: Options, tls: ssl.SSLContext | None) -> None:
    """Until Ctrl-C or a request to end."""
    allow_many_files()
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=2, lingering_time=LINGER)
    await runner.setup()
    assert runner.server is not None
    try:
        door = await loop.create_server(
            Threshold(runner.server), options.host, options.port, ssl=tls, backlog=BACKLOG, reuse_address=True
        )
        scheme = "http" if tls is None else "https"
        print(f"demovenue: {scheme}://{options.host}:{options.port}", flush=True)
        await ended.wait()
        door.close()
    finally:
        await runner.cleanup()


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="demovenue", description="A demo Kraken Derivatives exchange.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8100)
    parser.add_argument("--data", type=Path, required=True, help="directory for the state; made when missing")
    parser.add_argument("--seed", type=int, default=1, help="the same seed makes the same market")
    parser.add_argument("--speed", type=_speed, default=Decimal(1), help="demo seconds a second, up to 1000")
    parser.add_argument("--start", type=_moment, help="first demo time, ISO 8601; default now")
    parser.add_argument("--replay", type=Path, help="CSV of time and price that drives the index of Bitcoin")
    parser.add_argument("--tls", type=Path, help="PEM of a certificate and its key: serve https and wss with it")
    parser.add_argument("--allow-control", action="store_true", help="allow /demo calls beyond loopback")
    parser.add_argument("--sockets", type=int, default=100, help="sockets one client address may open")
    return parser


def _tls(parser: argparse.ArgumentParser, file: Path) -> ssl.SSLContext:
    """For clients that speak nothing but TLS."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(file)
    except OSError as error:  # ssl's own errors are among them
        parser.error(f"--tls {file}: {error}")
    return context


def _speed(value: str) -> Decimal:
    try:
        speed = Decimal(value)
    except InvalidOperation as error:
        raise argparse.ArgumentTypeError("not a number") from error
    if not 0 < speed <= 1000:
        raise argparse.ArgumentTypeError("between 0 and 1000")
    return speed


def _moment(value: str) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise argparse.ArgumentTypeError("not an ISO 8601 time") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


if __name__ == "__main__":
    main()
