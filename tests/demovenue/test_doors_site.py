"""The venue's own pages, used as a browser without a script would use them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
import requests

from demovenue.doors.scenarios import SCENARIOS
from tests.venue_process import DemoKey, DemoVenue, start_demovenue

pytestmark = pytest.mark.venue


class Page(HTMLParser):
    """Forms with their hidden fields, texts by id, and whether the document is well-formed enough to be read."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.csrf = ""
        self.by_id: dict[str, str] = {}
        self.labels = 0
        self._id: str | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if given.get("name") == "csrf":
            self.csrf = given.get("value") or ""
        self.labels += tag == "label"
        self._id = given.get("id")

    def handle_data(self, data: str) -> None:
        if self._id:
            self.by_id.setdefault(self._id, data)
            self._id = None


class Browser:
    def __init__(self, venue: DemoVenue) -> None:
        self.venue = venue
        self.session = requests.Session()
        self.page = Page("")

    def open(self, path: str) -> requests.Response:
        return self._read(self.session.get(self.venue.url + path, timeout=10))

    def send(self, path: str, **fields: str) -> requests.Response:
        body = {"csrf": self.page.csrf, **fields}
        return self._read(self.session.post(self.venue.url + path, data=body, timeout=10))

    def _read(self, answer: requests.Response) -> requests.Response:
        self.page = Page(answer.text)
        return answer


@pytest.fixture
def browser(venue: DemoVenue) -> Iterator[Browser]:
    made = Browser(venue)
    yield made
    made.session.close()


@pytest.fixture
def member(browser: Browser) -> Browser:
    browser.open("/")
    browser.send("/signup", terms="yes", privacy="yes")
    return browser


def test_from_sign_up_to_a_working_key(browser: Browser, venue: DemoVenue) -> None:
    assert "Sign up" in browser.open("/").text
    shown = browser.send("/signup", terms="yes", privacy="yes")
    email, password = browser.page.by_id["email"], browser.page.by_id["password"]
    assert "@" in email
    assert "Complete sign-up" in shown.text
    settings = browser.send("/signup/complete", noted="yes")
    assert settings.url.endswith("/settings")
    made = browser.send("/settings/keys", general="full", withdrawal="none")
    key = DemoKey(browser.page.by_id["public-key"], browser.page.by_id["private-key"])
    assert venue.v3(key, "GET", "accounts")["result"] == "success"
    again = browser.open("/settings")
    assert key.public in again.text
    assert key.private not in again.text
    assert key.private in made.text
    revoked = browser.send("/settings/revoke", public=key.public)
    assert key.public not in revoked.text
    assert venue.v3(key, "GET", "accounts")["error"] == "authenticationError"
    browser.send("/signout")
    browser.open("/signin")
    assert browser.send("/signin", email=email, password=password).url.endswith("/account")


def test_signing_up_needs_the_terms(browser: Browser) -> None:
    browser.open("/")
    assert browser.send("/signup", terms="yes").url.rstrip("/") == browser.venue.url
    assert "email" not in browser.page.by_id


def test_a_wrong_password_is_refused(browser: Browser) -> None:
    browser.open("/signin")
    answer = browser.send("/signin", email="nobody@example.test", password="wrong")
    assert answer.status_code == 403
    assert "wrong" in answer.text


@pytest.mark.parametrize("path", ["/account", "/settings", "/scenarios"])
def test_a_stranger_is_asked_to_sign_in(browser: Browser, path: str) -> None:
    assert browser.open(path).url.endswith("/signin")


@pytest.mark.parametrize("path", ["/signup", "/signin", "/account/fund", "/settings/keys", "/scenarios"])
def test_a_form_without_its_token_is_refused(member: Browser, path: str) -> None:
    member.page.csrf = "forged"
    assert member.send(path, terms="yes", privacy="yes", scenario="drop").status_code == 403


def test_the_faucet_pours(member: Browser) -> None:
    member.open("/account")
    poured = member.send("/account/fund", wallet="cash", currency="usd", amount="123")
    assert "Poured 123 USD into cash" in poured.text
    for amount in ("-1", "much", "NaN"):
        refused = member.send("/account/fund", wallet="cash", currency="usd", amount=amount)
        assert refused.status_code == 400
        assert 'role="alert"' in refused.text


