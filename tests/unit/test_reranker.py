"""The reranker on fakes: what reaches the model, what comes back, and how a call ends."""

import asyncio
import copy
import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from tests.fakes import (
    CLS,
    RUNTIME,
    SEP,
    FakePool,
    FakeTokenizer,
    RefusingTokenizer,
    fake_reranker,
    overlap,
    spec,
    word_id,
)
from webrerank.cache import ScoreCache
from webrerank.errors import (
    InferenceError,
    InvalidRequestError,
    TokenizationError,
    WorkerCrashedError,
)
from webrerank.pairs import IntArray
from webrerank.reranker import Reranker
from webrerank.results import Ranking, RerankResult, Usage
from webrerank.scoring import score_of

QUERY = "red green blue"
DOCUMENTS = ["nothing at all", "a red one", "blue and green and red", "green", "red blue"]


def rerank(reranker: Reranker, query: str, documents: Sequence[Any], **options: Any) -> Ranking:
    return asyncio.run(reranker.rerank(query, documents, **options))


def order(ranking: Ranking) -> list[int]:
    return [result.index for result in ranking.results]


def test_the_best_document_is_first() -> None:
    ranking = rerank(fake_reranker(), QUERY, DOCUMENTS)
    assert order(ranking)[0:2] == [2, 4]
    assert order(ranking)[-1] == 0
    assert [result.rank for result in ranking.results] == [1, 2, 3, 4, 5]
    scores = [result.score for result in ranking.results]
    assert scores == sorted(scores, reverse=True)
    for result in ranking.results:
        assert result.document is DOCUMENTS[result.index]
        assert result.logit is not None
        assert result.score == score_of(result.logit)
        assert (result.truncated, result.window) == (False, None)


def test_the_model_gets_query_and_document_in_one_pair() -> None:
    pool = FakePool()
    rerank(fake_reranker(pool), "red", ["blue sky"])
    (batch,) = pool.batches
    red, blue, sky = (word_id(word) for word in ("red", "blue", "sky"))
    assert batch.input_ids.tolist() == [[CLS, red, SEP, blue, sky, SEP]]
    assert batch.token_type_ids.tolist() == [[0, 0, 0, 1, 1, 1]]
    assert batch.attention_mask.tolist() == [[1] * 6]


def test_a_logit_depends_on_query_and_document_alone() -> None:
    alone = {
        document: rerank(fake_reranker(), QUERY, [document]).results[0].logit
        for document in DOCUMENTS
    }
    assert len(set(alone.values())) == len(DOCUMENTS)
    for documents in itertools.islice(itertools.permutations(DOCUMENTS), 0, 120, 17):
        for result in rerank(fake_reranker(), QUERY, documents).results:
            assert result.logit == alone[result.document]


def test_no_documents_touch_no_model() -> None:
    pool, tokenizer = FakePool(), FakeTokenizer()
    ranking = rerank(fake_reranker(pool, tokenizer), QUERY, [])
    assert ranking.results == []
    assert ranking.usage == Usage()
    assert (pool.batches, tokenizer.batches) == ([], [])


def test_no_documents_do_not_excuse_a_bad_request() -> None:
    with pytest.raises(InvalidRequestError, match="query"):
        rerank(fake_reranker(), " ", [])


@pytest.mark.parametrize("blank", ["", " ", "\n\t\u00a0", "\u200b\u200d\ufeff", {"text": " "}])
def test_blank_documents_are_never_sent_to_the_model(blank: Any) -> None:
    pool = FakePool()
    ranking = rerank(fake_reranker(pool), QUERY, [blank, "red", blank])
    assert order(ranking) == [1, 0, 2]
    assert len(pool.batches) == 1
    for result in ranking.results[1:]:
        assert (result.score, result.logit, result.truncated) == (0.0, None, False)
        assert result.document is blank
    assert (ranking.usage.documents, ranking.usage.pairs) == (3, 1)


