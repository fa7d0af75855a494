"""What every test may ask for."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
import redis
from django.conf import settings
from django.db import connection
from playwright.sync_api import Browser, sync_playwright
from pytest_django import DjangoDbBlocker

from accounts.models import Desk, Membership, Role, User
from tests.chromium import FLAGS, chromium

CHROMIUM_MISSING = "There is no Chromium here, so no page was opened (Debian: apt install chromium)."


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """SQLite empties its tables between tests by deleting rows, which the guard of the audit rows would refuse."""
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("DROP TRIGGER audit_no_delete")


@pytest.fixture(autouse=True)
def empty_store() -> None:
    """Each test begins with nothing in the store."""
    client = redis.Redis.from_url(settings.REDIS_URL)
    client.flushdb()
    client.close()


def person(email: str, desk: Desk, role: Role) -> User:
    user = User.objects.create_user(email, "correct horse battery")
    Membership.objects.create(desk=desk, user=user, role=role)
    return user


@pytest.fixture
def desk(db: None) -> Desk:
    return Desk.objects.create(name="Main desk")


@pytest.fixture
def owner(desk: Desk) -> User:
    return person("owner@example.test", desk, Role.OWNER)


@pytest.fixture
def trader(desk: Desk) -> User:
    return person("trader@example.test", desk, Role.TRADER)


@pytest.fixture
def viewer(desk: Desk) -> User:
    return person("viewer@example.test", desk, Role.VIEWER)


@pytest.fixture
def stranger(db: None) -> User:
    """Somebody with a desk of their own, and no business on ours."""
    return person("stranger@example.test", Desk.objects.create(name="Another desk"), Role.OWNER)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without a browser: skip at home and say so loudly, fail in CI."""
    if chromium() is not None:
        return
    for item in items:
        if item.get_closest_marker("browser"):
            if os.environ.get("CI"):
                raise pytest.UsageError(CHROMIUM_MISSING)
            item.add_marker(pytest.mark.skip(reason=CHROMIUM_MISSING))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The one Chromium of this process: Playwright keeps an event loop running, and there can be only one."""
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield opened
        opened.close()
