"""Aborting: at once, with the signal's own reason, at every stage, and without a trace."""

from __future__ import annotations

import time
from typing import Any

import pytest
from playwright.sync_api import Page, Route

from tests.e2e.conftest import OpenPage
from tests.e2e.support import (
    ABORT_MS,
    BERLIN,
    BERLIN_DOCUMENTS,
    Watch,
    check_berlin,
    run,
    wait_for_workers_to_end,
)
from tools.static_files import Handler

Record = pytest.FixtureRequest

pytestmark = pytest.mark.alone


def check(answer: dict[str, Any], test: pytest.FixtureRequest) -> None:
    """Aborted, in time, with the reason; the latency goes into the report."""
    assert not answer["resolved"], "it ended before the abort"
    assert answer["isReason"], answer
    test.node.user_properties.append(("abort_ms", round(answer["ms"], 1)))
    print(f"abort answered after {answer['ms']:.1f} ms")
    assert answer["ms"] < ABORT_MS


def test_before_the_start(ready: Page) -> None:
    answer = run(
        ready,
        """
        const reason = { mine: true };
        const signal = AbortSignal.abort(reason);
        const { createReranker, rerank } = await t.lib();
        const before = t.workers.length;
        const options = { query: 'q', documents: ['a'], signal };
        const calls = [
          createReranker({ signal }), t.reranker.rerank(options), rerank(options),
          t.reranker.rerank({ ...options, documents: [] }),
        ];
        const ended = await Promise.allSettled(calls);
        return {
          same: ended.map((call) => call.reason === reason),
          started: t.workers.length - before,
        };""",
    )
    assert answer == {"same": [True] * 4, "started": 0}


@pytest.mark.parametrize("reason", [None, "custom"])
def test_reason(ready: Page, reason: str | None, request: Record) -> None:
    answer = run(
        ready,
        """
        const documents = Array.from({ length: 50 }, (_, i) => `${i} ` + 'word '.repeat(100));
        const reason = arg ? { code: arg } : undefined;
        return t.abort((signal) => t.rerank('q', documents, { signal }), 150, reason);""",
        reason,
    )
    check(answer, request)
    assert reason or (answer["isDomException"] and answer["name"] == "AbortError")


def test_while_creating(open_page: OpenPage, watch: Watch, request: Record) -> None:
    watch.allow("ERR_ABORTED")
    page = open_page()
    body = """
        const { createReranker } = await t.lib();
        return t.abort((signal) => createReranker({ signal, sessions: 1 }), arg);"""
    for moment in (0, 50, 300, 600, 1000):
        check(run(page, body, moment), request)
    body = """
        const { createReranker } = await t.lib();
        let phase = '';
        const onProgress = (progress) => (phase = progress.phase);
        const load = (signal) => createReranker({ signal, onProgress, sessions: 1 });
        return t.abort(load, () => phase === arg);"""
    for phase in ("load", "warmup"):
        check(run(page, body, phase), request)
    wait_for_workers_to_end(page)
    answer = run(page, "await t.start(); return t.rerank(...arg)", [BERLIN, BERLIN_DOCUMENTS])
    assert [result["index"] for result in answer["results"]] == [0, 1]