def test_blank_documents_are_empty_to_tokenizers_that_have_a_token_for_a_space() -> None:
    tokenizer = FakeTokenizer()
    rerank(fake_reranker(tokenizer=tokenizer), QUERY, [" ", "\n\u3000", " red "])
    assert tokenizer.texts == [QUERY, "", "", " red "]


def test_only_blank_documents_run_no_model() -> None:
    pool = FakePool()
    progress: list[Any] = []
    ranking = rerank(
        fake_reranker(pool), QUERY, ["", " "], on_progress=lambda *done: progress.append(done)
    )
    assert pool.batches == []
    assert order(ranking) == [0, 1]
    assert [result.rank for result in ranking.results] == [1, 2]
    assert progress == []


@pytest.mark.parametrize("query", ["\u200b", "\u200b\u200d\ufeff"])
def test_a_query_nobody_can_see_is_refused(query: str) -> None:
    pool = FakePool()
    with pytest.raises(InvalidRequestError, match="query has no character") as caught:
        rerank(fake_reranker(pool), query, DOCUMENTS)
    assert query not in str(caught.value)
    assert pool.batches == []


def test_duplicates_each_have_their_place_and_share_one_run() -> None:
    pool = FakePool()
    told: list[int] = []
    progress: list[tuple[int, int]] = []
    ranking = rerank(
        fake_reranker(pool),
        QUERY,
        ["red", "grey", "red", "red"],
        on_result=lambda result: told.append(result.index),
        on_progress=lambda *done: progress.append(done),
    )
    assert order(ranking) == [0, 2, 3, 1]
    assert len({result.logit for result in ranking.results[:3]}) == 1
    assert len(pool.batches) == 2
    assert (ranking.usage.pairs, ranking.usage.cached) == (2, 2)
    assert sorted(told) == [0, 1, 2, 3]
    assert progress == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_texts_that_differ_only_in_what_was_cut_each_say_so() -> None:
    pool = FakePool()
    ranking = rerank(fake_reranker(pool, max_length=10), "red", ["x " * 6, "x " * 9])
    assert len(pool.batches) == 1
    assert {result.index: result.truncated for result in ranking.results} == {0: False, 1: True}


@pytest.mark.parametrize("top_k", [1, 3, 5, 6, 10**9])
def test_top_k_cuts_but_all_are_scored(top_k: int) -> None:
    pool = FakePool()
    ranking = rerank(fake_reranker(pool), QUERY, DOCUMENTS, top_k=top_k)
    assert order(ranking) == order(rerank(fake_reranker(), QUERY, DOCUMENTS))[:top_k]
    assert len(pool.batches) == ranking.usage.pairs == 5


def test_min_score_filters() -> None:
    ranking = rerank(fake_reranker(), QUERY, DOCUMENTS, min_score=0.5)
    assert order(ranking) == [2]


def test_a_better_score_than_any_gives_an_empty_ranking() -> None:
    assert rerank(fake_reranker(), QUERY, DOCUMENTS, min_score=1.0).results == []


def test_fields_make_up_the_text() -> None:
    tokenizer = FakeTokenizer()
    documents = [{"title": "red", "body": "blue", "text": "unread"}]
    ranking = rerank(fake_reranker(tokenizer=tokenizer), QUERY, documents, fields=["title", "body"])
    assert tokenizer.texts == [QUERY, "red blue"]
    assert ranking.results[0].document is documents[0]


def test_inputs_are_never_changed() -> None:
    documents: list[Any] = ["red", {"text": "blue", "tags": ["x"]}, ""]
    before = copy.deepcopy(documents)
    rerank(fake_reranker(), QUERY, documents, top_k=1)
    assert documents == before


def test_progress_counts_every_pair_up_to_the_total() -> None:
    progress: list[tuple[int, int]] = []
    rerank(
        fake_reranker(), QUERY, [*DOCUMENTS, " "], on_progress=lambda *done: progress.append(done)
    )
    assert progress == [(1, 5), (2, 5), (3, 5), (4, 5), (5, 5)]


