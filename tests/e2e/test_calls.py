"""Calls side by side, what they tell on the way, and the end of a reranker."""

from __future__ import annotations

import itertools
from typing import Any

from playwright.sync_api import Page

from tests.e2e.conftest import OpenPage
from tests.e2e.support import (
    BERLIN,
    BERLIN_DOCUMENTS,
    Watch,
    recorded_requests,
    run,
    wait_for_workers_to_end,
)

PHASES = ["runtime", "download", "verify", "load", "warmup"]


def test_overlapping_calls_get_their_own_answers(ready: Page) -> None:
    answers = run(
        ready,
        """
        const call = (n) => t.rerank(`number ${n}`,
          Array.from({ length: 5 }, (_, i) => `this is number ${(i + n) % 5}, of ${n}`));
        const alone = [];
        for (const n of [0, 1, 2, 3]) alone.push(await call(n));
        const together = await Promise.all([0, 1, 2, 3].map(call));
        return { alone, together };""",
    )
    for alone, together in zip(answers["alone"], answers["together"], strict=True):
        assert together["results"] == alone["results"]


def test_a_failing_call_does_not_disturb_its_neighbours(ready: Page) -> None:
    outcomes = run(
        ready,
        """
        const stop = new AbortController();
        const calls = [
          t.rerank(arg[0], arg[1]),
          t.rerank(arg[0], [null]),
          t.rerank(arg[0], arg[1], { signal: stop.signal }),
          t.rerank(arg[0], arg[1], { maxLength: 2 }),
          t.rerank(arg[0], arg[1]),
        ];
        stop.abort();
        return (await Promise.allSettled(calls)).map(({ value, reason }) =>
          value ? value.results.map((r) => r.index) : reason.code ?? reason.name);""",
        [BERLIN, BERLIN_DOCUMENTS],
    )
    # An abort that comes first sees AbortError's old numeric code, 20.
    assert outcomes[0] == outcomes[4] == [0, 1]
    assert outcomes[1] == outcomes[3] == "invalid_request"
    assert outcomes[2] == 20


def test_progress_and_results_as_they_come(ready: Page) -> None:
    told = run(
        ready,
        """
        const documents = ['a', 'b c', '', 'd e f', 'g'];
        const progress = [], early = [];
        const ranking = await t.rerank('b', documents, {
          onProgress: (event) => progress.push(event),
          onResult: (result) =>
            early.push({ ...result, own: result.document === documents[result.index] }),
        });
        return { progress, early, results: ranking.results };""",
    )
    done = [event["done"] for event in told["progress"]]
    assert done == sorted(done) and done[-1] == 4
    assert {event["total"] for event in told["progress"]} == {4}
    assert all(result.pop("own") and result["rank"] is None for result in told["early"])
    final = {result["index"]: result for result in told["results"]}
    for result in told["early"]:
        assert result == {**final[result["index"]], "rank": None}
    scored = [result["index"] for result in told["early"] if result["logit"] is not None]
    assert sorted(scored) == [0, 1, 3, 4]


def test_a_callback_that_throws_spoils_nothing(ready: Page, watch: Watch) -> None:
    watch.allow(r"uncaught: .*(my progress|my result)", r"console error: .*(my progress|my result)")
    answer = run(
        ready,
        """
        const reported = [];
        addEventListener('error', (event) => reported.push(event.error.message));
        const ranking = await t.rerank('a', ['a', 'b'], {
          onProgress: () => { throw new Error('my progress'); },
          onResult: () => { throw new Error('my result'); },
        });
        return { results: ranking.results.length, reported };""",
    )
    assert answer["results"] == 2
    assert set(answer["reported"]) == {"my progress", "my result"}


def test_a_call_from_inside_a_callback(ready: Page) -> None:
    inner = run(
        ready,
        """
        let inner;
        await t.rerank('a', ['a', 'b'], { onResult: () => (inner ??= t.rerank('c', ['c'])) });
        return inner;""",
    )
    assert len(inner["results"]) == 1


