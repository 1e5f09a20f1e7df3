"""A document that cannot be scored costs no other."""

import asyncio
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from tests.fakes import (
    RUNTIME,
    VOCABULARY,
    FakePool,
    FakeTokenizer,
    fake_reranker,
    overlap,
    spec,
    word_id,
)
from webrerank.cache import ScoreCache
from webrerank.errors import (
    InferenceError,
    OutOfMemoryError,
    RerankError,
    TokenizationError,
    WorkerCrashedError,
)
from webrerank.model import ModelSpec
from webrerank.pairs import IntArray
from webrerank.reranker import Reranker
from webrerank.results import Ranking, RerankResult

QUERY = "red green blue"
DOCUMENTS = ["a red one", "bad apple", "", "blue and green", "bad red", "nothing", "bad apple"]
BAD = [1, 4, 6]


def rerank(reranker: Reranker, documents: Sequence[Any] = DOCUMENTS, **options: Any) -> Ranking:
    return asyncio.run(reranker.rerank(QUERY, documents, **options))


class PickyTokenizer(FakeTokenizer):
    """Refuses what has the word 'bad' in it, and all that is asked with it."""

    def encode_batch(self, texts: Sequence[str]) -> list[IntArray]:
        if any("bad" in text for text in texts):
            raise TokenizationError("refused as told")
        return super().encode_batch(texts)


def not_a_number(ids: IntArray, types: IntArray) -> list[float]:
    return [float("nan")] if word_id("bad") in ids else overlap(ids, types)


def failing_pool(failure: str, **options: Any) -> FakePool:
    if failure == "not a number":
        return FakePool(model=not_a_number, **options)
    error = OutOfMemoryError("told to") if failure == "memory" else InferenceError("told to")
    return FakePool(fail_on=word_id("bad"), failure=error, **options)


def check(ranking: Ranking, kind: type[RerankError]) -> None:
    alone = rerank(fake_reranker(), [text for text in DOCUMENTS if "bad" not in text])
    assert [one.document for one in ranking.results] == [
        *(one.document for one in alone.results if one.document),
        *(DOCUMENTS[index] for index in BAD),
        "",
    ]
    logits = {one.document: one.logit for one in alone.results}
    for place, one in enumerate(ranking.results):
        assert one.rank == place + 1
        if one.index in BAD:
            assert (one.score, one.logit) == (0.0, None)
            assert type(one.error) is kind
        else:
            assert one.error is None
            assert one.logit == logits[one.document]


@pytest.mark.parametrize("max_rows", [1, 3, 8])
@pytest.mark.parametrize("failure", ["run", "memory", "not a number"])
def test_a_pair_that_cannot_be_run_costs_no_other(failure: str, max_rows: int) -> None:
    pool = failing_pool(failure, max_rows=max_rows)
    check(rerank(fake_reranker(pool)), OutOfMemoryError if failure == "memory" else InferenceError)


def test_a_batch_that_failed_is_run_again_pair_by_pair_and_no_other() -> None:
    pool = failing_pool("run", max_rows=8, capacity=1)
    rerank(fake_reranker(pool), [*(f"{n} " * 12 for n in range(8)), *"abcdefg", "bad"])
    assert [len(batch.input_ids) for batch in pool.batches] == [8, 8, *[1] * 8]


def test_a_text_that_the_tokenizer_refuses_costs_no_other() -> None:
    pool, tokenizer = FakePool(), PickyTokenizer()
    check(rerank(Reranker(spec(), tokenizer, pool, RUNTIME)), TokenizationError)
    assert len(pool.batches) == 3


@pytest.mark.parametrize("max_rows", [1, 8])
def test_each_failure_is_told_and_counted(max_rows: int) -> None:
    told: list[RerankResult] = []
    progress: list[tuple[int, int]] = []
    ranking = rerank(
        fake_reranker(failing_pool("run", max_rows=max_rows)),
        on_result=told.append,
        on_progress=lambda *done: progress.append(done),
        top_k=2,
        min_score=0.01,
    )
    assert progress == [(done, 6) for done in range(1, 7)]
    assert sorted(one.index for one in told) == [0, 1, 3, 4, 5, 6]
    assert sorted(one.index for one in told if one.error) == BAD
    assert [one.error for one in ranking.results] == [None, None]
    usage = ranking.usage
    assert (usage.documents, usage.pairs, usage.cached, usage.failed) == (7, 3, 0, 3)
    assert usage.tokens == sum(6 + len(DOCUMENTS[index].split()) for index in (0, 3, 5))