def test_in_a_slow_download(
    open_page: OpenPage, watch: Watch, request: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch.allow("ERR_ABORTED")
    whole = Handler._copy

    def slow(handler: Handler, file: Any, count: int) -> None:
        if not handler.path.endswith(".onnx"):
            return whole(handler, file, count)
        while count > 0 and (chunk := file.read(1 << 18)):
            handler.wfile.write(chunk)
            count -= len(chunk)
            time.sleep(0.1)

    page = open_page()
    body = """
        const lib = await t.lib();
        const onProgress = (event) => t.progress.push(event);
        return t.abort((signal) => lib.createReranker({ signal, onProgress }), 3000);"""
    with monkeypatch.context() as patch:
        patch.setattr(Handler, "_copy", slow)
        check(run(page, body), request)
    last = run(page, "return t.progress.at(-1)")
    assert last["phase"] == "download" and 0 < last["loadedBytes"] < last["totalBytes"]


def test_a_host_that_never_answers(open_page: OpenPage, watch: Watch, request: Record) -> None:
    watch.allow("ERR_ABORTED")
    page = open_page()
    held: list[Route] = []
    page.route("**/catalogue.json", lambda route: held.append(route))
    body = """
        const { createReranker } = await t.lib();
        return t.abort((signal) => createReranker({ signal }), 1500);"""
    answer = run(page, body)
    check(answer, request)
    assert held
    for route in held:
        route.abort()  # or Playwright waits for it


@pytest.mark.parametrize("moment", [0, 30, 200])
def test_while_tokenising(ready: Page, moment: int, request: Record) -> None:
    answer = run(
        ready,
        """
        const big = '\\u0301 '.repeat(500_000) + 'end'; // to be read to its end: it has one token
        const answer = await t.abort((signal) => t.rerank('q', [big, big], { signal }), arg);
        await t.rerank('q', ['a']); // the next test is not to wait for it
        return answer;""",
        moment,
    )
    check(answer, request)


@pytest.mark.parametrize("name", ["signal", "abortSignal"])
def test_in_inference(ready: Page, name: str, request: Record) -> None:
    answer = run(
        ready,
        """
        const documents = Array.from({ length: 60 }, (_, i) => `${i} ` + 'word '.repeat(300));
        let seen = 0;
        const onProgress = () => seen++;
        const started = (signal) => t.rerank('q', documents, { [arg[0]]: signal, onProgress });
        const answer = await t.abort(started, () => seen >= 2);
        const then = seen;
        const next = performance.now();
        const ranking = await t.rerank(arg[1], arg[2]);
        return { ...answer, ranking, seen: then, after: seen - then,
                 nextMs: performance.now() - next };""",
        [name, BERLIN, BERLIN_DOCUMENTS],
    )
    check(answer, request)
    assert 2 <= answer["seen"] < 60, "the abort must come in mid-inference"
    assert answer["after"] == 0, "nothing is told after the abort"
    assert [result["index"] for result in answer["ranking"]["results"]] == [0, 1]
    assert answer["nextMs"] < 5000, "what was aborted must not hold up the next call"


def test_aborted_from_its_own_callback(ready: Page) -> None:
    answer = run(
        ready,
        """
        const stop = new AbortController();
        const onResult = () => stop.abort('enough');
        const told = await t.rerank('q', ['a', 'b', 'c'], { signal: stop.signal, onResult })
          .catch((reason) => reason);
        return { told, next: (await t.rerank('q', ['a'])).results.length };""",
    )
    assert answer == {"told": "enough", "next": 1}


def test_nothing_is_told_after_an_abort_from_a_callback(ready: Page) -> None:
    after = run(
        ready,
        """
        const stop = new AbortController();
        const after = [];
        const onResult = () => {
          if (stop.signal.aborted) after.push('result');
          stop.abort();
        };
        const onProgress = () => stop.signal.aborted && after.push('progress');
        const options = { signal: stop.signal, onResult, onProgress };
        await t.rerank('q', ['a', 'b', 'c'], options).catch(() => {});
        await t.rerank('q', ['d']);
        return after;""",
    )
    assert after == []


def test_nothing_is_told_after_an_abort_from_a_load(open_page: OpenPage, watch: Watch) -> None:
    watch.allow("ERR_ABORTED")
    page = open_page()
    after = run(
        page,
        """
        const stop = new AbortController();
        let after = 0;
        const onProgress = ({ phase }) => {
          if (stop.signal.aborted) after++;
          if (phase === arg) stop.abort();
        };
        const { createReranker } = await t.lib();
        await createReranker({ signal: stop.signal, onProgress, sessions: 1 }).catch(() => {});
        await t.sleep(1000);
        return after;""",
        "download",
    )
    assert after == 0
    wait_for_workers_to_end(page)


def test_between_the_last_score_and_the_answer(ready: Page) -> None:
    answer = run(
        ready,
        """
        const stop = new AbortController();
        const onProgress = ({ done, total }) => done === total && stop.abort('too late?');
        const told = await t.rerank('q', ['a', 'b', 'c'], { signal: stop.signal, onProgress })
          .catch((reason) => reason);
        return { told, next: (await t.rerank('q', ['a'])).results.length };""",
    )
    assert answer == {"told": "too late?", "next": 1}


def test_timeout(ready: Page) -> None:
    name = run(
        ready,
        """
        const documents = Array.from({ length: 50 }, () => 'word '.repeat(200));
        return t.rerank('q', documents, { signal: AbortSignal.timeout(100) })
          .catch((error) => error.name);""",
    )
    assert name == "TimeoutError"


def test_after_the_end_an_abort_changes_nothing(ready: Page) -> None:
    body = """
        const stop = new AbortController();
        const ranking = await t.rerank('q', ['a'], { signal: stop.signal });
        stop.abort();
        await t.rerank('q', ['b']);
        return ranking.results.length;"""
    assert run(ready, body) == 1


def test_no_listener_stays_on_a_signal(ready: Page) -> None:
    """On no signal at all: the library listens to signals of its own that follow the caller's."""
    added, left = run(
        ready,
        """
        const listening = new Map();
        let added = 0;
        const own = AbortSignal.prototype, { addEventListener, removeEventListener } = own;
        own.addEventListener = function (type, listener, options) {
          added++;
          listening.set(this, (listening.get(this) ?? new Set()).add(listener));
          addEventListener.call(this, type, listener, options);
        };
        own.removeEventListener = function (type, listener) {
          listening.get(this)?.delete(listener);
          removeEventListener.call(this, type, listener);
        };
        const { signal } = new AbortController();
        const long = Array.from({ length: 9 }, (_, i) => `${i} ` + 'word '.repeat(200));
        for (let n = 0; n < 3; n++) await t.rerank('q', ['a'], { signal });
        await t.rerank('q', [1], { signal }).catch(() => {});
        await t.rerank('q', [], { signal });
        await t.rerank('q', ['a'], { signal, maxLength: 2 }).catch(() => {});
        await t.rerank('q', long, { signal: AbortSignal.timeout(100) }).catch(() => {});
        await t.sleep(50);
        delete own.addEventListener;
        delete own.removeEventListener;
        return [added, [...listening.values()].reduce((sum, { size }) => sum + size, 0)];""",
    )
    assert added >= 5, "the test sees what the library listens to"
    assert left == 0


def test_many_aborts_leave_a_reranker_that_works(ready: Page) -> None:
    answer = run(
        ready,
        """
        const documents = Array.from({ length: 20 }, (_, i) => `${i} ` + 'word '.repeat(60));
        for (let n = 0; n < 15; n++)
          await t.abort((signal) => t.rerank('q', documents, { signal }), n * 7);
        return t.rerank(...arg);""",
        [BERLIN, BERLIN_DOCUMENTS],
    )
    check_berlin(answer)
