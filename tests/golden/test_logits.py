"""The bundled model on native onnxruntime gives the pinned logits: it does rerank.

logits.json says where its numbers come from. int8 is rounded differently by processors with and
without VNNI, hence the tolerance; WebAssembly computes the same everywhere, and tests/e2e holds the
browser to the `wasm` column much closer.
"""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from webrerank import Ranking, Reranker, load_reranker
from webrerank.scoring import score_of

pytestmark = pytest.mark.golden

PAIRS: list[dict[str, Any]] = json.loads(
    Path(__file__).with_name("logits.json").read_text(encoding="utf-8")
)["pairs"]

#: Logits; some 0.2 were seen between this file's processor and another.
TOLERANCE = 0.35

#: Measured on another processor with onnxruntime 1.32.
ELSEWHERE = {"Berlin, relevant": 9.169, "Berlin, irrelevant": -11.007}


@pytest.fixture(scope="module")
def reranker(model_folder: Path) -> Reranker:
    return load_reranker(model_folder, sessions=2, cache=False)


def rerank(reranker: Reranker, query: str, documents: list[str]) -> Ranking:
    return asyncio.run(reranker.rerank(query, documents))


@pytest.mark.parametrize("pair", [pytest.param(pair, id=pair["name"]) for pair in PAIRS])
def test_native_logits_are_the_pinned_ones(reranker: Reranker, pair: dict[str, Any]) -> None:
    (result,) = rerank(reranker, pair["query"], [pair["document"]]).results
    assert result.logit is not None
    assert result.logit == pytest.approx(pair["native"], abs=TOLERANCE)
    assert result.logit == pytest.approx(pair["wasm"], abs=TOLERANCE)
    assert result.score == score_of(result.logit)
    if pair["name"] in ELSEWHERE:
        assert result.logit == pytest.approx(ELSEWHERE[pair["name"]], abs=TOLERANCE)


def test_relevant_documents_are_first_and_all_logits_differ(reranker: Reranker) -> None:
    query = "How many people live in Berlin?"
    pairs = [pair for pair in PAIRS if pair["query"] == query]
    ranking = rerank(reranker, query, [pair["document"] for pair in pairs])
    names = [pairs[result.index]["name"] for result in ranking.results]
    assert names[:2] == ["Berlin, relevant", "long, the answer first"]
    assert names[-1] == "Berlin, irrelevant"
    assert len({result.logit for result in ranking.results}) == len(pairs)


def test_a_logit_is_the_same_bit_for_bit_whatever_else_is_in_the_list(reranker: Reranker) -> None:
    query = "How many people live in Berlin?"
    documents = [pair["document"] for pair in PAIRS]
    logits = {result.index: result.logit for result in rerank(reranker, query, documents).results}
    for result in rerank(reranker, query, documents[::-1]).results:
        assert result.logit == logits[len(documents) - 1 - result.index]
    for place in range(0, len(documents), 4):
        (alone,) = rerank(reranker, query, [documents[place]]).results
        assert alone.logit == logits[place]


def test_composed_and_combining_accents_are_one_text(reranker: Reranker) -> None:
    composed, combining = (
        next(pair for pair in PAIRS if pair["name"] == name)
        for name in ("accents, relevant", "combining accents")
    )
    left = rerank(reranker, composed["query"], [composed["document"]]).results[0]
    right = rerank(reranker, combining["query"], [combining["document"]]).results[0]
    assert left.logit == right.logit


def test_what_was_cut_off_does_not_count(reranker: Reranker) -> None:
    pair = next(pair for pair in PAIRS if pair["name"] == "long, the answer cut off")
    longer = pair["document"] + " Berlin has 3.5 million inhabitants." * 50
    results = rerank(reranker, pair["query"], [pair["document"], longer]).results
    assert results[0].logit == results[1].logit
    assert all(result.truncated for result in results)


def test_the_runtime_is_reported(reranker: Reranker) -> None:
    ranking = rerank(reranker, "a query", ["a document"])
    assert (ranking.model, ranking.device, ranking.dtype) == (
        "ms-marco-MiniLM-L-12-v2",
        "cpu",
        "q8",
    )
    assert (ranking.sessions, ranking.fallback) == (2, None)
