"""The app's ranking beside inputs that change: what is old must not pass for new."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.support import BERLIN, BERLIN_DOCUMENTS, Watch
from tools.serve import Server

LOADED = 30_000
STALE = "Ranking of the earlier query: "
QUERY = f"{BERLIN} <img src=x>"


@pytest.fixture(scope="module")
def app(browser: Browser, site: Server, all_watched: Watch) -> Iterator[Page]:
    """The app, loaded; each test writes its own query and documents."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    all_watched.follow(context)
    page = context.new_page()
    page.goto(site.url)
    expect(page.locator("#offline")).to_have_text("Ready to work offline.", timeout=LOADED)
    yield page
    all_watched.close(context)


def rank(page: Page, query: str, documents: list[str]) -> None:
    page.fill("#query", query)
    page.fill("#documents", "\n".join(documents))
    page.click("#rerank")
    words = f"Ranked {len(documents)} document"
    expect(page.locator("#status")).to_contain_text(words, timeout=LOADED)


def expect_stale(page: Page, words: str) -> None:
    expect(page.locator("#stale")).to_be_visible()
    expect(page.locator("#stale")).to_have_text(words)
    expect(page.locator("#results")).to_have_class("results is-stale")
    expect(page.locator("#results")).to_have_accessible_description(words)


def expect_current(page: Page) -> None:
    expect(page.locator("#stale")).to_be_hidden()
    expect(page.locator("#results")).to_have_class("results")
    expect(page.locator("#results")).to_have_accessible_description("")


def test_a_ranking_is_named_old_until_the_fields_match_it(app: Page) -> None:
    rank(app, QUERY, BERLIN_DOCUMENTS)
    expect_current(app)
    app.fill("#query", "something else")
    expect_stale(app, f"{STALE}{QUERY}")
    expect(app.locator("#stale img")).to_have_count(0)
    app.fill("#query", f" {QUERY}")
    expect_current(app)
    app.fill("#documents", "\n\n".join(BERLIN_DOCUMENTS))
    expect_current(app)
    app.fill("#documents", BERLIN_DOCUMENTS[0])
    expect_stale(app, "Ranking of the earlier documents, before they were changed.")
    rank(app, "something else", BERLIN_DOCUMENTS)
    expect_current(app)


def test_a_cancelled_ranking_leaves_the_old_one_named_old(app: Page) -> None:
    rank(app, QUERY, BERLIN_DOCUMENTS)
    app.fill("#query", "q")
    app.fill("#documents", "\n".join(f"{number} " + "word " * 300 for number in range(60)))
    app.click("#rerank")
    expect(app.locator("#progress-words")).to_contain_text("Ranking")
    app.keyboard.press("Escape")
    expect(app.locator("#status")).to_have_text("Cancelled.")
    expect(app.locator("#results .result")).to_have_count(2)
    expect_stale(app, f"{STALE}{QUERY}")


def test_what_changes_during_a_ranking_is_compared_with_it(app: Page) -> None:
    app.fill("#query", "q")
    app.fill("#documents", "\n".join(f"{number} " + "other " * 200 for number in range(20)))
    app.click("#rerank")
    expect(app.locator("#progress-words")).to_contain_text("Ranking")
    app.fill("#query", "another")
    expect(app.locator("#status")).to_contain_text("Ranked 20 documents", timeout=LOADED)
    expect_stale(app, f"{STALE}q")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a\nb\nc\n\n", "3 documents, one per line"),
        ("a\nb\n \nc", "2 documents, separated by blank lines"),
        ("a", "1 document"),
        ("", "0 documents"),
    ],
)
def test_the_count_says_what_separates_the_documents(app: Page, text: str, words: str) -> None:
    app.fill("#documents", text)
    expect(app.locator("#document-count")).to_have_text(words)


def test_the_form_stays_beside_a_long_ranking(app: Page) -> None:
    rank(app, BERLIN, [f"{number} of many" for number in range(60)])
    app.locator("#results .result").last.scroll_into_view_if_needed()
    for name in ("#query", "#rerank", "#status", "#model-panel summary"):
        expect(app.locator(name)).to_be_in_viewport(ratio=1)
    app.click("#model-panel summary")
    app.locator("#model-import").scroll_into_view_if_needed()
    expect(app.locator("#results .result").last).to_be_in_viewport()
    app.click("#model-panel summary")
    app.evaluate("() => scrollTo(0, 0)")