def test_each_result_is_told_before_its_progress() -> None:
    events: list[Any] = []
    ranking = rerank(
        fake_reranker(),
        QUERY,
        [*DOCUMENTS, " "],
        top_k=2,
        on_progress=lambda done, _total: events.append(done),
        on_result=events.append,
    )
    told: list[RerankResult] = events[0::2]
    assert events[1::2] == [1, 2, 3, 4, 5]
    assert sorted(result.index for result in told) == [0, 1, 2, 3, 4]
    by_index = {result.index: result for result in told}
    for result in ranking.results:
        early = by_index[result.index]
        assert early.rank is None
        assert (early.score, early.logit) == (result.score, result.logit)
        assert early.document is result.document


def test_usage_counts_pairs_and_tokens() -> None:
    usage = rerank(fake_reranker(), "red green", ["a b c", "", "d"]).usage
    assert (usage.documents, usage.pairs) == (3, 2)
    assert usage.tokens == (3 + 2 + 3) + (3 + 2 + 1)
    assert not usage.query_truncated
    assert usage.tokenize_ms >= 0
    assert usage.inference_ms >= 0
    assert usage.total_ms == pytest.approx(usage.tokenize_ms + usage.inference_ms)


def test_the_runtime_is_reported() -> None:
    ranking = rerank(fake_reranker(), QUERY, DOCUMENTS)
    assert (ranking.model, ranking.device, ranking.dtype) == ("fake", "cpu", "fp32")
    assert (ranking.sessions, ranking.fallback) == (2, None)


def test_a_long_document_is_cut_at_the_models_length() -> None:
    pool = FakePool()
    ranking = rerank(fake_reranker(pool, max_length=10), "red", ["x " * 6, "y " * 7])
    assert [len(batch.input_ids[0]) for batch in pool.batches] == [10, 10]
    assert {result.index: result.truncated for result in ranking.results} == {0: False, 1: True}
    assert not ranking.usage.query_truncated


def test_a_long_query_leaves_room_for_the_document() -> None:
    pool = FakePool()
    ranking = rerank(fake_reranker(pool, max_length=11), "q " * 10_000, ["a b c d e f"])
    (ids,) = pool.batches[0].input_ids
    assert len(ids) == 11
    assert [word_id(word) for word in "abcd"] == ids[-5:-1].tolist()
    assert ranking.usage.query_truncated
    assert ranking.results[0].truncated


@pytest.mark.parametrize(
    ("asked", "used"), [(None, 512), (512, 512), (513, 513), (2000, 2000), (10**9, 2000), (9, 9)]
)
def test_a_model_that_can_read_more_than_512_does_so_on_request(
    asked: int | None, used: int
) -> None:
    pool = FakePool()
    rerank(fake_reranker(pool, max_length=2000), "red", ["x " * 3000], max_length=asked)
    assert pool.batches[0].input_ids.shape == (1, used)


@pytest.mark.parametrize(("asked", "used"), [(None, 20), (20, 20), (21, 20), (10**9, 20), (9, 9)])
def test_the_models_length_is_default_and_ceiling(asked: int | None, used: int) -> None:
    pool = FakePool()
    rerank(fake_reranker(pool, max_length=20), "red", ["x " * 99], max_length=asked)
    assert pool.batches[0].input_ids.shape == (1, used)


def test_max_length_has_a_floor_of_one_token_of_each_text() -> None:
    pool = FakePool()
    rerank(fake_reranker(pool), "a b", ["c d"], max_length=5)
    assert pool.batches[0].input_ids.tolist() == [[CLS, word_id("a"), SEP, word_id("c"), SEP]]
    with pytest.raises(InvalidRequestError, match="max_length must be at least 5"):
        rerank(fake_reranker(pool), "a b", ["c d"], max_length=4)


