"""What says nothing: watchdogs give up workers that hang, and no computer that only slept.

Workers hang for real. The page's clock is turned on, or the limits of lib/patience.js are shortened
on their way to the browser, as no test can wait for minutes.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, Worker

from tests.e2e.conftest import OpenPage
from tests.e2e.support import BERLIN, BERLIN_DOCUMENTS, Watch, check_works, run, shorten_patience
from tools.serve import Server

HANG = "void setTimeout(() => { for (;;); })"

#: lib/patience.js: `worker`.
PATIENCE_S = 120

THREE_CALLS = """
    const documents = Array.from({ length: 6 }, (_, i) => `${i} ` + 'word '.repeat(60));
    window.calls = [1, 2, 3].map((n) => t.outcome(() => t.rerank(`${n}`, documents)));"""

SETTLED = "return Promise.race([...window.calls, Promise.resolve('pending')])"


def worker_named(page: Page, name: str) -> Worker:
    return next(worker for worker in page.workers if name in worker.url)


def check_all_failed(page: Page) -> None:
    outcomes = run(page, "return Promise.all(window.calls)")
    for outcome in outcomes:
        assert outcome["error"]["code"] == "worker_crashed" and outcome["error"]["retryable"]
    results = run(page, "return t.rerank(...arg)", [BERLIN, BERLIN_DOCUMENTS])["results"]
    assert [result["index"] for result in results] == [0, 1]


@pytest.fixture
def clocked(open_page: OpenPage) -> Page:
    """A page with a reranker and a clock that tests can turn on."""
    page = open_page()
    page.clock.install()
    run(page, "await t.start({ sessions: 1 })")
    return page


def test_python_hangs(clocked: Page) -> None:
    worker_named(clocked, "python-worker").evaluate(HANG)
    run(clocked, THREE_CALLS)
    clocked.clock.run_for((PATIENCE_S - 5) * 1000)
    assert run(clocked, SETTLED) == "pending", "given up too early"
    clocked.clock.run_for(6000)
    check_all_failed(clocked)


def test_python_hangs_while_someone_types(clocked: Page) -> None:
    """Each call is aborted by the next, a minute later: none of them waits for two minutes."""
    worker_named(clocked, "python-worker").evaluate(HANG)
    started = run(clocked, "return t.workers.length")
    for _ in range(PATIENCE_S // 60):
        run(
            clocked,
            """
            window.typed?.abort();
            window.typed = new AbortController();
            void t.outcome(() => t.rerank('typed', ['a'], { signal: window.typed.signal }));""",
        )
        clocked.clock.run_for(60_000)
    assert run(clocked, "return t.rerank('q', ['a'])")["results"]
    assert run(clocked, "return t.workers.length") > started


def test_a_laptop_that_slept_loses_nothing(clocked: Page) -> None:
    """Timers that fell due meanwhile fire once: so the page's clock is turned on here."""
    started = run(clocked, "return t.workers.length")
    run(clocked, THREE_CALLS)
    clocked.clock.fast_forward(100 * PATIENCE_S * 1000)
    assert all("value" in outcome for outcome in run(clocked, "return Promise.all(window.calls)"))
    assert run(clocked, "return t.workers.length") == started


def test_a_session_hangs(open_page: OpenPage) -> None:
    page = open_page()
    shorten_patience(page, session=8_000)
    run(page, "await t.start({ sessions: 1, cache: false })")
    worker_named(page, "session-worker").evaluate(HANG)
    run(page, THREE_CALLS)
    check_all_failed(page)


@pytest.fixture
def own_browser(
    launch: Callable[..., Browser], site: Server, watch: Watch
) -> Iterator[tuple[Browser, Page]]:
    """A browser whose processes can be stopped without harm to other tests."""
    browser = launch()
    context = browser.new_context()
    watch.follow(context)
    page = context.new_page()
    page.goto(site.url + "blank.html")
    yield browser, page
    watch.close(context)


def renderers(browser: Browser) -> list[int]:
    """The processes that run pages and their workers."""
    processes = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    return [process["id"] for process in processes if process["type"] == "renderer"]


def test_processes_that_are_stopped_for_longer_than_all_patience(
    own_browser: tuple[Browser, Page],
) -> None:
    browser, page = own_browser
    shorten_patience(page, worker=12_000, session=12_000, replacement=10_000)
    run(page, "await t.start({ sessions: 2, cache: false })")
    run(
        page,
        """
        const documents = Array.from({ length: 60 }, (_, i) => `${i} ` + 'word '.repeat(200));
        window.seen = 0;
        const onProgress = () => window.seen++;
        window.call = t.outcome(() => t.rerank('q', documents, { onProgress }));
        while (window.seen < 2) await t.sleep(5);""",
    )
    started, seen = run(page, "return [t.workers.length, window.seen]")
    assert seen < 60, "it must be stopped in the middle of its work"
    stopped = renderers(browser)
    for process in stopped:
        os.kill(process, signal.SIGSTOP)
    time.sleep(20)
    for process in stopped:
        os.kill(process, signal.SIGCONT)
    outcome = run(page, "return window.call")
    assert len(outcome["value"]["results"]) == 60, outcome
    assert run(page, "return t.workers.length") == started, "a healthy worker was ended"
    check_works(page)