def test_refused_texts_are_told_and_counted_too() -> None:
    progress: list[tuple[int, int]] = []
    reranker = Reranker(spec(), PickyTokenizer(), FakePool(), RUNTIME)
    usage = rerank(reranker, on_progress=lambda *done: progress.append(done)).usage
    assert progress == [(done, 6) for done in range(1, 7)]
    assert (usage.pairs, usage.cached, usage.failed) == (3, 0, 3)


def test_all_that_fail_fail_the_call_with_the_first_error() -> None:
    with pytest.raises(InferenceError, match="told to"):
        rerank(fake_reranker(failing_pool("run")), ["bad", "", "bad too"])
    with pytest.raises(TokenizationError, match="refused as told"):
        rerank(Reranker(spec(), PickyTokenizer(), FakePool(), RUNTIME), ["bad", "bad too"])


def test_one_that_is_known_from_before_is_enough() -> None:
    reranker = Reranker(spec(), FakeTokenizer(), failing_pool("run"), RUNTIME, ScoreCache())
    rerank(reranker, ["red"])
    ranking = rerank(reranker, ["bad", "red"])
    assert [one.index for one in ranking.results] == [1, 0]
    assert (ranking.usage.pairs, ranking.usage.cached, ranking.usage.failed) == (0, 1, 1)


def test_a_query_that_the_tokenizer_refuses_fails_the_call() -> None:
    with pytest.raises(TokenizationError):
        asyncio.run(Reranker(spec(), PickyTokenizer(), FakePool(), RUNTIME).rerank("bad", ["red"]))


def test_without_sessions_the_call_fails_at_once() -> None:
    lost = WorkerCrashedError("none is left")
    pool = FakePool(fail_on=word_id("bad"), failure=lost, capacity=1)
    with pytest.raises(WorkerCrashedError):
        rerank(fake_reranker(pool), ["one more word than that", "bad bad bad", "red", "green"])
    assert len(pool.batches) == 2


def test_a_failed_pair_is_not_kept_in_the_cache() -> None:
    pool = failing_pool("run")
    reranker = Reranker(spec(), FakeTokenizer(), pool, RUNTIME, ScoreCache())
    for _ in range(2):
        pool.batches.clear()
        ranking = rerank(reranker, ["bad", "red"])
        assert ranking.results[1].error
    assert len(pool.batches) == 1


def test_a_pair_beyond_the_memory_is_not_run_and_the_cure_is_named() -> None:
    pool = FakePool()
    model = ModelSpec(spec().template, 5000, 0, "{}", heads=16, hidden=1024)
    limit = model.run_bytes(1000)
    reranker = Reranker(model, FakeTokenizer(), pool, RUNTIME, run_bytes=limit)
    ranking = rerank(reranker, ["red " * 994, "red " * 995], max_length=5000)
    assert [batch.input_ids.shape for batch in pool.batches] == [(1, 1000)]
    error = ranking.results[1].error
    assert isinstance(error, OutOfMemoryError)
    assert not error.retryable
    assert "1001 tokens" in str(error)
    assert "at least 0.2 GiB of memory, and a run may have 0.2." in str(error)
    assert "a smaller max_length" in str(error)
    assert "a smaller maxLength" in error.message_with({"max_length": "maxLength"})
    with pytest.raises(OutOfMemoryError, match="max_length"):
        rerank(reranker, ["red " * 2000], max_length=5000)


def test_attention_takes_memory_by_the_square() -> None:
    # bge-reranker-v2-m3: 16 heads, 1024 dimensions; WebAssembly has 4 GiB.
    model = ModelSpec(spec().template, 8192, 0, "{}", heads=16, hidden=1024)
    assert model.run_bytes(8192) > 4 * 2**30
    assert model.run_bytes(512) < 64 * 2**20


def test_ids_beyond_the_vocabulary_are_the_documents_own_fault() -> None:
    class Tokenizer(FakeTokenizer):
        def encode_batch(self, texts: Sequence[str]) -> list[IntArray]:
            ids = super().encode_batch(texts)
            return [np.where(each == word_id("bad"), VOCABULARY, each) for each in ids]

    check(rerank(Reranker(spec(), Tokenizer(), FakePool(max_rows=4), RUNTIME)), InferenceError)
