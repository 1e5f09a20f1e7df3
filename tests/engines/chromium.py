"""Chromium through Playwright, as in tests/e2e, behind the same few verbs as the other engines."""

from __future__ import annotations

from playwright.sync_api import ConsoleMessage, Playwright

from tests.e2e.support import BROWSER_ARGUMENTS, browser_path
from tests.engines.page import PATIENCE_S


class ChromiumPage:
    """A page of a Chromium of its own."""

    def __init__(self, playwright: Playwright) -> None:
        self._browser = playwright.chromium.launch(
            executable_path=browser_path(), args=BROWSER_ARGUMENTS
        )
        context = self._browser.new_context()
        self._complaints: list[str] = []
        context.on("console", self._hear)
        context.on("weberror", lambda error: self._complaints.append(f"uncaught: {error.error}"))
        self._page = context.new_page()
        self._page.set_default_timeout(PATIENCE_S * 1000)

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning", "assert"):
            self._complaints.append(f"console {message.type}: {message.text}")

    def go(self, url: str) -> None:
        self._page.goto(url)

    def reload(self) -> None:
        self._page.reload()

    def call(self, function: str, argument: str) -> str:
        text: str = self._page.evaluate(function, argument)
        return text

    def complaints(self) -> list[str]:
        self._page.evaluate("0")  # what came before it is heard by now
        heard, self._complaints = self._complaints, []
        return heard

    def close(self) -> None:
        self._browser.close()
