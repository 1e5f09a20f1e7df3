"""The whole core on stand-ins: any texts at all are ranked, and like texts alike."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes import RUNTIME, FakePool, FakeTokenizer, spec, word_id, words
from tests.properties import strategies as some
from webrerank.cache import ScoreCache
from webrerank.errors import InferenceError
from webrerank.request import well_formed
from webrerank.reranker import Reranker
from webrerank.results import Ranking


def rerank(query: str, documents: list[Any], max_rows: int = 1, **options: Any) -> Ranking:
    reranker = Reranker(
        spec(), FakeTokenizer(), FakePool(max_rows=max_rows), RUNTIME, options.pop("cache", None)
    )
    return asyncio.run(reranker.rerank(query, documents, **options))


def text_of(document: Any) -> str:
    return well_formed(document if isinstance(document, str) else document["text"])


#: A word that no text is made with by chance.
BAD = "unspeakable"

queries = some.texts.filter(lambda text: words(well_formed(text)))


@settings(max_examples=150)
@given(queries, st.lists(some.documents, max_size=6), st.integers(1, 4))
def test_any_texts_are_ranked(query: str, documents: list[Any], max_rows: int) -> None:
    ranking = rerank(query, documents, max_rows)
    by_index = sorted(ranking.results, key=lambda result: result.index)
    assert [result.index for result in by_index] == list(range(len(documents)))
    assert [result.rank for result in ranking.results] == list(range(1, len(documents) + 1))
    for result, document in zip(by_index, documents, strict=True):
        assert result.document is document
        blank = not words(text_of(document))
        assert (result.logit is None) == blank
        assert result.score == 0 if blank else 0 < result.score < 1
    read = [result for result in by_index if result.logit is not None]
    assert ranking.usage.documents == len(documents)
    assert ranking.usage.pairs + ranking.usage.cached == len(read)


@settings(max_examples=100)
@given(queries, st.lists(some.documents, min_size=1, max_size=6), st.data())
def test_neighbours_order_and_the_cache_change_no_logit(
    query: str, documents: list[Any], data: st.DataObject
) -> None:
    whole = {result.index: result.logit for result in rerank(query, documents).results}
    order = data.draw(st.permutations(range(len(documents))))
    cache = ScoreCache()
    for _ in range(2):
        moved = rerank(query, [documents[place] for place in order], cache=cache)
        assert {order[result.index]: result.logit for result in moved.results} == whole
    assert moved.usage.pairs == 0, "all is known the second time"
    place = data.draw(st.sampled_from(order))
    [alone] = rerank(query, [documents[place]]).results
    assert alone.logit == whole[place]


@settings(max_examples=100)
@given(
    queries,
    st.lists(some.documents, max_size=6),
    st.integers(1, 8),
    st.none() | st.floats(0, 1),
)
def test_top_k_and_min_score_only_cut(
    query: str, documents: list[Any], top_k: int, min_score: float | None
) -> None:
    whole = rerank(query, documents).results
    cut = rerank(query, documents, top_k=top_k, min_score=min_score).results
    enough = [result for result in whole if min_score is None or result.score >= min_score]
    assert cut == enough[:top_k]


@settings(max_examples=100)
@given(
    queries,
    st.lists(st.tuples(some.documents, st.booleans()), max_size=6),
    st.integers(1, 4),
)
def test_whatever_fails_the_others_are_scored_as_alone(
    query: str, given: list[tuple[Any, bool]], max_rows: int
) -> None:
    documents = [f"{text_of(one)} {BAD}" if fails else one for one, fails in given]
    failing = {index for index, (_, fails) in enumerate(given) if fails}
    pool = FakePool(max_rows=max_rows, fail_on=word_id(BAD))
    reranker = Reranker(spec(), FakeTokenizer(), pool, RUNTIME)
    alone = {one.index: one.logit for one in rerank(query, documents).results}
    scored = [index for index in alone if index not in failing and alone[index] is not None]
    if failing and not scored:
        with pytest.raises(InferenceError):
            asyncio.run(reranker.rerank(query, documents))
        return
    ranking = asyncio.run(reranker.rerank(query, documents))
    assert {one.index for one in ranking.results if one.error} == failing
    assert ranking.usage.failed == len(failing)
    for one in ranking.results:
        assert one.logit == (None if one.index in failing else alone[one.index])
    kinds = [0 if one.logit is not None else 1 if one.error else 2 for one in ranking.results]
    assert kinds == sorted(kinds), "scored, failed, blank"
