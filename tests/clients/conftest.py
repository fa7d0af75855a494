"""A demo exchange behind TLS, and a way to run a script in somebody else's environment against it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.clients.certificate import write_certificate
from tests.clients.environment import client_python
from tests.venue_process import DemoAccount, DemoVenue, start_demovenue

HERE = Path(__file__).parent
PATIENCE = 90  # seconds

Run = Callable[[str, str, Mapping[str, Any]], Any]


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return write_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="session")
def venue(tmp_path_factory: pytest.TempPathFactory, certificate: tuple[Path, Path]) -> Iterator[DemoVenue]:
    started = start_demovenue(tmp_path_factory.mktemp("venue"), seed=5, certificate=certificate)
    yield started
    started.stop()


@pytest.fixture
def account(venue: DemoVenue) -> DemoAccount:
    return venue.signup(withdrawal="full")


@pytest.fixture
def run_client(certificate: tuple[Path, Path]) -> Run:
    """Runs `tests/clients/SCRIPT.py` with a client's own interpreter; returns the JSON it printed last."""

    def run(client: str, script: str, wish: Mapping[str, Any]) -> Any:
        trust = {"SSL_CERT_FILE": str(certificate[1]), "REQUESTS_CA_BUNDLE": str(certificate[1])}
        done = subprocess.run(
            [str(client_python(client)), str(HERE / f"{script}.py"), json.dumps(wish)],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            env={**os.environ, **trust},
        )
        assert done.returncode == 0, done.stderr[-4000:]
        return json.loads(done.stdout.splitlines()[-1])

    return run
