"""Chromium, and peers that run in it, each in a page of its own that is kept open."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from playwright.sync_api import BrowserContext, Error, Page, sync_playwright

from bench.document_sets import DocumentSet
from bench.peers import Measurement, PeerFailed

ARGUMENTS = [
    *("--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
    # Pages that wait for their turn must not be slowed down when it comes.
    *("--disable-background-timer-throttling", "--disable-renderer-backgrounding"),
    "--disable-backgrounding-occluded-windows",
]


@contextmanager
def chromium() -> Iterator[BrowserContext]:
    """A Chromium with a profile on disk, as people have one: HTTP cache, IndexedDB, Cache API."""
    with TemporaryDirectory(prefix="webrerank-bench-") as profile, sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            profile,
            executable_path=os.environ.get("WEBRERANK_BROWSER") or None,
            args=ARGUMENTS,
        )
        try:
            yield context
        finally:
            context.close()


@dataclass
class BrowserPeer:
    """A reranker in a page: pages/peer.js with one of the modules beside it."""

    name: str
    context: BrowserContext
    origin: str
    module: str
    worker: bool = False
    load_options: dict[str, Any] = field(default_factory=dict)
    rerank_options: dict[str, Any] = field(default_factory=dict)
    wants_pairs: bool = False
    page: Page | None = None

    def rerank(self, documents: DocumentSet) -> Measurement:
        """One call, timed in the page; the page is opened with the first."""
        try:
            page = self.page or self._open()
            page.bring_to_front()
            argument = {
                "query": documents.query,
                "documents": documents.documents,
                "options": self.rerank_options | (_ids(documents) if self.wants_pairs else {}),
            }
            answer = page.evaluate("(what) => peer.rerank(what)", argument)
        except Error as error:
            self.close()
            raise PeerFailed(error.message.splitlines()[0]) from error
        return Measurement(
            answer["ms"], answer["logits"], answer["details"] | {"started": answer["started"]}
        )

    def close(self) -> None:
        """Free the page and what runs in it."""
        if self.page is not None:
            self.page.close()
        self.page = None

    def _open(self) -> Page:
        page = self.page = self.context.new_page()
        page.goto(f"{self.origin}bench/peer.html")
        page.wait_for_function("globalThis.peer")
        page.evaluate(
            "(what) => peer.load(what)",
            {"module": self.module, "worker": self.worker, "options": self.load_options},
        )
        return page


def _ids(documents: DocumentSet) -> dict[str, Any]:
    return {
        "pairs": [
            {"ids": pair.input_ids.tolist(), "types": pair.token_type_ids.tolist()}
            for pair in documents.pairs
        ]
    }


def versions(context: BrowserContext) -> dict[str, str]:
    """The browser's own words on itself."""
    page = context.new_page()
    agent = str(page.evaluate("navigator.userAgent"))
    page.close()
    browser = context.browser
    return {"user agent": agent, "version": browser.version if browser else Path(agent).name}
