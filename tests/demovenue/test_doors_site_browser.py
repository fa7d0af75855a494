"""The venue's own pages in a real Chromium: nobody is shut out, nothing scrolls sideways on a phone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.venue_process import DemoVenue

pytestmark = [pytest.mark.browser, pytest.mark.venue]
AXE = (Path(__file__).resolve().parents[1] / "fixtures/axe/axe.min.js").read_text()
PLACES = ("/account", "/market", "/settings", "/scenarios")


def _serious(page: Page) -> list[str]:
    page.evaluate(AXE)
    result: dict[str, Any] = page.evaluate("() => axe.run({resultTypes: ['violations']})")
    bad = [one for one in result["violations"] if one["impact"] in {"serious", "critical"}]
    return [f"{page.url} {one['id']}: {one['nodes'][0]['html'][:160]}" for one in bad]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1440])
def test_everybody_can_use_every_page(browser: Browser, venue: DemoVenue, scheme: Any, width: int) -> None:
    context = browser.new_context(
        base_url=venue.url, color_scheme=scheme, viewport={"width": width, "height": 800}, bypass_csp=True
    )
    page, found = context.new_page(), []

    def look() -> None:
        found.extend(_serious(page))
        if page.evaluate("() => document.documentElement.scrollWidth > innerWidth"):
            found.append(f"{page.url} is wider than the screen")

    page.goto("/signin")
    look()
    page.goto("/")
    look()
    for words in ("I accept the terms", "I accept the privacy"):
        page.get_by_label(words).check()
    page.get_by_role("button", name="Sign up").click()
    look()
    page.get_by_label("I have noted both").check()
    page.get_by_role("button", name="Complete sign-up").click()
    page.get_by_role("button", name="Create key").click()
    look()
    for place in PLACES:
        page.goto(place)
        look()
    context.close()
    assert not found, "\n".join(found)