def test_the_market_is_shown(browser: Browser) -> None:
    shown = browser.open("/market").text
    assert re.search(r"PF_XBTUSD</td><td[^>]*>\d{2},\d{3}<", shown)  # a tick is one dollar
    assert re.search(r"PI_XBTUSD</td><td[^>]*>\d{2},\d{3}\.\d<", shown)  # half a dollar


def test_a_sign_up_page_that_is_loaded_again_leads_to_the_form(browser: Browser) -> None:
    assert browser.open("/signup").url.rstrip("/") == browser.venue.url


def test_every_scenario_has_its_button(member: Browser) -> None:
    shown = member.open("/scenarios").text
    assert all(f'value="{name}"' in shown for name in SCENARIOS)


def test_scenario_buttons(member: Browser, venue: DemoVenue) -> None:
    member.open("/scenarios")
    assert "lost" in member.send("/scenarios", scenario="drop").text
    assert [one["fault"] for one in venue.faults()] == ["drop_response"]
    assert "no position" in member.send("/scenarios", scenario="liquidate_me").text
    member.send("/scenarios", scenario="calm")
    assert venue.faults() == []
    assert member.send("/scenarios", scenario="nosuch").status_code == 404


def test_any_fault_is_armed_for_everybody_or_for_one_key(member: Browser, venue: DemoVenue) -> None:
    member.open("/settings")
    member.send("/settings/keys", general="full", withdrawal="none")
    public = member.page.by_id["public-key"]
    member.open("/scenarios")
    assert "Armed: delay" in member.send("/scenarios/faults", fault="delay", key=public, count="2", seconds="0.1").text
    assert "Armed: ws_gap" in member.send("/scenarios/faults", fault="ws_gap", key="", count="", seconds="").text
    armed = [(one["fault"], one["key"], one["count"], one["seconds"]) for one in venue.faults()]
    assert armed == [("delay", public, 2, 0.1), ("ws_gap", None, 1, None)]
    for wrong in ({"fault": "nosuch"}, {"fault": "delay", "count": "-1"}, {"fault": "delay", "key": "not mine"}):
        assert member.send("/scenarios/faults", **wrong).status_code == 400


def test_signing_up_is_throttled(tmp_path_factory: pytest.TempPathFactory) -> None:
    own = start_demovenue(tmp_path_factory.mktemp("crowd"))
    try:
        crowd = Browser(own)
        crowd.open("/")
        codes = []
        for _ in range(40):
            crowd.session.cookies.clear()
            crowd.open("/")
            codes.append(crowd.send("/signup", terms="yes", privacy="yes").status_code)
        assert codes[:30] == [200] * 30
        assert codes[-1] == 429
        assert own.signup().key.public, "scripts on this machine go on"
    finally:
        own.stop()


def test_wrong_passwords_are_throttled_and_those_who_are_in_stay_in(tmp_path_factory: pytest.TempPathFactory) -> None:
    own = start_demovenue(tmp_path_factory.mktemp("guesses"))
    try:
        me = own.signup()
        guesses = [own.session.get(own.url + "/demo/ledger", auth=(me.email, f"guess {n}")) for n in range(40)]
        assert {one.status_code for one in guesses} == {401}
        assert sum(one.elapsed.total_seconds() > 0.01 for one in guesses[-10:]) < 10
        assert own.ledger(me)["orders"] == []
    finally:
        own.stop()


@pytest.mark.parametrize("path", ["/", "/signin", "/market", "/account", "/settings", "/scenarios"])
def test_every_page_is_locked_down_and_says_its_language(member: Browser, path: str) -> None:
    answer = member.open(path)
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "<script" not in answer.text
    assert " style=" not in answer.text
    assert '<html lang="en">' in answer.text
    assert len(re.findall("<h1>", answer.text)) == 1
    inputs = re.findall(r'<input(?![^>]*type="hidden")', answer.text)
    assert len(inputs) <= member.page.labels


def test_the_cookie_is_not_for_scripts_or_other_sites(browser: Browser) -> None:
    cookie = browser.open("/").headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie


def test_a_session_is_renewed_at_sign_in(browser: Browser) -> None:
    browser.open("/")
    before = browser.session.cookies["demovenue"]
    browser.send("/signup", terms="yes", privacy="yes")
    assert browser.session.cookies["demovenue"] != before


def test_what_is_typed_is_escaped(member: Browser) -> None:
    member.open("/account")
    answer = member.send("/account/fund", wallet="<b>", currency="usd", amount="1")
    assert "<b>" not in answer.text.replace("<body", "")