def test_two_outputs_score_as_their_softmax() -> None:
    def two(ids: IntArray, types: IntArray) -> list[float]:
        return [1.0, 1.0 + overlap(ids, types)[0]]

    one = rerank(fake_reranker(), QUERY, DOCUMENTS)
    both = rerank(fake_reranker(FakePool(model=two)), QUERY, DOCUMENTS)
    assert order(one) == order(both)
    for left, right in zip(one.results, both.results, strict=True):
        assert left.score == pytest.approx(right.score, abs=1e-6)


def test_equal_scores_keep_input_order() -> None:
    pool = FakePool(capacity=3, model=lambda _ids, _types: [0.25])
    documents = ["x " * length for length in (3, 9, 1, 7, 5)]
    assert order(rerank(fake_reranker(pool), QUERY, documents)) == [0, 1, 2, 3, 4]


def test_numbers_are_plain_python_numbers() -> None:
    (result,) = rerank(fake_reranker(), QUERY, ["red"]).results
    assert type(result.logit) is float
    assert type(result.score) is float
    assert type(result.index) is int


def test_logits_that_are_all_not_finite_fail_the_call() -> None:
    with pytest.raises(InferenceError, match="not finite"):
        rerank(fake_reranker(FakePool(model=lambda *_: [float("nan")])), QUERY, DOCUMENTS)


def test_a_tokenizer_that_refuses_fails_the_call_before_the_model_runs() -> None:
    pool = FakePool()
    reranker = Reranker(spec(), RefusingTokenizer(), pool, RUNTIME)
    with pytest.raises(TokenizationError):
        rerank(reranker, QUERY, DOCUMENTS)
    assert pool.batches == []


def test_a_cancel_during_inference_ends_it_and_spoils_nothing() -> None:
    async def scenario() -> None:
        pool = FakePool(hold=True)
        reranker = fake_reranker(pool)
        told: list[RerankResult] = []
        task = asyncio.ensure_future(reranker.rerank(QUERY, DOCUMENTS, on_result=told.append))
        while pool.running < 2:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        pool.release()
        await asyncio.sleep(0.01)
        assert (pool.running, pool.cancelled, told) == (0, 2, [])
        ranking = await reranker.rerank(QUERY, DOCUMENTS)
        assert order(ranking)[0] == 2

    asyncio.run(scenario())


def test_a_failed_call_does_not_spoil_the_next() -> None:
    async def scenario() -> None:
        reranker = fake_reranker(FakePool(fail_on=word_id("bad")))
        with pytest.raises(InferenceError, match="as told"):
            await reranker.rerank(QUERY, ["bad", "bad too"])
        assert order(await reranker.rerank(QUERY, DOCUMENTS))[0] == 2

    asyncio.run(scenario())


def test_overlapping_calls_each_get_their_own_answer() -> None:
    async def scenario() -> None:
        pool = FakePool(hold=True)
        reranker = fake_reranker(pool)
        lists = [[f"{word} {QUERY}", word, f"{word} red"] for word in ("one", "two", "three")]
        calls = [
            asyncio.ensure_future(reranker.rerank(f"{QUERY} {documents[1]}", documents))
            for documents in lists
        ]
        cancelled = asyncio.ensure_future(reranker.rerank(QUERY, DOCUMENTS))
        while pool.running < 8:
            await asyncio.sleep(0)
        cancelled.cancel()
        pool.release()
        for documents, ranking in zip(lists, await asyncio.gather(*calls), strict=True):
            assert [result.document for result in ranking.results] == [
                documents[0],
                documents[2],
                documents[1],
            ]
            alone = await fake_reranker().rerank(f"{QUERY} {documents[1]}", documents)
            assert [one.logit for one in alone.results] == [two.logit for two in ranking.results]

    asyncio.run(scenario())


