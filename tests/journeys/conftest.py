"""Real journeys: Chromium on a whole running desk, which trades on its own demo exchange."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect

from tests.stack import OWNER, PASSWORD, Stack

SYMBOL = "PF_XBTUSD"
SOON = 20_000  # milliseconds: what a starved machine may need for a step that takes a blink

expect.set_options(timeout=SOON)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/journeys/" in item.path.as_posix():
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    running = Stack().start()
    yield running
    running.stop()


@contextmanager
def opened_context(browser: Browser, stack: Stack) -> Iterator[BrowserContext]:
    """A browser of its own, in which nothing may break the content policy and no script may fail."""
    opened = browser.new_context(base_url=stack.url, viewport={"width": 1440, "height": 900})
    opened.set_default_timeout(SOON)
    wrong: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        if message.type == "error" and "Content Security Policy" in message.text:
            wrong.append(message.text)

    opened.on("console", heard)
    opened.on("weberror", lambda error: wrong.append(str(error.error)))
    yield opened
    opened.close()
    assert not wrong


@pytest.fixture
def context(browser: Browser, stack: Stack) -> Iterator[BrowserContext]:
    with opened_context(browser, stack) as opened:
        yield opened


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """Signed in as the owner."""
    opened = context.new_page()
    sign_in(opened)
    return opened


def sign_in(page: Page, email: str = OWNER, password: str = PASSWORD) -> None:
    page.goto("/account/login/")
    page.fill("input[name=login]", email)
    page.fill("input[name=password]", password)
    page.click("main button")
    expect(page.locator("nav[aria-label=Main]")).to_be_visible()


@dataclass(frozen=True)
class Demo:
    """An account of the demo exchange that the test holds the password of, and so sees the truth about."""

    stack: Stack
    email: str
    password: str
    public: str
    private: str

    def ledger(self) -> dict[str, Any]:
        answer = requests.get(f"{self.stack.demo_url}/demo/ledger", auth=(self.email, self.password), timeout=10)
        found: dict[str, Any] = answer.json()
        return found

    def arm(self, fault: str, **how: Any) -> None:
        answer = requests.post(f"{self.stack.demo_url}/demo/faults", json={"fault": fault, **how}, timeout=10)
        assert answer.ok, answer.text

    def clear(self) -> None:
        requests.delete(f"{self.stack.demo_url}/demo/faults", timeout=10)


@pytest.fixture
def demo(stack: Stack) -> Iterator[Demo]:
    made = sign_up(stack)
    yield made
    made.clear()


def sign_up(stack: Stack) -> Demo:
    url = stack.demo_url
    person = requests.post(f"{url}/demo/signup", json={"accept_terms": True}, timeout=10).json()
    basic = (person["email"], person["password"])
    key = requests.post(f"{url}/demo/keys", json={"general": "full", "withdrawal": "none"}, auth=basic, timeout=10)
    pair = key.json()
    return Demo(stack, *basic, pair["public_key"], pair["private_key"])


@pytest.fixture(scope="module")
def person(stack: Stack) -> Demo:
    """One account for all the tests of a file."""
    return sign_up(stack)


@pytest.fixture
def trading(page: Page, demo: Demo) -> Page:
    """The trade page, on an account whose key was added by hand."""
    add_by_hand(page, demo)
    page.goto(f"/trade/{SYMBOL}/")
    wait_until_live(page)
    return page


def add_by_hand(page: Page, demo: Demo) -> None:
    page.goto("/keys/add/")
    page.fill("[name=label]", f"Hand {demo.public[-6:]}")
    page.select_option("[name=environment]", "demo")
    page.fill("[name=public_key]", demo.public)
    page.fill("[name=secret]", demo.private)
    page.click("main button")
    expect(page.locator("#messages")).to_contain_text("works")


def wait_until_live(page: Page) -> None:
    expect(page.locator("[data-link-badge]")).to_have_attribute("data-state", "live")


def choose(page: Page, name: str, value: str) -> None:
    page.locator(f"#ticket label:has([name={name}][value={value}])").click()


def far_below(page: Page) -> str:
    """A legal price that nobody will meet: nine tenths of the best bid."""
    best = page.locator("#book .bids .price").first
    expect(best).not_to_have_text("")
    return str(int(float(best.get_attribute("data-price") or "0") * 0.9))
