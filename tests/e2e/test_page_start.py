"""The app where its scripts do not run, or not yet: it must not be dead without a word."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import OpenPage
from tests.e2e.support import DIST
from tools.serve import Server

HINT = "#not-started"

#: Starts its delay anew and stops it shortly before the end; gives the hint's height.
AT_1900_MS = """(hint) => {
  hint.hidden = true;
  hint.getBoundingClientRect();
  hint.hidden = false;
  const [delay] = hint.getAnimations();
  delay.pause();
  delay.currentTime = 1900;
  return hint.getBoundingClientRect().height;
}"""


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Nobody watches over it: the browser complains of what is amiss here."""
    context = browser.new_context(reduced_motion="reduce")
    yield context.new_page()
    context.close()


def test_a_page_that_runs_has_no_hint(open_page: OpenPage) -> None:
    page = open_page("")
    expect(page.locator("#progress")).to_be_visible()
    expect(page.locator(HINT)).to_have_count(0)


def test_from_disk(page: Page) -> None:
    page.goto((DIST / "index.html").as_uri())
    expect(page.locator(HINT)).to_be_visible()
    expect(page.locator(HINT)).to_contain_text("it does not run as a file opened from disk")


def test_without_scripts(page: Page, site: Server) -> None:
    page.route("**/app/main.js", lambda route: route.abort())
    page.goto(site.url)
    expect(page.locator(HINT)).to_be_visible()
    expect(page.locator(HINT)).to_contain_text("needs JavaScript")


def test_the_hint_waits_for_the_scripts_but_a_click_does_not(page: Page, site: Server) -> None:
    page.route("**/app/main.js", lambda route: route.abort())
    page.goto(site.url)
    assert page.locator(HINT).evaluate(AT_1900_MS) == 0, "nothing moves when it goes"
    expect(page.locator(HINT)).to_be_hidden()
    page.hover("#rerank")
    page.mouse.down()  # once it is up, Playwright waits for a navigation that the CSP refuses
    expect(page.locator(HINT)).to_be_visible()