def test_thousands_of_documents() -> None:
    documents = [f"{'red ' * (place % 7)}{place}" for place in range(3000)]
    pool = FakePool(capacity=4)
    ranking = rerank(fake_reranker(pool), QUERY, documents, top_k=10)
    assert len(pool.batches) == ranking.usage.pairs
    assert ranking.usage.pairs + ranking.usage.cached == 3000
    assert all(result.index % 7 == 6 for result in ranking.results)
    assert pool.most_running == 4


def test_batches_of_several_pairs_give_each_its_own_logit() -> None:
    single = rerank(fake_reranker(FakePool()), QUERY, DOCUMENTS)
    batched = rerank(fake_reranker(FakePool(max_rows=8)), QUERY, DOCUMENTS)
    assert [one.logit for one in single.results] == [two.logit for two in batched.results]


def cached_reranker(pool: FakePool) -> Reranker:
    return Reranker(spec(), FakeTokenizer(), pool, RUNTIME, ScoreCache())


def test_logits_once_computed_are_not_computed_again() -> None:
    pool = FakePool()
    reranker = cached_reranker(pool)
    first = rerank(reranker, QUERY, DOCUMENTS)
    pool.batches.clear()
    told: list[int] = []
    again = rerank(
        reranker, QUERY, DOCUMENTS[::-1], top_k=2, on_result=lambda one: told.append(one.index)
    )
    assert pool.batches == []
    assert [one.document for one in again.results] == [one.document for one in first.results[:2]]
    assert [one.logit for one in again.results] == [one.logit for one in first.results[:2]]
    assert (again.usage.pairs, again.usage.cached, again.usage.tokens) == (0, 5, 0)
    assert sorted(told) == [0, 1, 2, 3, 4]


def test_an_overlapping_list_costs_only_what_is_new() -> None:
    pool = FakePool()
    reranker = cached_reranker(pool)
    rerank(reranker, QUERY, DOCUMENTS)
    pool.batches.clear()
    progress: list[tuple[int, int]] = []
    ranking = rerank(
        reranker, QUERY, [*DOCUMENTS, "new", ""], on_progress=lambda *done: progress.append(done)
    )
    assert len(pool.batches) == 1
    assert (ranking.usage.pairs, ranking.usage.cached) == (1, 5)
    assert progress == [(done, 6) for done in range(1, 7)]


@pytest.mark.parametrize(
    ("query", "document", "max_length"),
    [("red", "c d", None), ("red a", "b c d", None), ("red", "c d e f", 7), ("red", "x", None)],
)
def test_another_query_document_or_length_is_another_pair(
    query: str, document: str, max_length: int | None
) -> None:
    pool = FakePool()
    reranker = cached_reranker(pool)
    rerank(reranker, "red", ["a b c d", "c d e f"])
    pool.batches.clear()
    ranking = rerank(reranker, query, [document], max_length=max_length)
    alone = rerank(fake_reranker(), query, [document], max_length=max_length)
    assert len(pool.batches) == 1
    assert ranking.results[0].logit == alone.results[0].logit


def test_a_failed_call_keeps_what_was_known_and_nothing_else() -> None:
    bad = FakePool(capacity=1, fail_on=word_id("bad"), failure=WorkerCrashedError("none is left"))
    reranker = cached_reranker(bad)
    with pytest.raises(WorkerCrashedError):
        rerank(reranker, QUERY, ["three long words", "bad"])
    bad.batches.clear()
    with pytest.raises(WorkerCrashedError):
        rerank(reranker, QUERY, ["three long words", "bad"])
    assert len(bad.batches) == 1


def test_lone_surrogates_reach_the_tokenizer_repaired() -> None:
    tokenizer = FakeTokenizer()
    rerank(fake_reranker(tokenizer=tokenizer), "red \ud800", ["blue \udfff"])
    assert tokenizer.texts == ["red \ufffd", "blue \ufffd"]
    assert np.isin(word_id("\ufffd"), tokenizer.encode_batch(["\ufffd"])[0])
