"""Money leaves the desk: a trader asks, two reviewers agree (one of them on a phone), and the exchange pays once."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.conftest import sign_in
from tests.journeys.test_journey_pages import AXE
from tests.stack import OWNER, ROOT, Stack

SECRET = "a second long password"
TEAM = {"tom@example.test": "trader", "rita@example.test": "reviewer", "rob@example.test": "reviewer"}
ADD_PEOPLE = """
from accounts.models import *
desk = Desk.objects.get()
for email, role in {team!r}.items():
    if not User.objects.filter(email=email).exists():
        Membership.objects.create(desk=desk, user=User.objects.create_user(email, {secret!r}), role=role)
"""
IMAGES = os.environ.get("KFWEB_TEST_IMAGES")  # where to leave pictures of the pages, if anywhere

Door = Callable[..., Page]


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """A desk of its own: on the others' one, another journey's account and positions would be asked for the money."""
    running = Stack().start()
    yield running
    running.stop()


@pytest.fixture
def team(stack: Stack) -> None:
    code = ADD_PEOPLE.format(team=TEAM, secret=SECRET)
    subprocess.run([sys.executable, "manage.py", "shell", "-c", code], cwd=ROOT, env=stack.environment, check=True)


@pytest.fixture
def door(browser: Browser, stack: Stack, team: None) -> Iterator[Door]:
    """Lets somebody in, on a screen of some width."""
    opened = []

    def come_in(email: str, width: int = 1440) -> Page:
        context = browser.new_context(
            base_url=stack.url, viewport={"width": width, "height": 800}, is_mobile=width < 500, bypass_csp=True
        )
        context.set_default_timeout(15_000)
        opened.append(context)
        page = context.new_page()
        sign_in(page, email, "correct horse battery staple" if email == OWNER else SECRET)
        return page

    yield come_in
    for context in opened:
        context.close()


def picture(page: Page, name: str) -> None:
    if IMAGES:
        page.screenshot(path=Path(IMAGES) / f"{name}.png", full_page=True)


def fits(page: Page) -> None:
    width = page.viewport_size["width"] if page.viewport_size else 0
    assert page.evaluate("() => document.documentElement.scrollWidth") <= width, page.url
    page.evaluate(AXE)  # the frame around it has a test of its own
    found = page.evaluate("() => axe.run('main', {resultTypes: ['violations']})")["violations"]
    assert not [one["id"] for one in found if one["impact"] in {"serious", "critical"}], page.url


def test_a_withdrawal_from_the_wish_to_the_receipt(door: Door) -> None:
    owner, rita, rob = door(OWNER), door("rita@example.test", 360), door("rob@example.test")
    owner.goto("/keys/")
    owner.get_by_role("button", name="Try the demo").click()
    expect(owner.locator("#messages")).to_contain_text("works")

    owner.goto("/withdrawals/policy/propose/")
    owner.fill("[name=approvals_0]", "2")
    owner.fill("[name=first_time_hours]", "0")
    owner.fill("[name=reason]", "Two of us look at everything")
    owner.get_by_role("button", name="Compare").click()
    expect(owner.locator("main")).to_contain_text("2 instead of 1 approvals")
    fits(owner)
    owner.get_by_role("button", name="Propose it").click()
    expect(owner.locator("#messages")).to_contain_text("Somebody else has to agree")
    rita.goto("/withdrawals/policy/")
    rita.get_by_role("link", name="Look at it").click()
    fits(rita)
    rita.get_by_role("button", name="Agree to this policy").click()
    expect(rita.locator("#messages")).to_contain_text("in force")
    fits(rita)
    owner.goto("/withdrawals/policy/")
    fits(owner)
    picture(owner, "withdrawal-policy-1440")

    tom = door("tom@example.test")
    tom.goto("/withdrawals/request/")
    tom.select_option("[name=source]", label="USD of the multi-collateral wallet")
    tom.fill("[name=amount]", "125.5")
    tom.fill("[name=reason]", "Office rent for December")
    tom.get_by_role("button", name="Show what it would do").click()
    expect(tom.locator("main")).to_contain_text("2 approvals by others")
    fits(tom)
    picture(tom, "withdrawal-request-1440")
    tom.get_by_role("button", name="Ask to move 125.5").click()
    expect(tom.locator("h1")).to_contain_text("Pending review")
    code = tom.locator("[data-code]").inner_text()
    assert tom.get_by_role("link", name="Approve").count() == 0

    rita.goto("/withdrawals/")
    fits(rita)
    picture(rita, "withdrawals-360")
    rita.locator("[data-group=needs-you]").get_by_role("link", name="Review").click()
    rita.get_by_role("link", name="Approve").click()
    expect(rita.locator("[data-code]")).to_have_text(code)
    fits(rita)
    picture(rita, "withdrawal-approve-360")
    rita.get_by_role("button", name=f"Approve 125.5 USD · {code}").click()
    expect(rita.locator(".timeline")).to_contain_text("1 of 2")

    rob.goto("/withdrawals/")
    rob.locator("[data-group=needs-you]").get_by_role("link", name="Review").click()
    fits(rob)
    picture(rob, "withdrawal-1440")
    rob.get_by_role("link", name="Approve").click()
    rob.get_by_role("button", name="Approve 125.5").click()
    expect(rob.locator("#messages")).to_contain_text("You approved it")
    expect(rob.locator(".timeline")).to_contain_text("2 of 2")
    for _ in range(20):
        tom.reload()
        if "Confirmed" in tom.locator("h1").inner_text():
            break
        tom.wait_for_timeout(1000)
    expect(tom.locator("h1")).to_contain_text("Confirmed")
    tom.wait_for_timeout(4000)
    tom.reload()
    expect(tom.locator("main")).to_contain_text("Found in the account log")
    fits(tom)
    picture(tom, "withdrawal-confirmed-1440")
    tom.goto("/withdrawals/")
    fits(tom)
    picture(tom, "withdrawals-1440")
