from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from pytest_django import Settings

from accounts import vault
from tests.venue_process import DemoVenue, start_demovenue


@pytest.fixture(autouse=True)
def plain_static_files(settings: Settings) -> None:
    """Addresses of static files without the manifest that `collectstatic` writes."""
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}


@pytest.fixture(scope="module")
def venue_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoVenue]:
    process = start_demovenue(tmp_path_factory.mktemp("demovenue"))
    yield process
    process.stop()


@pytest.fixture
def venue(venue_process: DemoVenue, settings: Settings, db: None) -> Iterator[DemoVenue]:
    """A demo exchange that the desk knows as its demo, and a vault that is ready."""
    settings.DEMO_URL = venue_process.url
    vault.prepare()
    yield venue_process
    venue_process.clear_faults()


class _Stranger(BaseHTTPRequestHandler):
    """An exchange that knows nobody: Kraken's own answer to a key check it does not accept."""

    def do_GET(self) -> None:
        self.send_response(401)
        self.end_headers()
        self.wfile.write(b'{"error": "Unauthorized", "message": "no", "suberror": null}')

    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture
def production(settings: Settings) -> Iterator[str]:
    """A production that accepts no key of ours."""
    server = HTTPServer(("127.0.0.1", 0), _Stranger)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings.PRODUCTION_URL = f"http://127.0.0.1:{server.server_port}"
    yield settings.PRODUCTION_URL
    server.shutdown()
    server.server_close()
