"""The contract of a ranking, with the bundled model (DESIGN.md, JavaScript)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.e2e.conftest import OpenPage
from tests.e2e.support import (
    BERLIN,
    BERLIN_DOCUMENTS,
    MODEL,
    MODEL_FOLDER,
    ROOT,
    browser_logits,
    native_logits,
    recorded_requests,
    run,
)

DEPLOY = "How to deploy a Next.js app?"
DEPLOY_DOCUMENTS = [
    "Step-by-step guide for deploying Next.js applications to Vercel.",
    "React state management with Redux and Zustand.",
    "How to configure static sites on GitHub Pages.",
    "Next.js API routes let you create serverless endpoints.",
]

GOLDEN = ROOT / "tests" / "golden" / "logits.json"


@pytest.mark.parametrize(
    ("query", "documents"), [(BERLIN, BERLIN_DOCUMENTS), (DEPLOY, DEPLOY_DOCUMENTS)]
)
def test_ranks_as_native(ready: Page, query: str, documents: list[str]) -> None:
    [ours] = browser_logits(ready, [(query, documents)])
    [native] = native_logits(MODEL_FOLDER, [(query, documents)])
    assert _order(ours) == _order(native)


def _order(logits: list[float]) -> list[int]:
    return sorted(range(len(logits)), key=lambda place: -logits[place])


def test_golden_logits(ready: Page) -> None:
    pairs = json.loads(GOLDEN.read_text(encoding="utf-8"))["pairs"]
    logits = browser_logits(ready, [(pair["query"], [pair["document"]]) for pair in pairs])
    for pair, [logit] in zip(pairs, logits, strict=True):
        assert logit == pytest.approx(pair["wasm"], abs=1e-4), pair["name"]


def test_a_ranking_has_what_the_contract_says(ready: Page) -> None:
    answer = run(
        ready,
        """
        const documents = [arg[1], { text: arg[0], id: 7 }, '  ', 'word '.repeat(2000)];
        const options = { longDocuments: 'truncate' };
        const ranking = await t.rerank('How many people live in Berlin?', documents, options);
        const own = ranking.results.every((r) => r.document === documents[r.index]);
        ranking.results.forEach((result) => delete result.document);
        return { own, ...ranking };""",
        BERLIN_DOCUMENTS,
    )
    assert answer.pop("own"), "documents must be the caller's own"
    results, usage = answer.pop("results"), answer.pop("usage")
    sessions = answer.pop("sessions")
    assert answer.pop("reranked") is True and answer.pop("error") is None
    assert answer == {
        "model": MODEL,
        "device": "wasm",
        "dtype": "q8",
        "engine": "onnxruntime",
        "fallback": None,
    }
    assert isinstance(sessions, int) and sessions >= 1
    assert sorted(result["index"] for result in results) == [0, 1, 2, 3]
    assert [result["rank"] for result in results] == [1, 2, 3, 4]
    assert results[0]["index"] == 1 and results[-1]["index"] == 2
    assert [result["score"] for result in results] == sorted(
        (result["score"] for result in results), reverse=True
    )
    for result in results:
        assert set(result) == {"index", "rank", "score", "logit", "truncated", "window", "error"}
        assert result["error"] is None
        assert result["truncated"] is (result["index"] == 3)
        assert result["window"] is None
    _check_usage(usage)


def _check_usage(usage: dict[str, Any]) -> None:
    total = usage.pop("totalMs")
    assert total > 0 and usage.pop("tokenizeMs") + usage.pop("inferenceMs") <= total + 1
    assert usage.pop("tokens") > 512
    assert usage == {"documents": 4, "pairs": 3, "cached": 0, "failed": 0, "queryTruncated": False}


def test_nothing_in_nothing_out_and_nothing_loaded(open_page: OpenPage) -> None:
    page = open_page()
    with recorded_requests() as paths:
        ranking = run(page, "return (await t.lib()).rerank({ query: 'q', documents: [] })")
    assert ranking["results"] == [] and ranking["usage"]["documents"] == 0
    assert not [path for path in paths if "models/" in path or "vendor/" in path]
    assert run(page, "return t.workers.length") == 0


def test_one_call(open_page: OpenPage) -> None:
    answer = run(
        open_page(),
        """
        const { rerank } = await t.lib();
        const documents = [{ body: arg[1] }, { body: arg[0] }];
        const options = { query: 'people in Berlin', documents, fields: ['body'], topK: 1 };
        const { results, sessions } = await rerank({ ...options, sessions: 1, device: 'wasm' });
        return { sessions, results, own: results[0].document === documents[1] };""",
        BERLIN_DOCUMENTS,
    )
    assert answer["own"] and answer["sessions"] == 1
    assert [(result["index"], result["rank"]) for result in answer["results"]] == [(1, 1)]


def test_empty_list_on_a_loaded_reranker(ready: Page) -> None:
    assert run(ready, "return t.rerank('q', [])")["results"] == []


def test_only_blank_documents(ready: Page) -> None:
    ranking = run(ready, "return t.rerank('q', ['', ' \\n\\t', { text: '\\u00a0' }])")
    assert [result["index"] for result in ranking["results"]] == [0, 1, 2]
    assert {(result["score"], result["logit"]) for result in ranking["results"]} == {(0, None)}
    assert ranking["usage"]["pairs"] == 0


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"topK": 1}, [0]),
        ({"topK": 100}, [0, 1]),
        ({"minScore": 0.5}, [0]),
        ({"minScore": 1}, []),
        ({"minScore": 0}, [0, 1]),
        ({"topK": 2, "minScore": 0.9}, [0]),
    ],
)
def test_top_k_and_min_score(ready: Page, options: dict[str, Any], expected: list[int]) -> None:
    body = "return t.rerank(...arg)"
    ranking = run(ready, body, [BERLIN, BERLIN_DOCUMENTS, options])
    assert [result["index"] for result in ranking["results"]] == expected
    assert ranking["usage"]["documents"] == 2


def test_fields_are_joined_and_objects_read(ready: Page) -> None:
    logits = run(
        ready,
        """
        class Page { get title() { return 'Berlin'; } body = 'has 3.5 million inhabitants.'; }
        const bare = Object.assign(Object.create(null), { title: 'Berlin', body: null, x: 1 });
        const documents = ['Berlin has 3.5 million inhabitants.', new Page(), bare, 'Berlin'];
        const { results } = await t.rerank('q Berlin?', documents, { fields: ['title', 'body'] });
        return results.sort((a, b) => a.index - b.index).map((r) => r.logit);""",
    )
    assert logits[0] == logits[1] and logits[2] == logits[3] and logits[0] != logits[2]


def test_max_length_truncates(ready: Page) -> None:
    [result] = run(
        ready,
        "return t.rerank(...arg)",
        [BERLIN, ["a b " * 40], {"maxLength": 20, "longDocuments": "truncate"}],
    )["results"]
    assert result["truncated"] is True


def test_a_long_query_is_told(ready: Page) -> None:
    usage = run(ready, "return t.rerank('why '.repeat(600), ['a'.repeat(50)])")["usage"]
    assert usage["queryTruncated"] is True and usage["tokens"] == 512


def test_inputs_stay_as_they_are(ready: Page) -> None:
    same = run(
        ready,
        """
        const freeze = (value) => {
          if (value && typeof value === 'object') Object.values(value).forEach(freeze);
          return Object.freeze(value);
        };
        const options = freeze({ query: 'q', documents: [{ text: 'b', n: [1] }, 'a'], topK: 2 });
        const before = JSON.stringify(options);
        await t.reranker.rerank(options);
        return JSON.stringify(options) === before;""",
    )
    assert same


def test_what_the_caller_changes_meanwhile_does_not_matter(ready: Page) -> None:
    answer = run(
        ready,
        """
        const documents = [...arg];
        const call = t.rerank('How many people live in Berlin?', documents);
        documents.reverse();
        documents.push('more');
        return (await call).results.map((result) => result.document);""",
        BERLIN_DOCUMENTS,
    )
    assert answer == BERLIN_DOCUMENTS


def test_duplicates_and_ties_keep_input_order(ready: Page) -> None:
    texts = ["same text", "other words", "same text", "same text", ""]
    results = run(ready, "return t.rerank('same text', arg)", texts)["results"]
    assert [result["index"] for result in results] == [0, 2, 3, 1, 4]
    assert len({result["logit"] for result in results[:3]}) == 1


def test_awkward_characters(ready: Page) -> None:
    """Lone surrogates, which no UTF-8 has, and what tokenizers and bidi may stumble over."""
    results = run(
        ready,
        """return t.rerank('\\ud83d caf\\u00e9 \\ud83d\\ude00', ['\\udc00', 'a\\0b', ...arg]);""",
        [
            "\u202eabc",
            "\u4e2d\u6587\u6587\u672c",
            "\U0001f469\u200d\U0001f467",
            "<img src=x>",
            "\ufdfa" * 9,
        ],
    )["results"]
    assert sorted(result["index"] for result in results) == list(range(7))
    assert all(result["logit"] is not None for result in results[:6])
