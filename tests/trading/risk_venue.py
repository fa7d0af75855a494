"""A desk whose account is at a real demo exchange, for the tests of risk."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal as D
from functools import partial
from typing import Any

import pytest
import requests
from django.utils import timezone
from pytest_django import Settings
from requests.adapters import HTTPAdapter

from accounts import vault, venues
from accounts.models import Account, Desk, User
from krakenfutures.io.derivatives import DerivativesVenue
from krakenfutures.io.rest import pooled_session
from tests.trading.desk import stored_key
from tests.venue_process import DemoAccount, DemoVenue, start_demovenue
from trading.actions.resolving import sweep_uncertain
from trading.actions.syncing import refresh_listings, sync_account
from trading.models import Order


@dataclass(frozen=True)
class There:
    """One account at the exchange, and the exchange's word on it."""

    venue: DemoVenue
    person: DemoAccount
    account: Account

    def ledger(self) -> dict[str, dict[str, object]]:
        """Orders by our own id."""
        return {row["cli_ord_id"]: row for row in self.venue.ledger(self.person)["orders"]}

    def fills(self) -> list[dict[str, str]]:
        return list(self.venue.ledger(self.person)["fills"])

    def position(self, symbol: str) -> D:
        rows = self.venue.v3(self.person.key, "GET", "openpositions")["openPositions"]
        sizes = [D(str(row["size"])) * (1 if row["side"] == "long" else -1) for row in rows if row["symbol"] == symbol]
        return sum(sizes, D(0))

    def mark(self, symbol: str = "PF_XBTUSD") -> D:
        return D(str(self.venue.ticker(symbol)["markPrice"]))

    def price(self, share: str, symbol: str = "PF_XBTUSD") -> D:
        """So many times the mark, in whole dollars."""
        return (self.mark(symbol) * D(share)).quantize(D(1))

    def sync(self) -> None:
        sync_account(self.account.keys.get().pk)


@pytest.fixture(scope="module")
def risk_exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoVenue]:
    venue = start_demovenue(tmp_path_factory.mktemp("exchange"), seed=7)
    yield venue
    venue.stop()


@pytest.fixture
def there(risk_exchange: DemoVenue, settings: Settings, desk: Desk, owner: User) -> Iterator[There]:
    settings.DEMO_URL = risk_exchange.url
    vault.prepare()
    refresh_listings("demo")
    person = risk_exchange.signup()
    key = stored_key(desk, owner, public=person.key.public, secret=person.key.private)
    yield There(risk_exchange, person, key.account)
    risk_exchange.clear_faults()
    risk_exchange.control("DELETE", "/demo/mark")


class Meanwhile(HTTPAdapter):
    """The wire, and what happens while a call is on it: `before` names a call and what to do once, just before it."""

    def __init__(self) -> None:
        super().__init__()
        self.before: dict[str, Callable[[], object]] = {}

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        act = self.before.pop((request.path_url or "").partition("?")[0].rpartition("/")[2], None)
        if act is not None:
            act()
        return super().send(request, *args, **kwargs)


@pytest.fixture
def meanwhile(there: There, monkeypatch: pytest.MonkeyPatch) -> Meanwhile:
    adapter = Meanwhile()
    http = pooled_session(there.venue.url)
    http.mount(there.venue.url, adapter)
    monkeypatch.setattr(venues, "DerivativesVenue", partial(DerivativesVenue, http=http))
    venues._venue.cache_clear()
    return adapter


def settle(seconds: float = 20) -> None:
    """Sweep as beat does, until nothing is unsettled."""
    end = time.monotonic() + seconds
    while Order.objects.unsettled().exists():
        assert time.monotonic() < end, list(Order.objects.unsettled().values("status", "evidence"))
        Order.objects.unsettled().update(resolve_after=timezone.now())
        sweep_uncertain()
        time.sleep(0.3)
