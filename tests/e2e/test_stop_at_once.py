"""`stopAtOnce`: an abort ends the sessions that compute, and spoils nothing for others."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page

from tests.e2e.conftest import OpenPage
from tests.e2e.support import (
    BERLIN,
    BERLIN_DOCUMENTS,
    check_berlin,
    check_works,
    rewrite,
    run,
)

#: lib/session-workers.js: how often sessions may die of themselves.
MOST_LOSSES = 10

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


def abort(page: Page, *, stop_at_once: bool) -> dict[str, Any]:
    argument = {"stopAtOnce": stop_at_once, "next": [BERLIN, BERLIN_DOCUMENTS]}
    answer: dict[str, Any] = run(page, ABORT, argument)
    assert answer["isReason"]
    check_berlin(answer["ranking"])
    return answer


def test_sessions_that_compute_are_replaced(ready: Page) -> None:
    live = run(ready, "return t.reranker.sessions")
    started = abort(ready, stop_at_once=True)["started"]
    assert 1 <= started <= live, "one may have been between two runs"
    ready.wait_for_timeout(2500)  # Chromium lets a worker that computes go on for two seconds
    assert sum("session-worker" in worker.url for worker in ready.workers) == live


def test_without_it_they_stay(ready: Page) -> None:
    assert abort(ready, stop_at_once=False)["started"] == 0


def test_again_and_again(open_page: OpenPage) -> None:
    """More sessions end than may die of themselves. Each is at a run that does not end by itself,
    so that it is not by chance between two of them when Python hears of the abort."""
    page = open_page()
    rewrite(
        page,
        "workers/ort-session.js",
        (
            "const outputs =",
            """if (length > 300) {
            new BroadcastChannel('begun').postMessage(null);
            await new Promise(() => {});
            }
            const outputs =""",
        ),
    )
    answer = run(
        page,
        """
        await t.start({ sessions: 2, cache: false });
        const documents = Array.from({ length: 8 }, (_, i) => `${i} ` + 'word '.repeat(500));
        let begun = 0;
        new BroadcastChannel('begun').onmessage = () => begun++;
        const sessions = () => t.workers.filter(({ name }) => name.includes('session')).length;
        const before = sessions();
        for (let round = 0; sessions() - before <= arg.mostLosses; round++) {
          begun = 0;
          const rerank = (signal) => t.rerank('q', documents, { signal, stopAtOnce: true });
          await t.abort(rerank, () => begun === 2);
          await t.rerank(...arg.next); // on the sessions that took their place
          const made = sessions() - before - 2 * round;
          if (made !== 2) return { round, made };
        }
        return { left: t.reranker.sessions };""",
        {"mostLosses": MOST_LOSSES, "next": [BERLIN, BERLIN_DOCUMENTS]},
    )
    assert answer == {"left": 2}
    check_works(page)


def test_another_call_goes_on(open_page: OpenPage) -> None:
    """It loses its sessions again and again, and its documents run all the same."""
    page = open_page()
    answer = run(
        page,
        """
        await t.start({ sessions: 2, cache: false });
        const mine = Array.from({ length: 24 }, (_, i) => `${i} ` + 'other '.repeat(150));
        const documents = Array.from({ length: 20 }, (_, i) => `${i} ` + 'word '.repeat(150));
        const logits = ({ results }) => String(results.map(({ index, logit }) => [index, logit]));
        const alone = logits(await t.rerank('q', mine));
        const before = t.workers.length;
        let beside = null;
        const call = t.rerank('q', mine).then((ranking) => (beside = logits(ranking)));
        let aborts = 0;
        while (beside === null) {
          let seen = 0;
          const options = { onProgress: () => seen++, stopAtOnce: true };
          const rerank = (signal) => t.rerank('q', documents, { ...options, signal });
          await t.abort(rerank, () => seen >= 1 || beside !== null);
          aborts++;
        }
        await call;
        return { same: beside === alone, aborts, started: t.workers.length - before };""",
    )
    assert answer["same"]
    assert answer["started"] >= 3 and answer["aborts"] >= 3, answer
    check_works(page)


def test_when_nothing_computes(ready: Page) -> None:
    """Aborted before the first run: no session is ended for nothing."""
    started = run(
        ready,
        """
        const count = t.workers.length;
        const big = '\\u0301 '.repeat(500_000) + 'end'; // to be read to its end
        await t.abort((signal) => t.rerank('q', [big], { signal, stopAtOnce: true }), 0);
        await t.rerank('q', ['a']);
        return t.workers.length - count;""",
    )
    assert started == 0


def test_only_true_or_false(ready: Page) -> None:
    outcome = run(ready, "return t.outcome(() => t.rerank('q', ['a'], { stopAtOnce: 'yes' }))")
    assert outcome["error"]["code"] == "invalid_request"
