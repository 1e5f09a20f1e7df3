"""Workers that die and parts that do not load: every call ends, typed, and the next one works."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, Route

from tests.e2e.conftest import OpenPage
from tests.e2e.support import BERLIN, Watch, check_works, run, wait_for_workers_to_end

MANY = [f"document {number} " + "word " * 120 for number in range(24)]


@pytest.fixture(scope="module")
def before(ready: Page) -> dict[int, float]:
    """The right logits of MANY."""
    return logits_of(run(ready, "return t.rerank(...arg)", [BERLIN, MANY]))


def logits_of(ranking: dict[str, Any]) -> dict[int, float]:
    return {result["index"]: result["logit"] for result in ranking["results"]}


def test_a_session_dies_in_mid_run(ready: Page, before: dict[int, float]) -> None:
    outcome = run(
        ready,
        """
        let done = 0, most = 0;
        const onProgress = (event) => { done++; most = Math.max(most, event.done); };
        const call = t.outcome(() => t.rerank(...arg, { onProgress }));
        while (done < 3) await t.sleep(10);
        t.crash('session', -1);
        return { ...(await call), done, most };""",
        [BERLIN, MANY],
    )
    # The pair it was at runs once more, on another: one death costs no call.
    assert logits_of(outcome["value"]) == before
    assert outcome["done"] == outcome["most"] == len(MANY)
    check_works(ready)


def test_all_sessions_die_at_once(ready: Page, before: dict[int, float]) -> None:
    outcome = run(
        ready,
        """
        let done = 0;
        const call = t.outcome(() => t.rerank(...arg, { onProgress: () => done++ }));
        while (done < 3) await t.sleep(10);
        // The oldest each time: what replaces them is newer.
        for (let live = t.reranker.sessions; live > 0; live--) t.crash('session', 0);
        return call;""",
        [BERLIN, MANY],
    )
    assert logits_of(outcome["value"]) == before
    check_works(ready)


def test_a_session_throws_for_real(ready: Page) -> None:
    """Not an event of the test's own, but an error that nobody catches."""
    sessions = [worker for worker in ready.workers if "session-worker" in worker.url]
    sessions[0].evaluate("void setTimeout(() => { throw new Error('by the test'); })")
    ready.wait_for_timeout(300)
    check_works(ready)


def test_an_idle_session_dies_again_and_again(ready: Page) -> None:
    for _ in range(3):
        run(ready, "t.crash('session', -1)")
        check_works(ready)
        ready.wait_for_timeout(1500)  # a new one takes its place


def test_python_dies_with_three_calls_pending(ready: Page) -> None:
    errors = run(
        ready,
        """
        const calls = [1, 2, 3].map((n) => t.outcome(() => t.rerank(`${n}`, arg)));
        await t.sleep(200);
        t.crash('Python', -1);
        return Promise.race([Promise.all(calls), t.sleep(5000)]);""",
        MANY,
    )
    assert errors, "a call hangs"
    for outcome in errors:
        assert outcome["error"]["typed"] and outcome["error"]["code"] == "worker_crashed"
        assert outcome["error"]["retryable"]
        assert "word" not in outcome["error"]["message"]
    check_works(ready)


def test_python_dies_while_idle(ready: Page) -> None:
    run(ready, "t.crash('Python', -1)")
    check_works(ready)


@pytest.mark.alone
def test_the_restart_can_be_aborted(ready: Page) -> None:
    answer = run(
        ready,
        """
        t.crash('Python', -1);
        const call = (signal) => t.rerank('q', ['a'], { signal });
        const other = t.rerank('q', ['a']);
        return { ...(await t.abort(call, 300)), other: (await other).results.length };""",
    )
    assert answer["isReason"] and answer["ms"] < 250
    assert answer["other"] == 1, "the restart goes on for the others"
    check_works(ready)


def test_starts_that_fail_leave_no_worker(open_page: OpenPage, watch: Watch) -> None:
    """Python dies while the model is being opened: no session may be started afterwards."""
    watch.allow("ERR_ABORTED")
    page = open_page()
    outcomes = run(
        page,
        """
        await t.start({ sessions: 2 });
        const codes = [];
        t.crash('Python', -1);
        for (const _ of [1, 2, 3]) {
          const before = t.workers.length;
          const call = t.outcome(() => t.rerank('q', ['a']));
          const opening = () => t.workers.slice(before).some(
            ({ name, unanswered }) =>
              name.includes('model') && [...unanswered.values()].includes('open'));
          while (!opening()) await t.sleep(0);
          t.crash('Python', -1);
          codes.push((await call).error?.code);
        }
        await t.sleep(2000); // the opened model would have started them
        return codes;""",
    )
    assert outcomes == ["worker_crashed"] * 3
    assert [worker.url for worker in page.workers] == []
    run(page, "await t.reranker.dispose()")
    wait_for_workers_to_end(page)


