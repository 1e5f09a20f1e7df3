"""Workers that hang: the watchdogs give them up, all calls end, and the next one works.

Each hangs for real. The clocks are turned on, as no test can wait for minutes.
"""

from __future__ import annotations

from playwright.sync_api import Page, Worker

from tests.e2e.conftest import OpenPage
from tests.e2e.support import BERLIN, BERLIN_DOCUMENTS, run

HANG = "void setTimeout(() => { for (;;); })"

#: lib/worker-client.js and workers/session-port.js.
PAGE_PATIENCE_S, SESSION_PATIENCE_MS = 120, 90_000

THREE_CALLS = """
    const documents = Array.from({ length: 6 }, (_, i) => `${i} ` + 'word '.repeat(60));
    window.calls = [1, 2, 3].map((n) => t.outcome(() => t.rerank(`${n}`, documents)));"""


def worker_named(page: Page, name: str) -> Worker:
    return next(worker for worker in page.workers if name in worker.url)


def check_all_failed(page: Page) -> None:
    outcomes = run(page, "return Promise.all(window.calls)")
    for outcome in outcomes:
        assert outcome["error"]["code"] == "worker_crashed" and outcome["error"]["retryable"]
    results = run(page, "return t.rerank(...arg)", [BERLIN, BERLIN_DOCUMENTS])["results"]
    assert [result["index"] for result in results] == [0, 1]


def test_python_hangs(open_page: OpenPage) -> None:
    page = open_page()
    page.clock.install()
    run(page, "await t.start({ sessions: 1 })")
    worker_named(page, "python-worker").evaluate(HANG)
    run(page, THREE_CALLS)
    page.clock.fast_forward((PAGE_PATIENCE_S - 1) * 1000)
    settled = "return Promise.race([...window.calls, Promise.resolve('pending')])"
    assert run(page, settled) == "pending", "given up too early"
    page.clock.fast_forward(2000)
    page.clock.resume()
    check_all_failed(page)


def test_a_session_hangs(open_page: OpenPage) -> None:
    page = open_page()
    run(page, "await t.start({ sessions: 1, cache: false })")
    # The one timer of 90 seconds is shortened; all others stay.
    worker_named(page, "python-worker").evaluate(
        """(patience) => {
          const { setTimeout } = self;
          self.setTimeout = (work, ms, ...rest) =>
            setTimeout(work, ms === patience ? 1500 : ms, ...rest);
        }""",
        SESSION_PATIENCE_MS,
    )
    worker_named(page, "session-worker").evaluate(HANG)
    run(page, THREE_CALLS)
    check_all_failed(page)
