"""Nothing of the documented protocol is forgotten: it has a test, or it answers as for an account without it."""

from __future__ import annotations

import importlib

import pytest

from demovenue.doors.server import route_table
from demovenue.doors.stream.private import PRIVATE_FEEDS
from demovenue.doors.stream.public import PRODUCT_FEEDS
from tests.demovenue.coverage import ABSENT, ENDPOINTS, FEEDS, RETIRED_FEEDS
from tests.demovenue.listener import Listener
from tests.venue_process import DemoAccount, DemoVenue

pytestmark = pytest.mark.venue


def test_what_is_served_is_what_is_documented() -> None:
    served = {(method, path) for method, path, _ in route_table().routes()}
    assert served - set(ABSENT) == set(ENDPOINTS)
    assert {*PRODUCT_FEEDS, *PRIVATE_FEEDS, "heartbeat"} == set(FEEDS)


@pytest.mark.parametrize("name", sorted({*ENDPOINTS.values(), *FEEDS.values()}))
def test_every_endpoint_and_feed_has_its_test(name: str) -> None:
    module, _, function = name.partition(".")
    assert callable(getattr(importlib.import_module(f"tests.demovenue.{module}"), function, None)), name


@pytest.fixture(scope="module")
def somebody(shared_venue: DemoVenue) -> DemoAccount:
    return shared_venue.signup()


@pytest.mark.parametrize(("method", "path"), sorted(ABSENT))
def test_what_the_account_has_not_got(venue: DemoVenue, somebody: DemoAccount, method: str, path: str) -> None:
    assert venue.call(somebody.key, method, path).status_code == ABSENT[method, path]


@pytest.mark.parametrize("feed", RETIRED_FEEDS)
def test_a_retired_feed_is_an_invalid_one(venue: DemoVenue, feed: str) -> None:
    with Listener(venue) as ear:
        ear.say(event="subscribe", feed=feed)
        assert ear.event("alert")["message"] == "Couldn't subscribe to invalid feed"