def test_load_progress(ready: Page) -> None:
    events: list[dict[str, Any]] = run(ready, "return t.progress")
    for event in events:
        assert set(event) == {"phase", "loadedBytes", "totalBytes", "file", "fromCache"}
    phases = [phase for phase, _ in itertools.groupby(event["phase"] for event in events)]
    assert phases == PHASES
    for key in ("loadedBytes", "totalBytes"):
        values = [event[key] for event in events]
        assert values == sorted(values), f"{key} must never fall"
    assert events[-1]["loadedBytes"] == events[-1]["totalBytes"] > 30_000_000
    assert all(event["loadedBytes"] <= event["totalBytes"] for event in events)
    assert not any(event["fromCache"] for event in events)
    assert {event["file"] for event in events} >= {"onnx/model_quantized.onnx", None}
    totals = {event["totalBytes"] for event in events if event["phase"] == "download"}
    assert len(totals) == 1, "the total is known from the catalogue"


def test_load_progress_that_throws_does_not_spoil_the_load_and_then_dispose(
    open_page: OpenPage, watch: Watch
) -> None:
    watch.allow(r"uncaught: .*my load", r"console error: .*my load")
    page = open_page()
    run(page, "await t.start({ sessions: 1, onProgress: () => { throw new Error('my load'); } })")
    answer = run(
        page,
        """
        const busy = Array.from({ length: 40 }, (_, i) => `document ${i} ` + 'word '.repeat(200));
        const during = t.outcome(() => t.rerank('q', busy));
        await t.sleep(300);
        await t.reranker.dispose();
        return {
          during: await during,
          after: await t.outcome(() => t.rerank('q', ['a'])),
          none: await t.outcome(() => t.rerank('q', [])),
          wrong: await t.outcome(() => t.rerank('', ['a'])),
          again: await t.outcome(() => t.reranker.dispose()),
        };""",
    )
    for name in ("during", "after", "none"):
        assert answer[name]["error"]["code"] == "disposed", name
        assert answer[name]["error"]["retryable"] is False
    assert answer["wrong"]["error"]["code"] == "invalid_request"
    assert "error" not in answer["again"]
    wait_for_workers_to_end(page)


def test_two_at_once_share_one_download(open_page: OpenPage) -> None:
    with recorded_requests() as paths:
        answer = run(
            open_page(),
            """
            const { createReranker } = await t.lib();
            const both = await Promise.all([1, 2].map(() => createReranker({ sessions: 1 })));
            const rank = (reranker) => reranker.rerank({ query: arg[0], documents: arg[1] });
            const rankings = await Promise.all(both.map(rank));
            await both[0].dispose();
            rankings.push(await rank(both[1]));
            await both[1].dispose();
            return rankings.map(({ results }) => results.map((result) => result.logit));""",
            [BERLIN, BERLIN_DOCUMENTS],
        )
    assert answer[0] == answer[1] == answer[2]
    assert len([path for path in paths if path.endswith(".onnx")]) == 1


def test_a_long_life(
    open_page: OpenPage,
) -> None:
    """The creation's signal ends with it; logits are kept; a restart; dispose in a restart."""
    page = open_page()
    answer = run(
        page,
        """
        const stop = new AbortController();
        await t.start({ sessions: 1, signal: stop.signal });
        stop.abort();
        const first = await t.rerank('q', ['a', 'b', 'a']);
        let told = 0;
        const again = await t.rerank('q', ['b', 'c', 'a'], { onResult: () => told++ });
        t.crash('Python');
        const second = await t.rerank('q', ['a']);

        t.crash('Python', -1);
        const call = t.outcome(() => t.rerank('q', ['a']));
        await t.sleep(200);
        await t.reranker.dispose();
        const logits = ({ results }) =>
          results.filter((r) => r.document === 'a').map((result) => result.logit);
        return {
          logits: [first, again, second].flatMap(logits),
          told,
          cached: again.usage.cached,
          last: await call,
        };""",
    )
    assert len(answer["logits"]) == 4 and len(set(answer["logits"])) == 1
    assert answer["cached"] == 2, "what was computed is kept, unless `cache` is false"
    assert answer["told"] == 3, "what is known already is told all the same"
    assert answer["last"]["error"]["code"] == "disposed"
    wait_for_workers_to_end(page)
