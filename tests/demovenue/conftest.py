"""One demo exchange for the whole session, and a fresh funded account for every test that asks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.venue_process import DemoAccount, DemoVenue, start_demovenue


@pytest.fixture(scope="session")
def shared_venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoVenue]:
    venue = start_demovenue(tmp_path_factory.mktemp("venue"), seed=11, options=("--sockets", "300"))
    yield venue
    venue.stop()


@pytest.fixture
def venue(shared_venue: DemoVenue) -> Iterator[DemoVenue]:
    """The shared exchange, with nothing armed before and after."""
    yield shared_venue
    shared_venue.clear_faults()
    shared_venue.control("DELETE", "/demo/mark")


@pytest.fixture
def account(venue: DemoVenue) -> DemoAccount:
    return venue.signup(withdrawal="full")
