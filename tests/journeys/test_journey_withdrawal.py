"""Money leaves the desk, on a screen and on a phone: a trader asks, two reviewers agree, an admin keeps the rules; the
exchange pays once. Nobody reloads: what others do shows by itself.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.conftest import SOON, sign_in
from tests.journeys.test_journey_pages import AXE
from tests.stack import OWNER, ROOT, Stack

SECRET = "a second long password"
TEAM = {
    "tom@example.test": "trader",
    "rita@example.test": "reviewer",
    "rob@example.test": "reviewer",
    "ada@example.test": "admin",
}
ADD_PEOPLE = """
from accounts.models import *
desk = Desk.objects.get()
for email, role in {team!r}.items():
    if not User.objects.filter(email=email).exists():
        Membership.objects.create(desk=desk, user=User.objects.create_user(email, {secret!r}), role=role)
"""
OPERATOR = "olga@example.test"  # an admin of the desk, too
ADD_OPERATOR = """
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.core.management import call_command
from accounts import vault
from accounts.mfa import place_of
from accounts.models import *
olga = User.objects.create_user({email!r}, {secret!r})
Membership.objects.create(desk=Desk.objects.get(), user=olga, role="admin")
seal = lambda text: vault.seal_text(text, place_of(olga.pk))
Authenticator.objects.create(user=olga, type="totp", data={{"secret": seal("JBSWY3DPEHPK3PXP")}})
codes = Authenticator.objects.create(
    user=olga, type="recovery_codes", data={{"seed": seal("5eed"), "used_mask": 0}})
print(",".join(RecoveryCodes(codes).get_unused_codes()))
call_command("operator", "add", olga.email)
"""
AGE = """
from django.contrib.sessions.models import Session
from accounts.models import User
olga = str(User.objects.get(email={email!r}).pk)
for row in Session.objects.all():
    data = row.get_decoded()
    if data.get("_auth_user_id") == olga:
        for proof in data["account_authentication_methods"]:
            proof["at"] -= 3600
        row.session_data = Session.objects.encode(data)
        row.save()
