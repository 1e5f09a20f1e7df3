"""`stopAtOnce`: an abort ends the sessions that compute, and spoils nothing for others."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.e2e.support import BERLIN, BERLIN_DOCUMENTS, run

#: Aborts a call of long documents in mid-inference; answers with what became of the sessions.
ABORT = """
    const documents = Array.from({ length: 40 }, (_, i) => `${i} ` + 'word '.repeat(500));
    const sessions = () => t.workers.filter(({ name }) => name.includes('session')).length;
    const before = sessions();
    let seen = 0;
    const options = { onProgress: () => seen++, stopAtOnce: arg.stopAtOnce };
    const answer = await t.abort(
      (signal) => t.rerank('q', documents, { ...options, signal }), () => seen >= 2);
    const ranking = await t.rerank(...arg.next);
    return { ...answer, ranking, started: sessions() - before };"""


def abort(page: Page, *, stop_at_once: bool) -> dict[str, object]:
    argument = {"stopAtOnce": stop_at_once, "next": [BERLIN, BERLIN_DOCUMENTS]}
    answer: dict[str, object] = run(page, ABORT, argument)
    assert answer["isReason"]
    results = answer["ranking"]["results"]  # type: ignore[index]
    assert results[0]["logit"] == pytest.approx(9.3942, abs=1e-3)
    return answer


def test_sessions_that_compute_are_replaced(ready: Page) -> None:
    live = run(ready, "return t.reranker.sessions")
    assert abort(ready, stop_at_once=True)["started"] == live, "all were computing for the call"
    ready.wait_for_timeout(2500)  # Chromium lets a worker that computes go on for two seconds
    assert sum("session-worker" in worker.url for worker in ready.workers) == live


def test_without_it_they_stay(ready: Page) -> None:
    assert abort(ready, stop_at_once=False)["started"] == 0


def test_again_and_again(ready: Page) -> None:
    """More sessions end than may die of themselves."""
    for _ in range(6):
        abort(ready, stop_at_once=True)


def test_another_call_goes_on(ready: Page) -> None:
    """It loses its sessions too, and its documents run again."""
    answer = run(
        ready,
        """
        const mine = Array.from({ length: 6 }, (_, i) => `${i} ` + 'other '.repeat(200));
        const alone = await t.rerank('q', mine);
        const documents = Array.from({ length: 20 }, (_, i) => `${i} ` + 'word '.repeat(400));
        const seen = [];
        const aborted = t.abort(
          (signal) => t.rerank('q', documents, { signal, stopAtOnce: true }), 300);
        const beside = await t.rerank('q', mine);
        const logits = (ranking) => ranking.results.map(({ index, logit }) => [index, logit]);
        return { same: String(logits(beside)) === String(logits(alone)), ...(await aborted) };""",
    )
    assert answer["isReason"] and answer["same"]


def test_when_nothing_computes(ready: Page) -> None:
    """Aborted before the first run: no session is ended for nothing."""
    started = run(
        ready,
        """
        const count = t.workers.length;
        const big = 'lorem ipsum dolor '.repeat(50_000);
        await t.abort((signal) => t.rerank('q', [big], { signal, stopAtOnce: true }), 0);
        await t.rerank('q', ['a']);
        return t.workers.length - count;""",
    )
    assert started == 0


def test_only_true_or_false(ready: Page) -> None:
    outcome = run(ready, "return t.outcome(() => t.rerank('q', ['a'], { stopAtOnce: 'yes' }))")
    assert outcome["error"]["code"] == "invalid_request"
