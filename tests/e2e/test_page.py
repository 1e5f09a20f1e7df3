"""The app, as a person meets it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Request, expect

from tests.e2e.conftest import OpenPage
from tests.e2e.support import BERLIN, BERLIN_DOCUMENTS, Watch, recorded_requests
from tools.serve import Server

LOADED = 30_000

#: Harmless as text, not so as markup, template or direction.
HOSTILE = [
    "<img src=x onerror=\"document.title='pwned'\">",
    "<script>document.title='pwned'</script>",
    "{{constructor.constructor('return 1')()}} ${7*7} <%= 7*7 %>",
    "\u202ereversed\u202c \u2066isolated",
    "javascript:alert(1)",
    "unbroken" * 80,
]


@pytest.fixture(scope="module")
def app(browser: Browser, site: Server, all_watched: Watch) -> Iterator[Page]:
    """The app, loaded; each test writes its own query and documents."""
    context = browser.new_context()
    all_watched.follow(context)
    page = context.new_page()
    page.goto(site.url)
    expect(page.locator("#offline")).to_have_text("Ready to work offline.", timeout=LOADED)
    yield page
    all_watched.close(context)


def fill(page: Page, query: str, documents: list[str]) -> None:
    page.fill("#query", query)
    page.fill("#documents", "\n\n".join(documents))


def expect_ranked(page: Page, count: int) -> list[str]:
    """Wait for the ranking; gives the texts, best first."""
    expect(page.locator("#status")).to_contain_text(f"Ranked {count} document", timeout=LOADED)
    expect(page.locator("#results .result")).to_have_count(count)
    return [str(text) for text in page.locator("#results .result-text").all_text_contents()]


def scores(page: Page) -> list[float]:
    texts = page.locator("#results .result-score").all_text_contents()
    return [float(text.removeprefix("Score ").removeprefix("<")) for text in texts]


def test_first_visit_one_click(open_page: OpenPage) -> None:
    page = open_page("")
    expect(page.locator("#query")).not_to_have_value("")
    expect(page.locator("#document-count")).to_have_text("10 documents, separated by blank lines")
    expect(page.locator("#progress")).to_be_visible()
    expect(page.locator("#progress-words")).not_to_be_empty()
    page.get_by_role("button", name="Rerank").click()
    expect(page.locator("#progress-note")).to_contain_text("ranked as soon as")
    page.evaluate(
        """() => {
          globalThis.bar = [];
          const progress = document.getElementById('progress-bar');
          const note = () => bar.push(progress.value);
          new MutationObserver(note).observe(progress, { attributes: true });
        }"""
    )
    texts = expect_ranked(page, 10)
    assert "at least four weeks" in texts[0], "the sample's best answer has no word of the query"
    values = scores(page)
    assert values == sorted(values, reverse=True)
    bar = page.evaluate("bar")
    assert max(bar) > 0.7, "the progress bar moves"
    expect(page.locator("#progress")).to_be_hidden()
    expect(page.locator("#status")).to_contain_text("wasm")
    expect(page.locator("#offline")).to_have_text("Ready to work offline.", timeout=LOADED)


def test_nothing_typed_leaves_the_page(app: Page) -> None:
    sent: list[str] = []

    def note(request: Request) -> None:
        sent.append(f"{request.method} {request.url} {request.post_data or ''} {request.headers}")

    app.context.on("request", note)
    with recorded_requests() as paths:
        fill(app, "xyzzyquery", ["xyzzydocument one", "two xyzzydocument"])
        app.click("#rerank")
        expect_ranked(app, 2)
        app.wait_for_timeout(200)
    app.context.remove_listener("request", note)
    assert not [line for line in [*sent, *paths] if "xyzzy" in line]
    assert "xyzzy" not in app.url
    stored = app.evaluate("() => JSON.stringify({ ...localStorage, ...sessionStorage })")
    assert "xyzzy" not in stored


def test_documents_are_text_and_nothing_else(app: Page) -> None:
    title = app.title()
    fill(app, "<b>query</b> <img src=x onerror=alert(1)>", HOSTILE)
    app.click("#rerank")
    texts = expect_ranked(app, len(HOSTILE))
    assert sorted(texts) == sorted(HOSTILE)
    app.wait_for_timeout(100)
    assert app.title() == title
    assert app.locator("#results img, #results script, #results a").count() == 0
    directions = app.locator("#results .result-text").evaluate_all("all => all.map((e) => e.dir)")
    assert set(directions) == {"auto"}


def test_cancel(app: Page) -> None:
    fill(app, "q", [f"{number} " + "word " * 300 for number in range(60)])
    cancel = app.get_by_role("button", name="Cancel")
    expect(cancel).to_have_attribute("aria-disabled", "true")
    app.click("#rerank")
    expect(app.locator("#progress-words")).to_contain_text("Ranking")
    expect(cancel).to_have_attribute("aria-disabled", "false")
    cancel.click()
    expect(app.locator("#status")).to_have_text("Cancelled.", timeout=1000)
    expect(app.locator("#progress")).to_be_hidden()
    expect(app.locator("#error")).to_be_empty()

    fill(app, BERLIN, BERLIN_DOCUMENTS[::-1])
    app.click("#rerank")
    assert expect_ranked(app, 2) == BERLIN_DOCUMENTS


def test_keyboard_only(app: Page) -> None:
    app.reload()
    expect(app.locator("#status")).to_have_text("Ready.", timeout=LOADED)
    focused = "() => document.activeElement.id"
    for _ in range(10):
        app.keyboard.press("Tab")
        if app.evaluate(focused) == "query":
            break
    assert app.evaluate(focused) == "query"
    app.keyboard.press("Control+A")
    app.keyboard.type(BERLIN)
    app.keyboard.press("Tab")
    assert app.evaluate(focused) == "documents"
    app.keyboard.press("Control+A")
    app.keyboard.insert_text("\n".join(reversed(BERLIN_DOCUMENTS)))
    app.keyboard.press("Control+Enter")
    assert expect_ranked(app, 2) == BERLIN_DOCUMENTS
    app.keyboard.press("Tab")
    assert app.evaluate(focused) == "rerank"
    app.keyboard.press("Enter")
    expect_ranked(app, 2)

    fill(app, "q", [f"{number} " + "word " * 300 for number in range(60)])
    app.keyboard.press("Control+Enter")
    expect(app.locator("#progress-words")).to_contain_text("Ranking")
    app.keyboard.press("Escape")
    expect(app.locator("#status")).to_have_text("Cancelled.", timeout=1000)


@pytest.mark.parametrize(
    ("query", "documents", "field", "words"),
    [("  ", ["a"], "query", "Write a query"), ("q", [], "documents", "Add some documents")],
)
def test_what_is_missing_is_said(
    app: Page, query: str, documents: list[str], field: str, words: str
) -> None:
    fill(app, query, documents)
    app.click("#rerank")
    expect(app.locator("#error")).to_contain_text(words)
    expect(app.locator(f"#{field}")).to_be_focused()
    expect(app.locator(f"#{field}")).to_have_attribute("aria-invalid", "true")
    app.fill(f"#{field}", "something")
    expect(app.locator(f"#{field}")).not_to_have_attribute("aria-invalid", "true")


def test_a_failed_load_is_told_in_words_and_can_be_retried(
    open_page: OpenPage, watch: Watch
) -> None:
    watch.allow("503", "ERR_ABORTED", "blocked by Playwright")
    page = open_page("blank.html", service_workers="block")
    missing = "**/onnx/model_quantized.onnx"
    page.route(missing, lambda route: route.fulfill(status=503, body="not now"))
    page.goto(page.url.removesuffix("blank.html"))
    error = page.locator("#error")
    expect(error).to_contain_text("The model is not loaded.", timeout=LOADED)
    text = error.inner_text()
    assert "503" in text and "Try again" in text
    assert not any(word in text for word in ("Error:", "undefined", "[object", " at http"))
    page.unroute(missing)
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#status")).to_have_text("Ready.", timeout=LOADED)
    page.click("#rerank")
    expect_ranked(page, 10)


@pytest.mark.parametrize("width", [320, 360, 768, 1280])
def test_no_sideways_scrolling(app: Page, width: int) -> None:
    fill(app, "unbroken" * 40, HOSTILE)
    app.click("#rerank")
    expect_ranked(app, len(HOSTILE))
    app.set_viewport_size({"width": width, "height": 740})
    overflow = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert app.evaluate(overflow) <= 0
    app.set_viewport_size({"width": 1280, "height": 720})
