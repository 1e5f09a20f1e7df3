"""From outputs to ranks: monotone, total, stable; and the cache against a plain list."""

from __future__ import annotations

import itertools
import math
import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from webrerank.cache import ScoreCache
from webrerank.errors import InferenceError
from webrerank.results import RerankResult, rank_results
from webrerank.scoring import relevance_logits, score_of

logits = st.floats(allow_nan=False, allow_infinity=False) | st.floats(-40, 40)
#: Few values, so that many are equal; None is a blank document, "failed" one with an error.
given_logits = st.lists(
    st.sampled_from([None, "failed", -900.0, -1.0, 0.0, 1.0, 50.0, 60.0]) | logits
)
thresholds = st.none() | st.floats(0, 1)


@given(logits, logits)
def test_scores_are_monotone_and_within_bounds(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert 0 <= score_of(low) <= score_of(high) <= 1


@given(st.floats(-30, 30), st.floats(-30, 30))
def test_scores_tell_apart_what_is_apart(one: float, other: float) -> None:
    if abs(one - other) > 1e-3:
        assert (score_of(one) < score_of(other)) == (one < other)
    assert score_of(one) == pytest.approx((1 + math.tanh(one / 2)) / 2, abs=1e-15)
    assert score_of(one) + score_of(-one) == pytest.approx(1, abs=1e-15)


@given(
    st.lists(st.lists(st.floats(width=32), min_size=2, max_size=2), min_size=1, max_size=6),
    st.sampled_from([1, 2]),
)
def test_outputs_become_finite_logits_or_an_error(rows: list[list[float]], labels: int) -> None:
    outputs = np.asarray(rows, np.float32)[:, :labels]
    if not np.isfinite(outputs).all():
        with pytest.raises(InferenceError):
            relevance_logits(outputs)
        return
    made = relevance_logits(outputs)
    assert all(type(logit) is float and math.isfinite(logit) for logit in made)
    for row, logit in zip(outputs.tolist(), made, strict=True):
        assert logit == (row[0] if labels == 1 else row[1] - row[0])


def result(index: int, logit: float | str | None) -> RerankResult:
    blank = RerankResult(index, None, 0.0, None, f"document {index}", False)
    if isinstance(logit, str):
        return replace(blank, error=InferenceError(logit))
    return blank if logit is None else replace(blank, score=score_of(logit), logit=logit)


@given(given_logits, st.none() | st.integers(1, 60), thresholds, st.randoms(use_true_random=False))
def test_a_ranking(
    given: list[float | str | None],
    top_k: int | None,
    min_score: float | None,
    shuffle: random.Random,
) -> None:
    results = [result(index, logit) for index, logit in enumerate(given)]
    ranked = rank_results(results, top_k, min_score)

    def comes_before(one: RerankResult, other: RerankResult) -> bool:
        if one.logit is None or other.logit is None:
            kinds = [2 if each.error is None else 1 for each in (one, other)]
            kinds = [
                0 if each.logit is not None else kind
                for each, kind in zip((one, other), kinds, strict=True)
            ]
            return (kinds[0], one.index) < (kinds[1], other.index)
        if one.logit != other.logit:
            return one.logit > other.logit
        return one.index < other.index

    assert [one.rank for one in ranked] == list(range(1, len(ranked) + 1))
    assert all(comes_before(one, other) for one, other in itertools.pairwise(ranked))
    enough = [one for one in results if min_score is None or one.score >= min_score]
    assert len(ranked) == min(len(enough), len(enough) if top_k is None else top_k)
    taken = {one.index for one in ranked}
    left = [one for one in enough if one.index not in taken]
    assert all(comes_before(ranked[-1], one) for one in left), "only worse ones are cut off"
    for one in ranked:
        assert (one.score, one.logit) == (results[one.index].score, results[one.index].logit)

    shuffled = list(results)
    shuffle.shuffle(shuffled)
    assert rank_results(shuffled, top_k, min_score) == ranked, "whatever order they came in"
    assert all(one.rank is None for one in results), "what was given is unchanged"


@given(
    st.integers(1, 4),
    st.lists(st.tuples(st.booleans(), st.sampled_from("abcdef"), st.floats(-5, 5))),
)
def test_the_cache_is_a_list_of_the_last_used(
    capacity: int, steps: list[tuple[bool, str, float]]
) -> None:
    cache = ScoreCache(capacity)
    model: list[tuple[bytes, float]] = []  # least recently used first
    for is_put, name, logit in steps:
        key = name.encode()
        known = dict(model).get(key)
        if is_put:
            cache.put(key, logit)
        else:
            assert cache.get(key) == known
        value = logit if is_put else known
        if value is not None:
            model = [*(entry for entry in model if entry[0] != key), (key, value)][-capacity:]
    for key, value in model:
        assert cache.get(key) == value
    assert [key for key in map(str.encode, "abcdef") if cache.get(key) is not None] == sorted(
        key for key, _ in model
    )
