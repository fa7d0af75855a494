"""`manage.py up`: one command starts the whole desk and keeps it up."""

from __future__ import annotations

import fcntl
import hashlib
import json
import signal
import socket
import sys
import time
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import FrameType
from typing import Any, TextIO, cast
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command

from accounts import vault
from accounts.actions.people import first_start
from kfweb import store
from kfweb.children import Child, Hopeless, stop_all

READY_WITHIN = 60.0  # seconds
WHOLE_WITHIN = 20.0  # seconds; then the desk opens without what is missing
WORKER = ["-A", "kfweb", "worker", "--pool", "threads", "--concurrency", "8", "--loglevel", "warning",
          "--without-mingle", "--without-gossip"]  # fmt: skip
BEAT = ["-A", "kfweb", "beat", "--loglevel", "warning", "--pidfile="]


class CannotStart(Exception):
    """The sentence says what is in the way and what to do."""


def up(say: Callable[[str], None]) -> int:
    """Start everything, say where it is, keep it up until a signal. Returns the exit code."""
    stopping: list[int] = []

    def on_signal(number: int, _frame: FrameType | None) -> None:
        stopping.append(number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, on_signal)

    children: list[Child] = []
    try:
        with only_one():
            start(children, say, stopping)
            watch(children, say, stopping)
    except (CannotStart, store.StoreFailed, vault.VaultError, ImproperlyConfigured) as problem:
        say(f"kfweb cannot start. {problem}")
        return 1
    except Hopeless as problem:
        say(f"kfweb stops. {problem}\n{problem.child.last_words()}")
        return 1
    finally:
        stop_all(children)
    say("kfweb has stopped.")
    return 0


def start(children: list[Child], say: Callable[[str], None], stopping: list[int]) -> None:
    began = time.monotonic()
    require_free(settings.BIND, settings.PORT, "KFWEB_PORT")
    if runs_demovenue():
        require_free("127.0.0.1", settings.DEMO_PORT, "KFWEB_DEMO_PORT")
    if settings.EMBEDDED_STORE:
        children.append(start_store())
    elif not store.answers(settings.REDIS_URL):
        raise CannotStart("REDIS_URL is set, but nothing answers there.")
    if runs_demovenue():  # first, because it takes no Django and is ready while the rest gets ready
        children.append(demovenue())
        children[-1].start()
    call_command("migrate", interactive=False, verbosity=0)
    vault.prepare()
    setup_path = first_start()
    collect_static()
    for child in (
        python("worker", "-m", "celery", *WORKER),
        python("beat", "-m", "celery", *BEAT),
        python("relay", "manage.py", "relay"),
        python("web", "-m", "daphne", *web_options()),
    ):
        children.append(child)
        child.start()
    wait_until_ready(children, say, stopping)
    if stopping:
        return
    address = f"http://{settings.BIND}:{settings.PORT}"
    say(f"kfweb is ready after {time.monotonic() - began:.1f} s: {address}/")
    if runs_demovenue():
        say(f"The demo exchange is at {settings.DEMO_URL}/")
    if setup_path:
        say(f"First start: create the owner at {address}{setup_path} (works once)")
    say("Ctrl-C stops everything.")


def web_options() -> list[str]:
    return ["-b", settings.BIND, "-p", str(settings.PORT), "--no-server-name", "--verbosity", "0",
            "kfweb.asgi:application"]  # fmt: skip


def python(name: str, *arguments: str) -> Child:
    return Child(name, [sys.executable, *arguments], log_of(name), folder=settings.BASE_DIR)


def log_of(name: str) -> Path:
    return Path(settings.DATA_DIR) / "logs" / f"{name}.log"


def start_store() -> Child:
    path = Path(settings.STORE_SOCKET)
    store.prepare_folder(path)
    child = Child("store", store.command(path), log_of("store"), folder=path.parent)
    child.start()
    assert child.process
    store.wait(settings.REDIS_URL, child.process)
    return child


def demovenue() -> Child:
    """One that has lived goes on where it ended; only a new one takes notice of when it is told to begin."""
    days = settings.DEMO_PAST_DAYS
    begin = ["--start", (datetime.now(UTC) - timedelta(days=days)).isoformat()] if days else []
    return python(
        "demovenue", "-m", "demovenue", "--port", str(settings.DEMO_PORT), "--seed", "1",
        "--data", str(Path(settings.DATA_DIR) / "demovenue"), *begin,
    )  # fmt: skip


def runs_demovenue() -> bool:
    """Ours, unless the environment points the demo at somebody else's."""
    demo = urlsplit(settings.DEMO_URL)
    return settings.DEMO_ENABLED and demo.hostname in {"127.0.0.1", "localhost"} and demo.port == settings.DEMO_PORT


class only_one:
    """Two desks on one data directory would each tend the other's rows and fight for its socket."""

    def __enter__(self) -> None:
        path = Path(settings.DATA_DIR) / "run" / "up.lock"
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.file: TextIO = path.open("w")
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.file.close()
            raise CannotStart(f"Another kfweb already runs on {settings.DATA_DIR}; set KFWEB_DATA_DIR.") from None

    def __exit__(self, *_exception: object) -> None:
        self.file.close()


def require_free(host: str, port: int, variable: str) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as problem:
            raise CannotStart(
                f"Port {port} on {host} is taken ({problem.strerror}). Stop what uses it, or set {variable}."
            ) from None


def collect_static() -> None:
    """Hash and compress the static files again only when one of them changed."""
    import django.contrib.admin

    sources = [*settings.STATICFILES_DIRS, Path(django.contrib.admin.__file__).parent / "static"]
    found = sorted(p for source in sources for p in Path(source).rglob("*") if p.is_file())
    seen = hashlib.sha256("\n".join(f"{p} {p.stat().st_size} {p.stat().st_mtime_ns}" for p in found).encode())
    stamp = Path(settings.STATIC_ROOT) / ".collected"
    if stamp.exists() and stamp.read_text() == seen.hexdigest():
        return
    call_command("collectstatic", interactive=False, verbosity=0, clear=True)
    stamp.write_text(seen.hexdigest())


def wait_until_ready(children: list[Child], say: Callable[[str], None], stopping: list[int]) -> None:
    """Until every part is well; a desk that serves but is not whole is opened too, and says what is missing."""
    url = f"http://{settings.BIND}:{settings.PORT}/readyz"
    end, patience = time.monotonic() + READY_WITHIN, time.monotonic() + WHOLE_WITHIN
    while not stopping:
        health = ask_health(url)
        if health.get("status") == "ready":
            return
        if health.get("status") == "degraded" and time.monotonic() > patience:
            missing = [name for name, check in health["checks"].items() if not check["ok"]]
            say(f"Not all is well yet: {', '.join(missing)}. The pages say what they can; see {url}")
            return
        for child in children:
            if not child.is_running:
                words = child.last_words()
                raise CannotStart(f"{child.name} ended at once. Its last words, from {child.log}:\n{words}")
        if time.monotonic() > end:
            raise CannotStart(f"Not ready within {READY_WITHIN:g} s; see {url} and {settings.DATA_DIR}/logs/.")
        time.sleep(0.1)


def ask_health(url: str) -> dict[str, Any]:
    """What /readyz says; nothing while the web is not up yet."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - our own address
            return cast("dict[str, Any]", json.load(answer))
    except (OSError, ValueError):
        return {}


def watch(children: list[Child], say: Callable[[str], None], stopping: list[int]) -> None:
    while not stopping:
        for child in children:
            if remark := child.tend(time.monotonic()):
                say(remark)
        time.sleep(0.2)
