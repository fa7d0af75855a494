"""One id through page and task; errors and traces only where asked for, and without a secret in them."""

from __future__ import annotations

import base64
import fcntl
import gzip
import hashlib
import os
import secrets
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import structlog
from celery import shared_task
from celery.contrib.testing.worker import start_worker
from django.test import Client

from accounts.models import User
from kfweb.celery import app
from kfweb.correlation import request_id
from tests.accounts.conftest import plain_static_files  # noqa: F401 - pages without collected files

ROOT = Path(__file__).resolve().parents[2]
heard: list[str] = []


@shared_task(name="tests.say_whose")
def say_whose() -> None:
    heard.append(request_id())


@pytest.mark.django_db(transaction=True)
def test_a_task_carries_the_id_of_the_request_that_rang_for_it() -> None:
    heard.clear()
    with start_worker(app, perform_ping_check=False, pool="solo"):
        structlog.contextvars.bind_contextvars(request_id="abc123")
        first = say_whose.delay()
        structlog.contextvars.clear_contextvars()
        second = say_whose.delay()
        for _ in range(100):
            if len(heard) == 2:
                break
            threading.Event().wait(0.1)
    assert heard == ["abc123", second.id], (first.id, heard)


@pytest.mark.django_db
def test_every_answer_names_its_request(client: Client, owner: User) -> None:
    client.force_login(owner)
    first, second = (client.get("/people/")["X-Request-Id"] for _ in range(2))
    assert len(first) == 16
    assert first != second


class Collector(ThreadingHTTPServer):
    """Takes whatever is posted to it."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.bodies: dict[str, bytes] = {}

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        self.server.bodies[self.path] = self.server.bodies.get(self.path, b"") + body
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        """Quietly."""


@pytest.fixture
def collector() -> Iterator[Collector]:
    server = Collector()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def libraries() -> str:
    """The pinned libraries of requirements/observe.txt, in a folder of their own: the desk installs none of them."""
    pins = ROOT / "requirements" / "observe.txt"
    folder = ROOT / ".venv-clients" / "observe" / hashlib.sha256(pins.read_bytes()).hexdigest()[:12]
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes"]
            wish = [*options, "--target", str(folder), "-r", str(pins)]
            subprocess.run([sys.executable, "-m", "pip", "install", *wish], check=True)
    return str(folder)


def run(script: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    given = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-c", f"import django; django.setup()\n{script}"],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
        env=given | {"DJANGO_SETTINGS_MODULE": "kfweb.settings", "KFWEB_DATA_DIR": str(folder), **environment},
    )  # fmt: skip


FAIL = """
import logging
def work(opened):
    secret = opened
    raise ValueError(f"could not sign with {secret}")
try:
    work(SECRET)
except ValueError:
    logging.getLogger("trading").exception("a task failed")
"""


def test_an_error_is_reported_without_the_secret_it_happened_to_carry(
    collector: Collector, tmp_path: Path, libraries: str
) -> None:
    secret = base64.b64encode(secrets.token_bytes(64)).decode()
    script = f"SECRET = {secret!r}\n{FAIL}\nimport sentry_sdk; sentry_sdk.flush(10)"
    done = run(script, tmp_path, KFWEB_SENTRY_DSN=f"http://public@{collector.address}/1", PYTHONPATH=libraries)
    assert done.returncode == 0, done.stderr
    said = b"".join(collector.bodies.values()).decode()
    assert "could not sign with" in said
    assert "ValueError" in said
    assert secret not in said
    assert secret not in done.stderr


def test_a_page_leaves_a_trace_where_a_collector_is_named(
    collector: Collector, tmp_path: Path, libraries: str
) -> None:
    script = (
        "from django.test import Client; assert Client(SERVER_NAME='127.0.0.1').get('/healthz').status_code == 200\n"
        "from opentelemetry import trace; trace.get_tracer_provider().force_flush()"
    )
    done = run(script, tmp_path, KFWEB_OTLP_URL=f"http://{collector.address}", PYTHONPATH=libraries)
    assert done.returncode == 0, done.stderr
    assert b"healthz" in collector.bodies["/v1/traces"]


def test_a_missing_library_is_named_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "sentry_sdk.py").write_text("raise ImportError")
    done = run("", tmp_path, KFWEB_SENTRY_DSN="http://public@127.0.0.1:1/1", PYTHONPATH=str(tmp_path))
    assert done.returncode != 0
    assert "requirements/observe.txt" in done.stderr
