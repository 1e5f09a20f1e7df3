"""A browser that finds the model hub on this machine, and models that the hub has."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright

from tests.e2e.support import BROWSER_ARGUMENTS, HELPERS, MODEL_FOLDER, browser_path, make_site
from tests.e2e.support import published as path_in_dist
from tests.hub.server import Hub
from tests.hub.tiny_models import make_large, make_model, make_six_layers
from tools.serve import Server, make_server

STORE_HELPERS = Path(__file__).with_name("store_helpers.js")

#: Gives a page of a fresh context: nothing is stored.
OpenPage = Callable[[], Page]
#: Opens a browser with a profile on disk.
OpenProfile = Callable[[], BrowserContext]
#: Puts a model of an architecture on the hub, under 'test/<kind>'; gives its folder.
Publish = Callable[[str], Path]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder needs a browser."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="package")
def shared_hub() -> Iterator[Hub]:
    hub = Hub()
    yield hub
    hub.close()


@pytest.fixture
def hub(shared_hub: Hub) -> Iterator[Hub]:
    """The hub, well behaved and with an empty log."""
    shared_hub.reset()
    yield shared_hub
    shared_hub.reset()


@pytest.fixture(scope="package")
def site_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_site(tmp_path_factory.mktemp("store-site"))
    shorten_waits(folder / path_in_dist("lib/patience.js"))
    return folder


#: What is waited for in these tests is what the test itself brings about, so it can come soon.
#: test_waiting.py has the pauses as they are.
SHORT = {"FIRST_PAUSE_MS =": "20", "hostOfStored:": "1_500"}


def shorten_waits(patience: Path) -> None:
    """Write shorter limits into the library of the tests' own site."""
    text = patience.read_text(encoding="utf-8")
    for name, value in SHORT.items():
        text, count = re.subn(rf"({re.escape(name)} )[\d_]+", rf"\g<1>{value}", text)
        assert count == 1, f"{name} is not in patience.js"
    patience.unlink()  # it is a hard link to the one in dist/
    patience.write_text(text, encoding="utf-8")


@pytest.fixture(scope="package")
def site(site_folder: Path) -> Iterator[Server]:
    server = make_server(site_folder, "127.0.0.1", 0)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="package")
def browser_options(shared_hub: Hub) -> dict[str, object]:
    return {
        "executable_path": browser_path(),
        "args": [*BROWSER_ARGUMENTS, *shared_hub.browser_arguments],
    }


@pytest.fixture(scope="package")
def browser(playwright: Playwright, browser_options: dict[str, object]) -> Iterator[Browser]:
    started = playwright.chromium.launch(**browser_options)  # type: ignore[arg-type]
    yield started
    started.close()


def prepare(context: BrowserContext, errors: list[str]) -> None:
    """Give a context's pages the helpers, and gather what nobody caught."""
    context.add_init_script(path=HELPERS)
    context.add_init_script(path=STORE_HELPERS)
    context.on("weberror", lambda error: errors.append(str(error.error)))
    context.on(
        "console",
        lambda message: errors.append(message.text) if "Uncaught" in message.text else None,
    )


@pytest.fixture
def uncaught() -> Iterator[list[str]]:
    """Errors that nobody caught in any page or worker; they fail the test."""
    errors: list[str] = []
    yield errors
    assert not errors


@pytest.fixture
def open_page(browser: Browser, site: Server, uncaught: list[str]) -> Iterator[OpenPage]:
    contexts = []

    def open_one() -> Page:
        context = browser.new_context()
        contexts.append(context)
        prepare(context, uncaught)
        page = context.new_page()
        page.goto(site.url + "blank.html")
        return page

    yield open_one
    for context in contexts:
        context.close()


@pytest.fixture
def page(open_page: OpenPage) -> Page:
    return open_page()


@pytest.fixture
def open_profile(
    playwright: Playwright,
    browser_options: dict[str, object],
    tmp_path: Path,
    uncaught: list[str],
) -> Iterator[OpenProfile]:
    """A browser whose profile stays from one start to the next."""
    contexts = []

    def start() -> BrowserContext:
        context = playwright.chromium.launch_persistent_context(
            tmp_path / "profile",
            **browser_options,  # type: ignore[arg-type]
        )
        contexts.append(context)
        prepare(context, uncaught)
        return context

    yield start
    for context in contexts:
        context.close()


@pytest.fixture(scope="package")
def published(shared_hub: Hub, tmp_path_factory: pytest.TempPathFactory) -> Publish:
    """Models are made once, on first use."""
    base = tmp_path_factory.mktemp("models")

    def publish(kind: str) -> Path:
        folder = base / kind
        if not folder.exists():
            if kind == "six-layers":
                make_six_layers(folder, MODEL_FOLDER)
            elif kind != "large":
                make_model(folder, kind)
            else:
                make_large(folder)
            shared_hub.add(f"test/{kind}", folder)
        return folder

    return publish


@pytest.fixture(scope="package")
def bundled_on_hub(shared_hub: Hub) -> str:
    """The bundled model as a hub model: its weights are 34 MB, three chunks."""
    shared_hub.add("test/l12", MODEL_FOLDER)
    return "test/l12"
