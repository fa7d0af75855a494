"""Somebody is invited, adds a passkey, is asked for it at the door, and is shut out within seconds when removed."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from playwright.sync_api import Browser, Page, expect

from tests.journeys.conftest import SOON
from tests.stack import Stack

PASSWORD = "a long enough sentence"


@pytest.fixture
def visitor(browser: Browser, stack: Stack) -> Iterator[Page]:
    """A browser of its own at `localhost`: passkeys know names, not addresses."""
    context = browser.new_context(base_url=stack.url.replace("127.0.0.1", "localhost"))
    context.set_default_timeout(SOON)
    yield context.new_page()
    context.close()


def invite(page: Page, email: str, role: str) -> str:
    """The owner makes an invitation; returns the path of its link."""
    page.goto("/people/invite/")
    page.fill("input[name=email]", email)
    page.select_option("select[name=role]", role)
    page.click("main button.primary")
    return "/invitation/" + page.input_value("#link").rsplit("/invitation/")[1]


def join(page: Page, path: str) -> None:
    page.goto(path)
    page.fill("input[name=password]", PASSWORD)
    page.click("main button.primary")
    expect(page.locator("nav[aria-label=Main]")).to_be_visible()


def sign_out(page: Page) -> None:
    page.goto("/account/logout/")
    page.click("main button.primary")
    page.wait_for_url(re.compile("/account/login/"))


def give_password(page: Page, email: str) -> None:
    page.goto("/account/login/")
    page.fill("input[name=login]", email)
    page.fill("input[name=password]", PASSWORD)
    page.click("main button")
    page.wait_for_url(re.compile("/account/2fa/authenticate/"))


def test_a_passkey_is_added_and_opens_the_door(page: Page, visitor: Page) -> None:
    join(visitor, invite(page, "passkey@example.test", "viewer"))
    devices = visitor.context.new_cdp_session(visitor)
    devices.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
        "isUserVerified": True, "automaticPresenceSimulation": True,
    }  # fmt: skip
    devices.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    visitor.goto("/account/2fa/webauthn/add/")
    visitor.fill("input[name=name]", "My laptop")
    visitor.click("#mfa_webauthn_add")
    expect(visitor.get_by_text("Recovery Codes").first).to_be_visible()
    sign_out(visitor)
    give_password(visitor, "passkey@example.test")
    visitor.click("#mfa_webauthn_authenticate")
    expect(visitor.locator("nav[aria-label=Main]")).to_be_visible()


def test_an_authenticator_app_is_set_up_and_asked_for(page: Page, visitor: Page) -> None:
    join(visitor, invite(page, "app@example.test", "viewer"))
    visitor.goto("/account/2fa/totp/activate/")
    secret = visitor.input_value("#authenticator_secret")
    expect(visitor.locator("main img")).to_be_visible()
    visitor.fill("input[name=code]", format_hotp_value(hotp_value(secret, int(time.time()) // 30)))
    visitor.click("main button.primary")
    expect(visitor.get_by_text("Recovery Codes").first).to_be_visible()
    sign_out(visitor)
    give_password(visitor, "app@example.test")
    visitor.fill("input[name=code]", format_hotp_value(hotp_value(secret, int(time.time()) // 30 + 1)))
    visitor.click("main button.primary >> nth=0")
    expect(visitor.locator("nav[aria-label=Main]")).to_be_visible()


def test_whoever_is_removed_is_gone_within_five_seconds(page: Page, visitor: Page) -> None:
    join(visitor, invite(page, "leaver@example.test", "viewer"))
    visitor.evaluate(
        """() => { window.told = null;
            const socket = new WebSocket(location.origin.replace('http', 'ws') + '/ws/live');
            socket.onclose = event => { window.told = event.code; }; }"""
    )
    time.sleep(1)
    assert visitor.evaluate("window.told") is None
    page.goto("/people/")
    page.locator("tr", has_text="leaver@example.test").get_by_role("link", name="Change").click()
    began = time.monotonic()
    page.click("text=Remove from the desk")
    expect(page.locator("#messages")).to_contain_text("no longer on the desk")
    while visitor.evaluate("window.told") is None and time.monotonic() - began < 10:
        time.sleep(0.1)
    assert visitor.evaluate("window.told") == 4401
    assert time.monotonic() - began < 5
    visitor.goto("/people/")
    expect(visitor).to_have_url(re.compile("/account/login/"))
    sign_in_again(visitor)


def sign_in_again(visitor: Page) -> None:
    """The person is still somebody, and is told that no desk is theirs."""
    visitor.fill("input[name=login]", "leaver@example.test")
    visitor.fill("input[name=password]", PASSWORD)
    visitor.click("main button")
    expect(visitor.locator("h1")).to_have_text("You are on no desk")