@pytest.mark.parametrize("moment", ["starting", "loading", "warm", "replaced", "both"])
def test_a_session_dies_while_python_boots(open_page: OpenPage, watch: Watch, moment: str) -> None:
    watch.allow("ERR_ABORTED")
    page = open_page()
    held: list[Route] = []
    page.route("**/webrerank-*.whl", lambda route: held.append(route))
    run(
        page,
        """
        const sessions = () => t.workers.filter(({ name }) => name.includes('session'));
        const owes = (call) => sessions().some(
          ({ unanswered }) => [...unanswered.values()].includes(call));
        let phase = '';
        const onProgress = (event) => (phase = event.phase);
        window.call = t.outcome(() => t.start({ sessions: 2, onProgress }));
        const until = async (holds) => { while (!holds()) await t.sleep(0); };
        const ready = () => phase === 'warmup' && !owes('load') && !owes('warmup');
        if (arg === 'starting') await until(() => sessions().length);
        else if (arg === 'loading') await until(() => owes('load'));
        else await until(ready);
        t.crash('session', 0);
        if (arg === 'both') t.crash('session', 0);
        if (arg !== 'replaced') return;
        await until(() => owes('load'));
        await until(ready);
        t.crash('session', -1);""",
        moment,
    )
    while not held:
        page.wait_for_timeout(50)
    page.wait_for_timeout(500)
    for route in held:
        route.continue_()
    page.unroute_all()
    outcome = run(page, "return window.call")
    if "error" in outcome:
        assert moment in ("starting", "loading"), outcome
        assert outcome["error"]["code"] in ("worker_crashed", "runtime_load"), outcome
        assert outcome["error"]["retryable"]
        run(page, "await t.start({ sessions: 2 })")
    else:
        assert run(page, "return t.reranker.sessions") == 2
    check_works(page)


@pytest.mark.parametrize("worker", ["Python", "session", "model"])
def test_a_worker_dies_in_the_start(open_page: OpenPage, watch: Watch, worker: str) -> None:
    watch.allow("ERR_ABORTED")
    page = open_page()
    outcome = run(
        page,
        """
        const call = t.outcome(() => t.start({ sessions: 1 }));
        while (!t.workers.some(({ name }) => name.includes(arg))) await t.sleep(1);
        t.crash(arg);
        return Promise.race([call, t.sleep(60_000)]);""",
        worker,
    )
    assert outcome, "the start hangs"
    if "error" not in outcome:  # another took its place
        return check_works(page)
    assert outcome["error"]["typed"] and outcome["error"]["retryable"], outcome
    assert outcome["error"]["code"] in ("worker_crashed", "runtime_load", "model_load")


@pytest.mark.parametrize(
    ("pattern", "code"),
    [
        ("**/pyodide.asm.wasm", "runtime_load"),
        ("**/pyodide.mjs", "runtime_load"),
        ("**/webrerank-*.whl", "runtime_load"),
        ("**/ort-wasm-simd-threaded.wasm", "model_load|runtime_load"),
        ("**/ort.wasm.min.mjs", "runtime_load"),
        ("**/tokenizers.js", "runtime_load"),
        ("**/workers/python-worker.js", "worker_crashed|runtime_load"),
        ("**/workers/model-worker.js", "worker_crashed|runtime_load"),
        ("**/onnx/model_quantized.onnx", "model_load|unsupported_model"),
        ("**/tokenizer.json", "model_load|unsupported_model"),
        ("**/catalogue.json", "model_load|runtime_load"),
    ],
)
def test_a_missing_part(open_page: OpenPage, watch: Watch, pattern: str, code: str) -> None:
    watch.allow("404", "ERR_ABORTED", "ERR_FAILED", "console .*wasm", "console .*pyodide")
    page = open_page()
    page.route(pattern, lambda route: route.fulfill(status=404, body="not found"))
    body = "return Promise.race([t.outcome(() => t.start({ sessions: 1 })), t.sleep(60_000)])"
    outcome = run(page, body)
    assert outcome, "the start hangs"
    error = outcome["error"]
    assert error["typed"] and error["code"] in code.split("|"), error
    if "/workers/" in pattern:
        assert not error["retryable"], "a script that was taken away from its workers stays so"
    elif error["code"] != "unsupported_model":
        assert error["retryable"], "once the file is back, the same call succeeds"
    if error["code"] == "runtime_load":
        assert error["cause"], "what the browser said, for whoever looks deeper"
    if pattern in ("**/pyodide.asm.wasm", "**/onnx/model_quantized.onnx"):
        page.unroute_all()
        run(page, "await t.start({ sessions: 1 })")
        check_works(page)


def test_an_unknown_model_is_named_as_such(ready: Page) -> None:
    body = (
        "return t.outcome(async () => (await t.lib()).createReranker({ model: 'nothing-known' }))"
    )
    error = run(ready, body)["error"]
    assert error["typed"] and error["code"] == "invalid_request"


def test_an_empty_folder(ready: Page, watch: Watch) -> None:
    watch.allow("404")
    body = "return t.outcome(async () => (await t.lib()).createReranker({ model: './nowhere/' }))"
    error = run(ready, body)["error"]
    assert error["typed"] and error["code"] == "model_load"
    assert not error["retryable"], "a wrong address stays so"
