"""A browser in which Pyodide runs as in the product, with Python code of the tests' own."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Playwright

from tests.e2e.support import BROWSER_ARGUMENTS, browser_path
from tools.assets import Cache, default_cache_folder, load_parts
from tools.serve import make_server

ROOT = Path(__file__).resolve().parents[2]

#: These run in the browser, carried there by test_in_pyodide.py.
collect_ignore = ["inside"]

START = """() => {
  const worker = new Worker('/tests/pyodide/harness-worker.js', { type: 'module' });
  globalThis.ask = (message) => new Promise((resolve, reject) => {
    worker.onerror = (event) => reject(new Error(`the harness died: ${event.message}`));
    worker.onmessage = ({ data }) => {
      clearTimeout(timer);
      if (data.error) reject(new Error(data.error));
      else resolve(data.value);
    };
    worker.postMessage(message);
    const timer = setTimeout(() => reject(new Error('no answer from Pyodide')), message.timeout);
  });
}"""


#: The longest that one request to the harness may take, ms.
TIMEOUT_MS = 240_000


class PyodideHarness:
    """tests/pyodide/harness-worker.js, seen from CPython."""

    def __init__(self, page: Page) -> None:
        self._page = page
        page.evaluate(START)
        self._ask(action="boot")

    def unpack(self, zip_base64: str, folder: str) -> None:
        """Unpack a zip into Pyodide's file system."""
        self._ask(action="unpack", zip=zip_base64, folder=folder)

    def run(self, code: str, given: Any = None, timeout_ms: int = TIMEOUT_MS) -> Any:
        """Run Python in the browser; `given` is at hand there, the last line is the answer."""
        return self._ask(action="run", code=code, given=given, timeout=timeout_ms)

    def _ask(self, **message: Any) -> Any:
        message.setdefault("timeout", TIMEOUT_MS)
        return self._page.evaluate("(message) => globalThis.ask(message)", message)


@pytest.fixture(scope="module")
def pyodide(playwright: Playwright) -> Iterator[PyodideHarness]:
    """Pyodide in a module worker, with the webrerank wheel of dist/ installed."""
    # The repository is served, so that the harness stands beside dist/ on one origin.
    server = make_server(ROOT, "127.0.0.1", 0)
    server.start()
    try:
        browser = playwright.chromium.launch(executable_path=browser_path(), args=BROWSER_ARGUMENTS)
        page = browser.new_page()
        # pytest needs more of the standard library than dist/ has.
        page.route("**/python_stdlib.zip", lambda route: route.fulfill(path=_whole_library()))
        page.goto(f"{server.url}dist/files.json")
        yield PyodideHarness(page)
        browser.close()
    finally:
        server.stop()


def _whole_library() -> Path:
    """Pyodide's own standard library, from the cache that the build filled."""
    files = [file for part in load_parts(ROOT / "assets.toml") for file in part.files]
    (library,) = (file for file in files if file.path.endswith("/python_stdlib.zip"))
    return Cache(default_cache_folder()).path(library)
