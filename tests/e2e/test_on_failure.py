"""onFailure 'input-order': a page gets its documents as they were, and is told that it did."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page

from tests.e2e.conftest import OpenPage
from tests.e2e.support import MODEL, Watch, check_works, run

DOCUMENTS = [f"document {number} " + "word " * 120 for number in range(200)]


def check_input_order(ranking: dict[str, Any], documents: list[Any], code: str) -> None:
    assert ranking["reranked"] is False
    assert ranking["why"]["typed"] and ranking["why"]["code"] == code
    results = ranking["results"]
    assert [result["document"] for result in results] == documents
    assert [result["index"] for result in results] == list(range(len(documents)))
    assert [result["rank"] for result in results] == list(range(1, len(documents) + 1))
    for result in results:
        assert (result["score"], result["logit"], result["truncated"]) == (0, None, False)
    assert ranking["usage"]["pairs"] == 0


def test_a_worker_dies(ready: Page) -> None:
    ranking = run(
        ready,
        """
        let seen = 0;
        const options = { onFailure: 'input-order', topK: 20, minScore: 0.5 };
        const call = t.rerank('q', arg, { ...options, onProgress: () => seen++ });
        while (!seen) await t.sleep(1);
        t.crash('Python', -1);
        const ranking = await call;
        return { ...ranking, why: t.describe(ranking.error) };""",
        DOCUMENTS,
    )
    check_input_order(ranking, DOCUMENTS[:20], "worker_crashed")
    assert ranking["model"] == MODEL and ranking["device"] == "wasm" and ranking["sessions"] > 0
    check_works(ready)


def test_nothing_loads(open_page: OpenPage, watch: Watch) -> None:
    watch.allow("404")
    ranking = run(
        open_page(),
        """
        const { rerank } = await t.lib();
        const request = { query: 'q', documents: arg, onFailure: 'input-order' };
        const ranking = await rerank({ ...request, model: './nowhere/' });
        return { ...ranking, why: t.describe(ranking.error) };""",
        ["a", {"text": "b"}],
    )
    check_input_order(ranking, ["a", {"text": "b"}], "model_load")
    assert ranking["model"] == "./nowhere/" and ranking["sessions"] == 0


def test_what_the_caller_did_rejects_all_the_same(open_page: OpenPage) -> None:
    page = open_page()
    outcomes = run(
        page,
        """
        await t.start({ sessions: 1 });
        const call = (more) => t.rerank('q', arg, { onFailure: 'input-order', ...more });
        const controller = new AbortController();
        const aborted = t.outcome(() => call({ signal: controller.signal }));
        await t.sleep(100);
        controller.abort(new Error('mine'));
        const invalid = t.outcome(() => call({ topK: -1 }));
        const disposed = t.outcome(() => call());
        await t.sleep(100);
        await t.reranker.dispose();
        const after = t.outcome(() => call());
        return Promise.all([aborted, invalid, disposed, after]);""",
        DOCUMENTS,
    )
    aborted, invalid, *disposed = (outcome["error"] for outcome in outcomes)
    assert aborted["message"] == "mine"
    assert invalid["code"] == "invalid_request"
    assert [error["code"] for error in disposed] == ["disposed", "disposed"]
