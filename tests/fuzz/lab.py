"""A browser, a site and a hub for the fuzzer, and what every case is held to."""

from __future__ import annotations

import os
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, Playwright

from tests.e2e.support import BROWSER_ARGUMENTS, browser_path, make_site
from tests.fuzz.native import Files
from tests.hub.server import Hub
from tests.store.conftest import prepare
from tools.serve import make_server
from webrerank.errors import error_for_code

LAB = Path(__file__).with_name("lab.js")

#: A call that has not settled by then hangs; the product gives up a silent worker later.
CASE_SECONDS = 60

#: A page that does not answer the fuzzer itself is past saving.
PAGE_SECONDS = 120

Outcome = dict[str, Any]


class Lab:
    """Runs JavaScript in one page after another."""

    def __init__(self, playwright: Playwright, folder: Path) -> None:
        self.hub = Hub()
        self._folder = folder / "models"
        self._site = make_server(make_site(folder / "site"), "127.0.0.1", 0)
        self._site.start()
        arguments = [*BROWSER_ARGUMENTS, *self.hub.browser_arguments]
        self._browser: Browser = playwright.chromium.launch(
            executable_path=browser_path(), args=arguments
        )
        self._page: Page | None = None
        self._errors: list[str] = []
        self.seconds: float = CASE_SECONDS
        #: Called when the page itself hangs, just before the process ends.
        self.on_hang: Callable[[], None] = lambda: None

    def publish(self, name: str, files: Files) -> None:
        """Put a model onto the hub."""
        for file, content in files.items():
            path = self._folder / name / ("onnx" if file.endswith(".onnx") else "") / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        self.hub.add(name, self._folder / name)

    @property
    def page(self) -> Page:
        if self._page is None:
            context = self._browser.new_context()
            prepare(context, self._errors)
            context.add_init_script(path=LAB)
            self._page = context.new_page()
            self._page.goto(self._site.url + "blank.html")
        return self._page

    def renew(self) -> None:
        """Forget the page, its workers and all that it stored."""
        if self._page is not None:
            self._page.context.close()
            self._page = None

    def run(self, body: str, argument: Any = None) -> Outcome:
        """How the body of an async function of `arg` ended."""
        code = f"(arg) => t.bounded(async () => {{ {body} }}, {self.seconds * 1000})"
        with self._watchdog():
            try:
                outcome: Outcome = self.page.evaluate(code, argument)
            except Exception as error:
                self._page = None
                return {"crash": str(error)[:300]}
        return outcome

    def complaint(self) -> str:
        """What nobody caught in the page or a worker since the last time."""
        errors, self._errors[:] = list(self._errors), []
        return f"uncaught: {errors[0][:200]}" if errors else ""

    def close(self) -> None:
        self._browser.close()
        self._site.stop()
        self.hub.close()

    @contextmanager
    def _watchdog(self) -> Iterator[None]:
        timer = threading.Timer(PAGE_SECONDS, self._give_up)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _give_up(self) -> None:
        self.on_hang()
        print("the page hangs; its case was kept", file=sys.stderr, flush=True)
        os._exit(3)


@contextmanager
def opened_lab() -> Iterator[Lab]:
    """A lab that is cleared away in the end."""
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        lab = Lab(playwright, Path(folder))
        try:
            yield lab
        finally:
            lab.close()


def judge(outcome: Outcome, *, ours: bool = False) -> str:
    """What is wrong with how a call ended; a refusal with a code of its own is right.

    Args:
        ours: what was given can only come from a fault of ours, so `internal` is right too.
    """
    if "late" in outcome:
        return f"a call did not settle ({outcome['at']})"
    if "crash" in outcome:
        return f"the page crashed: {outcome['crash']}"
    error = outcome.get("error")
    if error is None:
        return ""
    text = f"{error['code']}: {error['message'][:200]} [{error['cause'][:100]}]"
    if not error["typed"]:
        return f"no RerankError but {error['name']}: {error['message'][:200]}"
    if (error["code"] == "internal" and not ours) or error_for_code(
        error["code"], ""
    ).code != error["code"]:
        return f"{outcome['at']} gives a code that means a fault of ours, {text}"
    return ""