"""
IMAGES = os.environ.get("KFWEB_TEST_IMAGES")  # where to leave pictures of the pages, if anywhere
WIDTHS = [1440, 360]

Door = Callable[[str], Page]


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """A desk of its own: on the others' one, another journey's account and positions would be asked for the money."""
    running = Stack().start()
    shell(running, ADD_PEOPLE.format(team=TEAM, secret=SECRET))
    assert running.post(running.signed_in(), "/keys/try-demo/").ok
    yield running
    running.stop()


def shell(running: Stack, code: str) -> list[str]:
    """The lines that it prints."""
    command = [sys.executable, "manage.py", "shell", "-v", "0", "-c", code]
    done = subprocess.run(command, cwd=ROOT, env=running.environment, check=True, capture_output=True, text=True)
    return done.stdout.splitlines()


@pytest.fixture(scope="module")
def codes(stack: Stack) -> Iterator[str]:
    """The recovery codes of somebody who runs the installation; each is good once."""
    return iter(shell(stack, ADD_OPERATOR.format(email=OPERATOR, secret=SECRET))[0].split(","))


@pytest.fixture(params=WIDTHS)
def width(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture
def door(browser: Browser, stack: Stack, width: int) -> Iterator[Door]:
    """Lets somebody in, on a screen of this width."""
    opened = []

    def come_in(name: str) -> Page:
        context = browser.new_context(
            base_url=stack.url, viewport={"width": width, "height": 800}, is_mobile=width < 500, bypass_csp=True
        )
        context.set_default_timeout(SOON)
        opened.append(context)
        page = context.new_page()
        owner = name == "owner"
        sign_in(page, f"{name}@example.test", "correct horse battery staple" if owner else SECRET)
        return page

    assert OWNER == "owner@example.test"
    yield come_in
    for context in opened:
        context.close()


def picture(page: Page, name: str) -> None:
    if IMAGES:
        page.evaluate("scrollTo(0, 0)")
        page.screenshot(path=Path(IMAGES) / f"withdrawal-{name}-{page.viewport_size['width']}.png", full_page=True)  # type: ignore[index]


def fits_in_width(page: Page) -> None:
    assert page.evaluate("() => document.documentElement.scrollWidth") <= page.viewport_size["width"], page.url  # type: ignore[index]


def fits(page: Page) -> None:
    fits_in_width(page)
    page.evaluate(AXE)  # the frame around it has a test of its own
    found = page.evaluate("() => axe.run('main', {resultTypes: ['violations']})")["violations"]
    assert not [one["id"] for one in found if one["impact"] in {"serious", "critical"}], page.url


def ask(tom: Page, amount: str, reason: str) -> None:
    tom.goto("/withdrawals/request/")
    tom.select_option("[name=source]", "flex|USD")
    tom.fill("[name=amount]", amount)
    tom.fill("[name=reason]", reason)
    tom.get_by_role("button", name="Show what it would do").click()


def test_two_reviewers_agree_and_the_exchange_pays_once(door: Door, width: int) -> None:
    owner, tom, rita, rob = door("owner"), door("tom"), door("rita"), door("rob")
    amount = f"{width}.5"
    if width == WIDTHS[0]:
        agree_on_two_approvals(owner, rita)

    rita.goto("/withdrawals/")
    ask(tom, amount, "Office rent for December")
    expect(tom.locator("main")).to_contain_text("2 approvals by others")
    fits(tom)
    picture(tom, "request")
    tom.get_by_role("button", name="Ask to move").click()
    expect(tom.locator("h1")).to_contain_text("Pending review")
    code = tom.locator("[data-code]").inner_text()
    assert tom.get_by_role("link", name="Approve").count() == 0

    needed = rita.locator("[data-group=needs-you]")
    expect(needed).to_contain_text(code)  # nobody reloaded
    fits(rita)
    picture(rita, "queue")
    needed.locator("tr", has_text=code).get_by_role("link", name="Review").click()
    fits(rita)
    picture(rita, "detail")
    rita.get_by_role("link", name="Approve").click()
    expect(rita.locator("[data-code]")).to_have_text(code)
    fits(rita)
    picture(rita, "approve")
    rita.get_by_role("button", name=f"· {code}").click()
    expect(rita.locator(".timeline")).to_contain_text("1 of 2")
    expect(tom.locator(".timeline")).to_contain_text("1 of 2")

    rob.goto("/withdrawals/")
    rob.locator("[data-group=needs-you] tr", has_text=code).get_by_role("link", name="Review").click()
    rob.get_by_role("link", name="Approve").click()
    rob.get_by_role("button", name=f"· {code}").click()
    expect(rob.locator("#messages")).to_contain_text("You approved it")
    expect(tom.locator("h1")).to_contain_text("Confirmed", timeout=40_000)
    expect(tom.locator("main")).to_contain_text("Found in the account log", timeout=40_000)
    fits(tom)
    picture(tom, "confirmed")
    tom.goto("/withdrawals/")
    expect(tom.locator("[data-group=done]")).to_contain_text(code)
    fits(tom)


def agree_on_two_approvals(owner: Page, rita: Page) -> None:
    owner.goto("/withdrawals/policy/propose/")
    owner.fill("[name=approvals_0]", "2")
    owner.fill("[name=first_time_hours]", "0")
    owner.fill("[name=reason]", "Two of us look at everything")
    owner.get_by_role("button", name="Compare").click()
    expect(owner.locator("main")).to_contain_text("2 instead of 1 approvals")
    owner.get_by_role("button", name="Propose it").click()
    expect(owner.locator("#messages")).to_contain_text("Somebody else has to agree")
    agree(rita)


def agree(rita: Page) -> None:
    rita.goto("/withdrawals/policy/")
    rita.get_by_role("link", name="Look at it").click()
    fits(rita)
    picture(rita, "policy-vote")
    rita.get_by_role("button", name="Agree to this policy").click()
    expect(rita.locator("#messages")).to_contain_text("in force")


def test_an_admin_changes_the_policy_and_breaks_the_glass_with_another(door: Door, width: int) -> None:
    owner, ada, tom, rita, rob = door("owner"), door("ada"), door("tom"), door("rita"), door("rob")
    ada.goto("/withdrawals/policy/")
    ada.fill("[name=amount]", "15000")
    ada.get_by_role("button", name="Tell me").click()
    expect(ada.locator("[role=status]").last).to_contain_text("2 approvals")
    fits(ada)
    ada.get_by_role("link", name="Propose a change").click()
    ada.check("[name=break_glass]")
    ada.fill("[name=desk_day]", str(200_000 + width))
    ada.fill("[name=reason]", "An outage must not lock our money in")
    ada.get_by_role("button", name="Compare").click()
    expect(ada.locator("main")).to_contain_text("tighter limit: desk day")
    fits(ada)
    picture(ada, "policy-change")
    ada.get_by_role("button", name="Propose it").click()
    agree(rita)
    ada.goto("/withdrawals/policy/")
    fits(ada)
    picture(ada, "policy")

    ask(tom, f"2{width}", "The exchange is failing")
    tom.get_by_role("button", name="Ask to move").click()
    code = tom.locator("[data-code]").inner_text()
    for page in (ada, owner):
        page.goto(tom.url)
        page.get_by_role("link", name="Break the glass").click()
        page.fill("[name=note]", "Status page red; money out now")
        fits(page)
        picture(page, "glass")
        page.get_by_role("button", name=f"· {code}").click()
        expect(page.locator(".glass")).to_contain_text("Status page red")
    expect(tom.locator("h1")).to_contain_text("Confirmed", timeout=40_000)
    expect(tom.locator(".glass")).to_contain_text("Nobody judged it yet")
    fits(tom)

    rob.goto("/withdrawals/")
    rob.locator("[data-group=needs-you] tr", has_text=code).get_by_role("link", name="Review").click()
    rob.get_by_role("link", name="Judge").click()
    rob.check("[name=verdict][value=justified]")
    rob.fill("[name=note]", "The outage was real")
    fits(rob)
    rob.get_by_role("button", name="This is my judgement").click()
    expect(rob.locator(".glass")).to_contain_text("it was right")
    picture(rob, "glass-judged")


def test_an_operator_decides_in_the_admin_with_a_fresh_proof_each_time(
    browser: Browser, stack: Stack, door: Door, codes: Iterator[str], width: int
) -> None:
    tom = door("tom")
    ask(tom, f"{width}.75", "Paper for the printers")
    tom.get_by_role("button", name="Ask to move").click()
    code = tom.locator("[data-code]").inner_text()

    context = browser.new_context(
        base_url=stack.url, viewport={"width": width, "height": 800}, is_mobile=width < 500, bypass_csp=True
    )
    context.set_default_timeout(15_000)
    olga = context.new_page()
    olga.goto("/admin/accounts/withdrawal/")
    olga.fill("input[name=login]", OPERATOR)
    olga.fill("input[name=password]", SECRET)
    olga.click("main button")
    prove(olga, codes)
    fits_in_width(olga)
    picture(olga, "admin-list")
    olga.get_by_role("link", name=code).click()
    expect(olga.locator("#content")).to_contain_text(f"code {code}, lands in the spot wallet")
    assert olga.locator("#content input:visible").count() == 0  # read-only
    fits_in_width(olga)
    picture(olga, "admin")

    olga.get_by_role("link", name="Approve …").click()
    shell(stack, AGE.format(email=OPERATOR))
    olga.fill("[name=note]", "Seen the invoice")
    olga.get_by_role("button", name=f"· {code}").click()
    prove(olga, codes)
    expect(olga.locator("[name=note]")).to_have_value("Seen the invoice")
    fits_in_width(olga)
    picture(olga, "admin-approve")
    olga.get_by_role("button", name=f"· {code}").click()
    expect(olga.locator("#content")).to_contain_text("Approved · olga@example.test")
    assert olga.get_by_role("link", name="Approve …").count() == 0
    expect(tom.locator(".timeline")).to_contain_text("Seen the invoice", timeout=40_000)

    olga.get_by_role("link", name="Reject …").click()
    olga.fill("[name=reason]", "The printers were returned")
    olga.get_by_role("button", name=f"· {code}").click()
    expect(olga.locator("#content")).to_contain_text("There is nothing for you to decide here")
    expect(tom.locator("h1")).to_contain_text("Rejected", timeout=40_000)
    context.close()


def prove(page: Page, codes: Iterator[str]) -> None:
    page.wait_for_url(re.compile("/account/(2fa/|re)"))
    page.fill("input[name=code]", next(codes))
    page.click("main button.primary >> nth=0")
    page.wait_for_url(re.compile("/admin/"))
