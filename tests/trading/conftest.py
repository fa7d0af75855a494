"""A desk with an account, a key and instruments, whose venue is a few lines of paper behind the wire."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest
import requests
from django.conf import settings
from django.core.management import call_command

from accounts import vault, venues
from accounts.models import Account, ApiKey, Desk, User
from krakenfutures.io.derivatives import DerivativesVenue
from tests.trading.desk import PF_XBTUSD, PI_XBTUSD, list_instruments, stored_key
from tests.trading.paper import PaperWire
from tests.trading.risk_venue import meanwhile, risk_exchange, there
from trading import clock, instruments

__all__ = ["meanwhile", "risk_exchange", "there"]  # fixtures


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    """What a process keeps in memory belongs to one test."""
    yield
    instruments.forget()
    clock.forget("demo")
    venues._venue.cache_clear()


@pytest.fixture(scope="module")
def collected() -> None:
    """The production storage of static files: a file that is missing is an error 500 there, and here."""
    call_command("collectstatic", interactive=False, verbosity=0)


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> PaperWire:
    paper = PaperWire()
    http = requests.Session()
    http.mount(settings.DEMO_URL, paper)
    monkeypatch.setattr(venues, "DerivativesVenue", partial(DerivativesVenue, http=http))
    monkeypatch.setattr("krakenfutures.io.rest.FIRST_PAUSE", 0.001)
    return paper


@pytest.fixture
def api_key(desk: Desk, owner: User, wire: PaperWire) -> ApiKey:
    vault.prepare()
    list_instruments(PF_XBTUSD, PI_XBTUSD)
    return stored_key(desk, owner)


@pytest.fixture
def account(api_key: ApiKey) -> Account:
    return api_key.account
