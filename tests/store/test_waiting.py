"""Storage that throws or never answers, tabs that are frozen: the model runs from memory."""

from __future__ import annotations

import re
import time
from itertools import pairwise

import pytest
from playwright.sync_api import Page, Route

from tests.e2e.support import DIST, run
from tests.e2e.support import published as path_in_dist
from tests.hub.contents import Fault
from tests.hub.server import Hub
from tests.store.conftest import OpenPage, Publish
from tests.store.support import TINY, TINY_CONFIG, TINY_FILE, prefetch, stored, use_once
from tools.serve import Server

#: Put before the code of each worker, or into the page.
THROWS = """
for (const [owner, name] of [[self, 'indexedDB'], [self, 'caches'], [navigator, 'locks'],
    [navigator, 'storage'], [self, 'BroadcastChannel']])
  Object.defineProperty(owner, name, { get() { throw new DOMException('no', 'SecurityError'); } });
"""
MISSING = THROWS.replace("throw new DOMException('no', 'SecurityError');", "return undefined;")
OPEN_THROWS = """
IDBFactory.prototype.open = () => { throw new DOMException('no', 'SecurityError'); };
LockManager.prototype.query = () => Promise.reject(new DOMException('no', 'SecurityError'));
"""
LOCKS_ARE_SILENT = "LockManager.prototype.query = () => new Promise(() => {});"
#: Requests that nobody ever hears of again.
SILENT = """
const real = {0}.prototype.{1};
{0}.prototype.{1} = function (...given) {{
  const request = real.apply(this, given);
  request.addEventListener = () => {{}};
  return request;
}};"""
OPEN_IS_SILENT = SILENT.format("IDBFactory", "open")
GET_IS_SILENT = SILENT.format("IDBObjectStore", "get")
PUT_IS_SILENT = SILENT.format("IDBObjectStore", "put")
PUT_FAILS = """
const put = IDBObjectStore.prototype.put;
IDBObjectStore.prototype.put = function (...given) {
  const request = put.apply(this, given);
  if (given[0] instanceof ArrayBuffer) this.transaction.abort();
  return request;
};"""

#: Limits that a test waits for, ms.
SHORT = {"storage:": "400", "otherTab:": "1_000"}


@pytest.fixture(autouse=True)
def models(published: Publish) -> None:
    published("bert")


def shorten(page: Page, **others: str) -> None:
    limits = {**SHORT, **{f"{name}:": value for name, value in others.items()}}

    def answer(route: Route) -> None:
        text = route.fetch().text()
        for name, value in limits.items():
            text, count = re.subn(rf"(\b{name} )[\d_]+", rf"\g<1>{value}", text)
            assert count == 1
        route.fulfill(content_type="text/javascript", body=text)

    page.context.route("**/lib/patience.js", answer)


def break_workers(page: Page, code: str) -> None:
    def answer(route: Route) -> None:
        response = route.fetch()
        route.fulfill(response=response, body=code + response.text())

    # Not a worker's own script: to Chromium one that a test answers comes from the open network,
    # and may not ask the hub on this machine.
    page.context.route("**/workers/serve.js", answer)


def check_from_memory(page: Page) -> None:
    answer = use_once(page, TINY)
    assert "error" not in answer, answer["error"]["message"] + answer["error"]["cause"]
    assert answer["value"]["saved"] is False and len(answer["value"]["logits"]) == 3
    assert prefetch(page, TINY)["value"]["saved"] is False
    ids = run(page, "return (await (await t.lib()).models.list()).map(({ id }) => id)")
    assert "ms-marco-MiniLM-L-12-v2" in ids
    usage = run(page, "return (await t.lib()).models.usage()")
    assert usage["modelBytes"] == 0


@pytest.mark.parametrize("code", [THROWS, MISSING, OPEN_THROWS], ids=["throws", "missing", "open"])
def test_blocked_site_data(page: Page, hub: Hub, code: str) -> None:
    break_workers(page, code)
    run(page, f"{code} await (await t.lib()).models.persist()")
    check_from_memory(page)


