"""A browser on dist/. Every complaint of the browser that a test did not expect fails the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright

from tests.e2e.support import BROWSER_ARGUMENTS, Watch, browser_path, make_site, run
from tools.serve import Server, make_server

OpenPage = Callable[..., Page]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder needs a browser."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="package")
def launch(playwright: Playwright) -> Iterator[Callable[..., Browser]]:
    """Start a browser with further arguments."""
    browsers: list[Browser] = []

    def start(*arguments: str) -> Browser:
        browser = playwright.chromium.launch(
            executable_path=browser_path(), args=[*BROWSER_ARGUMENTS, *arguments]
        )
        browsers.append(browser)
        return browser

    yield start
    for browser in browsers:
        browser.close()


@pytest.fixture(scope="package")
def browser(launch: Callable[..., Browser]) -> Browser:
    return launch()


@pytest.fixture(scope="package")
def site_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_site(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="package")
def site(site_folder: Path) -> Iterator[Server]:
    server = make_server(site_folder, "127.0.0.1", 0)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="package")
def all_watched() -> Watch:
    return Watch()


@pytest.fixture(autouse=True)
def watch(all_watched: Watch) -> Iterator[Watch]:
    """What the browser complains of; fails the test unless it was allowed."""
    yield all_watched
    all_watched.check()


@pytest.fixture
def open_page(
    browser: Browser, site: Server, all_watched: Watch, watch: Watch
) -> Iterator[OpenPage]:
    """Open pages with nothing stored, each in a context of its own."""
    contexts = []

    def open_one(path: str = "blank.html", *, base: str | None = None, **options: object) -> Page:
        context = browser.new_context(**options)  # type: ignore[arg-type]
        contexts.append(context)
        all_watched.follow(context)
        page = context.new_page()
        page.goto((base or site.url) + path)
        return page

    yield open_one
    for context in contexts:
        all_watched.close(context)


@pytest.fixture(scope="package")
def ready(browser: Browser, site: Server, all_watched: Watch) -> Iterator[Page]:
    """A blank page with the bundled model as `t.reranker`; shared, so leave it usable.

    Without the cache of logits: what a test asks for again is to be computed again.
    """
    context = browser.new_context()
    all_watched.follow(context)
    page = context.new_page()
    page.goto(site.url + "blank.html")
    run(page, "await t.start({ cache: false })")
    yield page
    all_watched.close(context)
