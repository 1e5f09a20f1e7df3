"""The same tests in every engine; what an engine complains of fails them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.e2e.support import BLANK_PAGE, HELPERS, make_site
from tests.engines.chromium import ChromiumPage
from tests.engines.firefox import FirefoxPage
from tests.engines.page import EngineMissing, EnginePage
from tests.engines.webkit import WebKitPage
from tools.serve import Server, make_server

ENGINES = ("chromium", "firefox", "webkit")

#: For modules whose tests run in Chromium as part of tests/e2e already.
besides_chromium = pytest.mark.parametrize("engine", ENGINES[1:], indirect=True, scope="package")

#: Serves dist/ and a blank page from an origin of its own.
Serve = Callable[[], Server]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder needs a browser."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="package", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    """The name of the engine that the test runs in."""
    name: str = request.param
    return name


@pytest.fixture(scope="package")
def browser_page(engine: str, request: pytest.FixtureRequest) -> Iterator[EnginePage]:
    """The engine's one page; one engine runs at a time."""
    try:
        page = _open(engine, request)
    except EngineMissing as missing:  # build.py installs it where it can
        reason = f"{engine} is not on this machine: {missing}"
        if os.environ.get("CI"):
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    yield page
    page.close()


def _open(engine: str, request: pytest.FixtureRequest) -> EnginePage:
    if engine == "chromium":
        return ChromiumPage(request.getfixturevalue("playwright"))
    return FirefoxPage() if engine == "firefox" else WebKitPage()


@pytest.fixture
def page(browser_page: EnginePage) -> Iterator[EnginePage]:
    """The page; what the engine complains of and the test did not ask for fails the test."""
    yield browser_page
    complaints = browser_page.complaints()
    assert not complaints, "the browser complained:\n" + "\n".join(complaints)


@pytest.fixture(scope="package")
def site_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    script = '<script src="helpers.js"></script>'
    folder = make_site(
        tmp_path_factory.mktemp("engines-site"), BLANK_PAGE.replace("<p>", f"{script}<p>")
    )
    (folder / "helpers.js").write_bytes(HELPERS.read_bytes())
    return folder


@pytest.fixture(scope="module")
def serve(site_folder: Path) -> Iterator[Serve]:
    """Serve the site from a port of its own: a new origin, for which nothing is stored."""
    with ExitStack() as stack:

        def start() -> Server:
            server = make_server(site_folder, "127.0.0.1", 0)
            server.start()
            stack.callback(server.stop)
            return server

        yield start
