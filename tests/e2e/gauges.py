"""What a page and its workers hold: heaps, wasm memories, Python objects, proxies, listeners.

Nothing of this is in the product: workers' scripts get worker_gauges.js put before them on their
way to the browser, and heaps are read over the DevTools protocol.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, Route

PROBE = Path(__file__).with_name("worker_gauges.js")

#: Where the Python worker has Pyodide, but none of the product's own Python yet.
PYTHON_IS_UP = "await installWebrerank(pyodide);"

#: `gauge` by `place`: 'page', or a worker's name.
Numbers = dict[str, dict[str, int]]


class Gauges:
    """Made before the page loads the library."""

    def __init__(self, page: Page) -> None:
        self._page = page
        page.route("**/workers/*-worker.js", _put_probe_before)
        page.evaluate(f"() => {{ {PROBE.read_text(encoding='utf-8')} }}")
        browser = page.context.browser
        assert browser is not None
        self._cdp = browser.new_browser_cdp_session()
        self._cdp.on("Target.receivedMessageFromTarget", self._receive)
        own = page.context.new_cdp_session(page)
        self._page_target = own.send("Target.getTargetInfo")["targetInfo"]["targetId"]
        own.detach()
        self._answers: dict[int, dict[str, Any]] = {}
        self._sessions: dict[str, str] = {}

    def read(self) -> Numbers:
        """Collect garbage everywhere, and read all gauges."""
        targets = self._targets()
        # Twice: Python lets go of what JavaScript no longer has only after it was collected there.
        for _ in range(2):
            for target in targets.values():
                self._ask(target, "HeapProfiler.collectGarbage")
            for worker in self._page.workers:
                worker.evaluate("gauges.collect()")
        numbers: Numbers = {"page": self._page.evaluate("gauges.read()")}
        numbers["page"]["workers"] = len(targets) - 1
        for worker in self._page.workers:
            numbers[worker.evaluate("self.name")] = worker.evaluate("gauges.read()")
        for name, target in targets.items():
            self._ask(target, "HeapProfiler.collectGarbage")
            heap = self._ask(target, "Runtime.getHeapUsage")
            numbers[name]["JS heap"] = int(heap["usedSize"])
            numbers[name]["buffers"] = int(heap["backingStorageSize"])
        return numbers

    def wait_for_workers(self, count: int) -> None:
        """Fail if others stay, by the browser's own count, which is the last to forget them."""
        for _ in range(100):
            if len(self._page.workers) == len(self._workers()) == count:
                return
            self._page.wait_for_timeout(100)
        raise AssertionError(f"still there: {[info['title'] for info in self._workers()]}")

    def _workers(self) -> list[dict[str, Any]]:
        found = self._cdp.send("Target.getTargets", {"filter": [{}]})["targetInfos"]
        workers = [info for info in found if info["type"] == "worker"]
        return [info for info in workers if info.get("parentId") == self._page_target]

    def _targets(self) -> dict[str, str]:
        """The page and its workers by name, which are unique as long as there is one reranker."""
        workers = {info["title"]: info["targetId"] for info in self._workers()}
        return {"page": self._page_target, **workers}

    def _ask(self, target: str, method: str) -> dict[str, Any]:
        if target not in self._sessions:
            options = {"targetId": target, "flatten": False}
            self._sessions[target] = self._cdp.send("Target.attachToTarget", options)["sessionId"]
        number = len(self._answers) + 1
        self._answers[number] = {}
        message = json.dumps({"id": number, "method": method})
        sent = {"sessionId": self._sessions[target], "message": message}
        self._cdp.send("Target.sendMessageToTarget", sent)
        for _ in range(6000):  # a minute: it hangs
            if self._answers[number]:
                break
            self._page.wait_for_timeout(10)
        result: dict[str, Any] = self._answers[number]["result"]
        return result

    def _receive(self, event: dict[str, str]) -> None:
        answer = json.loads(event["message"])
        if "id" in answer:
            self._answers[answer["id"]] = answer


def _put_probe_before(route: Route) -> None:
    answer = route.fetch()
    code = answer.text()
    if route.request.url.endswith("/python-worker.js"):
        assert PYTHON_IS_UP in code, "python-worker.js has changed: adapt gauges.py"
        code = code.replace(PYTHON_IS_UP, f"self.gauges.follow(pyodide); {PYTHON_IS_UP}")
    route.fulfill(response=answer, body=PROBE.read_text(encoding="utf-8") + code)
