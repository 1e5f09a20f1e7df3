"""Too little memory: fewer sessions are used, and if even one is too many, the error says so."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route

from tests.e2e.conftest import OpenPage
from tests.e2e.support import Watch, check_works, run

#: Put before a session worker's code: at some point the browser has no memory left to give.
SHORT_OF = {
    "to begin": """
        WebAssembly.Memory = class {
          constructor() { throw new RangeError('WebAssembly.Memory(): could not allocate memory'); }
        };""",
    "for the weights": """
        const { Memory } = WebAssembly;
        WebAssembly.Memory = class extends Memory {
          grow(pages) {
            if (this.buffer.byteLength + pages * 65536 > 30 * 2 ** 20) throw new RangeError('no');
            return super.grow(pages);
          }
        };""",
}


@pytest.fixture(params=SHORT_OF)
def short(request: pytest.FixtureRequest) -> str:
    return SHORT_OF[request.param]


def let_start(page: Page, is_short: Callable[[int], bool], code: str) -> None:
    """Prepend to the code of those session workers whose number, from 0, is said to be short."""
    started = 0

    def answer(route: Route) -> None:
        nonlocal started
        response = route.fetch()
        prefix = code if is_short(started) else ""
        started += 1
        route.fulfill(response=response, body=prefix + response.text())

    page.route("**/workers/session-worker.js", answer)


def test_fewer_sessions(open_page: OpenPage, watch: Watch, short: str) -> None:
    watch.allow("console error")
    page = open_page()
    let_start(page, lambda number: number == 1, short)
    run(page, "await t.start({ sessions: 2 })")
    assert run(page, "return t.reranker.sessions") == 1
    assert sum("session-worker" in worker.url for worker in page.workers) == 1
    check_works(page)


def test_alone_it_may_fit(open_page: OpenPage, watch: Watch) -> None:
    watch.allow("console error")
    page = open_page()
    let_start(page, lambda number: number < 2, SHORT_OF["for the weights"])
    run(page, "await t.start({ sessions: 2 })")
    assert run(page, "return t.reranker.sessions") == 1
    check_works(page)


def test_still_too_much(open_page: OpenPage, watch: Watch, short: str) -> None:
    watch.allow("console error")
    page = open_page()
    let_start(page, lambda _: True, short)
    error = run(page, "return t.outcome(() => t.start({ sessions: 2 }))")["error"]
    assert error["typed"] and error["code"] == "out_of_memory"
    assert "fewer sessions or a smaller model" in error["message"]
    page.unroute_all()
    run(page, "await t.start({ sessions: 2 })")
    check_works(page)


def test_no_room_for_the_one_that_takes_its_place(open_page: OpenPage, watch: Watch) -> None:
    watch.allow("console error")
    page = open_page()
    let_start(page, lambda number: number > 1, SHORT_OF["for the weights"])
    run(page, "await t.start({ sessions: 2 })")
    run(page, "t.crash('session', -1)")
    check_works(page)
    run(page, "while (t.reranker.sessions !== 1) await t.sleep(50)")
    check_works(page)
