"""The mark moves, and one person hears of it once: in the inbox, by e-mail, at a webhook; others see who is there."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import socketserver
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from tests.journeys.conftest import SYMBOL, choose, sign_in, wait_until_live
from tests.journeys.test_journey_pages import AXE
from tests.journeys.test_journey_second_factor import invite, join
from tests.stack import Stack

IMAGES = os.environ.get("KFWEB_TEST_IMAGES")


@dataclass
class Heard:
    """What arrived outside the desk."""

    letters: list[str] = field(default_factory=list)
    calls: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


class Postbox(socketserver.ThreadingTCPServer):
    """As much of a mail server as a sender needs."""

    allow_reuse_address = daemon_threads = True

    def __init__(self, heard: Heard) -> None:
        super().__init__(("127.0.0.1", 0), _Mail)
        self.heard = heard


class _Mail(socketserver.StreamRequestHandler):
    server: Postbox

    def handle(self) -> None:
        self._say("220 here")
        while line := self.rfile.readline():
            word = line[:4].upper().strip()
            if word == b"DATA":
                self._say("354 go on")
                letter = b"".join(iter(self.rfile.readline, b".\r\n"))
                self.server.heard.letters.append(letter.decode())
            self._say("221 bye" if word == b"QUIT" else "250 ok")
            if word == b"QUIT":
                return

    def _say(self, words: str) -> None:
        self.wfile.write(f"{words}\r\n".encode())


class Receiver(ThreadingHTTPServer):
    def __init__(self, heard: Heard) -> None:
        super().__init__(("127.0.0.1", 0), _Hook)
        self.heard = heard


class _Hook(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.heard.calls.append((dict(self.headers), body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture(scope="module")
def heard() -> Heard:
    return Heard()


@pytest.fixture(scope="module")
def hook(heard: Heard) -> Iterator[str]:
    with Receiver(heard) as receiver:
        threading.Thread(target=receiver.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{receiver.server_port}"
        receiver.shutdown()


@pytest.fixture(scope="module")
def stack(heard: Heard, hook: str) -> Iterator[Stack]:
    """A desk of its own, that knows a mail server and a receiver on this machine."""
    with Postbox(heard) as postbox:
        threading.Thread(target=postbox.serve_forever, daemon=True).start()
        place = f"127.0.0.1:{postbox.server_address[1]}"
        running = Stack(KFWEB_SMTP_URL=f"smtp+plain://{place}", KFWEB_WEBHOOK_INSIDE=hook).start()
        yield running
        running.stop()
        postbox.shutdown()


def picture(page: Page, name: str) -> None:
    if IMAGES:
        page.screenshot(path=Path(IMAGES) / f"{name}.png", full_page=True)


def until(done: Any, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.2)


def move_mark(stack: Stack, percent: str) -> None:
    answer = requests.post(f"{stack.demo_url}/demo/mark", json={"symbol": SYMBOL, "percent": percent}, timeout=10)
    assert answer.ok, answer.text


def test_the_mark_moves_and_the_alert_arrives_once_everywhere(
    page: Page, stack: Stack, heard: Heard, hook: str
) -> None:
    page.goto("/keys/")
    page.get_by_role("button", name="Try the demo").click()
    expect(page.locator("[data-figure=equity]")).to_be_visible()

    page.goto("/inbox/webhooks/add/")
    page.fill("[name=url]", "http://10.0.0.7/hook")
    page.click("main button.primary")
    expect(page.locator(".errorlist")).to_contain_text("Only https")
    page.fill("[name=url]", f"http://{hook}/hook")
    page.fill("[name=label]", "Ours")
    page.click("main button.primary")
    secret = page.input_value("#secret")

    page.goto(f"/trade/{SYMBOL}/")
    wait_until_live(page)
    choose(page, "type", "market")
    page.fill("#id_size", "5")  # liquidated about a third below the mark
    page.click("[data-submit]")
    expect(page.locator("#ticket-result .state")).to_have_text("Filled")

    page.goto("/alerts/add/?kind=liquidation")
    page.fill("[name=threshold]", "25")
    page.fill("[name=rearm]", "28")
    page.select_option("[name=level]", "critical")
    picture(page, "alert-rule-1440")
    page.click("main button.primary")
    expect(page.locator("[data-rule]")).to_have_count(1)
    page.goto("/")
    bell = page.locator("[data-bell]")
    move_mark(stack, "-12")
    expect(bell).to_have_attribute("data-state", "some", timeout=30_000)
    until(lambda: heard.calls and any("liquidation price" in letter for letter in heard.letters))
    move_mark(stack, "-0.1")
    time.sleep(7)  # two more sweeps: what is told once stays told once
    headers, body = heard.calls[0]
    made = hmac.new(secret.encode(), headers["Kfweb-Timestamp"].encode() + b"." + body, hashlib.sha256).hexdigest()
    assert headers["Kfweb-Signature"] == f"v1={made}"
    said = json.loads(body)
    assert (said["kind"], said["level"]) == ("liquidation", "critical")
    assert len([call for call in heard.calls if json.loads(call[1])["kind"] == "liquidation"]) == 1
    assert len([letter for letter in heard.letters if "liquidation price" in letter]) == 1

    bell.click()
    notice = page.locator(".notice.unread").filter(has_text="liquidation price")
    expect(notice).to_have_count(1)
    picture(page, "inbox-1440")
    notice.locator("a").click()
    expect(page.locator("[data-channel=email]")).to_have_attribute("data-state", "sent")
    expect(page.locator("[data-channel=webhook]")).to_contain_text("204")
    picture(page, "notice-1440")
    page.get_by_role("link", name="Look at it").click()
    expect(page).to_have_url(re.compile(rf"/trade/{SYMBOL}/"))

    page.goto("/alerts/")
    page.locator("[data-rule]").get_by_role("button", name="Test").click()
    expect(page.locator("[data-channel=email]")).to_have_attribute("data-state", "sent")
    expect(page.locator("[data-channel=webhook]")).to_have_attribute("data-state", "sent")


SHOWN = """
window.shown = [];
window.Notification = class extends EventTarget {
  static permission = "granted";
  constructor(title, how) { super(); window.shown.push(`${title}: ${how.body}`); }
};
"""


def test_a_browser_that_was_allowed_to_shows_what_is_new_from_the_wished_level_on(page: Page) -> None:
    page.add_init_script(SHOWN)
    page.goto("/inbox/settings/")
    page.select_option("[name=browser]", "warning")
    page.get_by_role("button", name="Keep").click()
    expect(page.locator("#messages")).to_contain_text("Kept")
    for level in ("info", "critical"):
        page.goto("/inbox/settings/")
        expect(page.locator("[data-bell]")).to_have_attribute("data-state", re.compile("some|none"))
        page.select_option("#test-level", level)
        page.get_by_role("button", name="Send a test").click()
        expect(page).to_have_url(re.compile(r"/inbox/\d+/$"))
        expect(page.locator("[data-bell]")).to_have_attribute("data-state", re.compile("some|none"))
    until(lambda: page.evaluate("window.shown.length"))
    assert page.evaluate("window.shown") == [
        "kfweb: Tests: This is a test. If you read it where you wanted to, notices reach you."
    ]


def test_people_see_who_looks_at_what_and_the_book_grows_before_their_eyes(
    page: Page, browser: Browser, stack: Stack
) -> None:
    link = invite(page, "tess@example.test", "trader")
    context = browser.new_context(base_url=stack.url, viewport={"width": 1440, "height": 900})
    other = context.new_page()
    join(other, link)
    other.goto(f"/trade/{SYMBOL}/")
    page.goto("/people/")
    row = page.locator("[data-member]").filter(has_text="tess@example.test")
    expect(row.locator("[data-looks-at]")).to_have_text(SYMBOL)
    expect(page.locator("[data-here]")).to_have_text("1 more here")
    page.goto(f"/trade/{SYMBOL}/")
    expect(page.locator("[data-here]")).to_contain_text("tess@example.test here too")
    expect(other.locator("[data-here]")).to_contain_text("here too")
    page.goto("/activity/")
    newest = page.locator("[data-feed] tr").first
    before = newest.get_attribute("data-key")
    other.goto("/alerts/add/?kind=margin")
    other.click("main button.primary")
    expect(newest).to_contain_text("alert.added")
    expect(newest).to_contain_text("tess@example.test")
    assert newest.get_attribute("data-key") != before
    page.select_option("[name=what]", "alert")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("[data-feed] tr")).not_to_have_count(0)
    assert all("alert." in text for text in page.locator("[data-feed] tr").all_inner_texts())
    context.close()
    page.goto("/people/")
    expect(row.locator("[data-looks-at]")).to_have_text("–")


PAGES = (
    "/inbox/", "/inbox/settings/", "/inbox/webhooks/", "/inbox/webhooks/add/", "/inbox/webhooks/1/", "/alerts/",
    "/alerts/add/?kind=liquidation", "/activity/", "/people/", "/keys/", "/account/2fa/",
    "/account/2fa/totp/activate/", "/account/2fa/webauthn/add/", "/account/reauthenticate/",
)  # fmt: skip


@pytest.mark.parametrize("width", [1440, 360])
@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_the_pages_fit_and_are_accessible(browser: Browser, stack: Stack, width: int, scheme: Any) -> None:
    context = browser.new_context(
        base_url=stack.url, viewport={"width": width, "height": 800}, color_scheme=scheme, bypass_csp=True
    )
    page = context.new_page()
    sign_in(page)
    wrong: dict[str, Any] = {}
    for address in PAGES:
        page.goto(address)
        page.wait_for_timeout(400)
        picture(page, f"{address.strip('/').replace('/', '-').split('?')[0]}-{width}-{scheme}")
        if page.evaluate("() => document.documentElement.scrollWidth") > width:
            wrong[address] = "scrolls sideways"
        page.evaluate(AXE)
        found = page.evaluate("() => axe.run('main', {resultTypes: ['violations']})")["violations"]
        bad = [one["id"] for one in found if one["impact"] in {"serious", "critical"}]
        if bad:
            wrong[f"{address} axe"] = bad
    context.close()
    assert wrong == {}