@pytest.mark.parametrize(
    "code",
    [OPEN_IS_SILENT, GET_IS_SILENT, PUT_IS_SILENT],
    ids=["open", "get", "put"],
)
def test_storage_that_never_answers(page: Page, hub: Hub, code: str) -> None:
    shorten(page)
    break_workers(page, code)
    started = time.monotonic()
    check_from_memory(page)
    assert time.monotonic() - started < 60


def test_locks_that_never_answer(page: Page, hub: Hub) -> None:
    shorten(page)
    break_workers(page, LOCKS_ARE_SILENT)
    assert use_once(page, TINY)["value"]["saved"] is True


def test_a_put_that_fails(page: Page, hub: Hub) -> None:
    """Its error goes nowhere but into the answer: the fixture `uncaught` hears all others."""
    break_workers(page, PUT_FAILS)
    assert prefetch(page, TINY)["value"]["saved"] is False
    assert stored(page)["chunks"] == [] and stored(page)["partials"] == []


def test_a_lock_that_a_frozen_tab_keeps(open_page: OpenPage, site: Server, hub: Hub) -> None:
    """It gives no sign, so another tab goes on without; and tells that it waits."""
    page = open_page()
    shorten(page)
    run(
        page,
        """for (const name of arg)
          navigator.locks.request(name, () => new Promise(() => {}));""",
        ["webrerank:store", f"webrerank:{hub.repositories[TINY]['onnx/model.onnx'].sha256}"],
    )
    second = page.context.new_page()
    second.goto(site.url + "blank.html")
    answer = prefetch(second, TINY)
    assert answer["value"]["saved"] is True
    assert [event for event in answer["progress"] if event["file"] == "onnx/model.onnx"]


def test_a_tab_that_downloads_slowly_is_waited_for(
    open_page: OpenPage, site: Server, hub: Hub
) -> None:
    """It gives signs, so nothing is downloaded twice."""
    first = open_page()
    shorten(first)
    second = first.context.new_page()
    second.goto(site.url + "blank.html")
    hub.fault(TINY_FILE, Fault(hold_at=1_000))
    run(first, "t.prefetch(arg); return 0", TINY)
    first.wait_for_function("() => t.progress.some(({ file }) => file === 'onnx/model.onnx')")
    run(second, "t.running = t.prefetch(arg); return 0", TINY)
    second.wait_for_timeout(3_000)
    assert len(hub.asked(TINY_FILE)) == 1
    hub.release()
    assert run(second, "return t.running")["value"]["saved"] is True


def test_a_line_that_went_dead_is_given_up(page: Page, hub: Hub) -> None:
    """Nothing comes any more, and nobody says so."""
    shorten(page, host="1_000")
    hub.fault(TINY_FILE, Fault(hold_at=1_000))
    assert prefetch(page, TINY)["value"]["saved"] is True
    assert len(hub.asked(TINY_FILE)) == 2


def test_the_pauses_between_tries(page: Page, hub: Hub) -> None:
    """As they are shipped: 0.4 s, then twice as long each time."""
    text = (DIST / path_in_dist("lib/patience.js")).read_text(encoding="utf-8")
    page.context.route(
        "**/lib/patience.js",
        lambda route: route.fulfill(content_type="text/javascript", body=text),
    )
    times: list[float] = []
    page.context.on(
        "request",
        lambda request: (
            times.append(time.monotonic())
            if request.url.endswith("/config.json") and "/resolve/" in request.url
            else None
        ),
    )
    hub.fault(TINY_CONFIG, *(Fault(status=503) for _ in range(2)))
    assert prefetch(page, TINY)["value"]["saved"] is True
    pauses = [after - before for before, after in pairwise(times[:3])]
    assert pauses[0] >= 0.35 and pauses[1] >= 0.75
